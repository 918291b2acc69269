// SPDX-License-Identifier: Apache-2.0
// Enumerations in words: see graph/enum_names.h.
#include "graph/enum_names.h"

#include <array>
#include <cstddef>

namespace octavo::graph {
namespace {

/// "?" for a number outside the enumeration, which only a broken file can make; verify() rejects it.
template <std::size_t N, class Enum>
std::string_view name_in(const std::array<std::string_view, N>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? names[index] : "?";
}

}  // namespace

std::string_view enum_name(UnaryKind kind) {
  static constexpr std::array<std::string_view, 10> kNames{"relu", "relu6", "sigmoid", "tanh", "elu",
                                                           "abs",  "power", "exp",     "log",  "threshold"};
  return name_in(kNames, kind);
}

std::string_view enum_name(PoolKind kind) {
  static constexpr std::array<std::string_view, 2> kNames{"max", "average"};
  return name_in(kNames, kind);
}

std::string_view enum_name(EltwiseKind kind) {
  static constexpr std::array<std::string_view, 3> kNames{"sum", "product", "max"};
  return name_in(kNames, kind);
}

std::string_view enum_name(ReductionKind kind) {
  static constexpr std::array<std::string_view, 4> kNames{"sum", "abs_sum", "square_sum", "mean"};
  return name_in(kNames, kind);
}

std::string_view enum_name(BoxCode code) {
  static constexpr std::array<std::string_view, 3> kNames{"corner", "center_size", "corner_size"};
  return name_in(kNames, code);
}

std::string_view enum_name(ResizeKind kind) {
  static constexpr std::array<std::string_view, 2> kNames{"nearest", "bilinear"};
  return name_in(kNames, kind);
}

std::string_view enum_name(ResizeGrid grid) {
  static constexpr std::array<std::string_view, 3> kNames{"corners", "centers", "both_ends"};
  return name_in(kNames, grid);
}

std::string_view enum_name(jit::ActivationKind kind) {
  static constexpr std::array<std::string_view, 7> kNames{"none",  "relu",    "relu6", "leaky_relu",
                                                          "prelu", "sigmoid", "tanh"};
  return name_in(kNames, kind);
}

}  // namespace octavo::graph
