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
  static constexpr std::array<std::string_view, 43> kNames{
      "relu",  "relu6",     "sigmoid",  "tanh",     "elu",       "abs",     "power",        "exp",
      "log",   "threshold", "clip",     "gelu",     "gelu_tanh", "erf",     "hard_sigmoid", "hard_swish",
      "swish", "mish",      "softplus", "softsign", "selu",      "celu",    "shrink",       "thresholded_relu",
      "floor", "ceil",      "round",    "truncate", "sign",      "nonzero", "is_nan",       "is_infinite",
      "sin",   "cos",       "tan",      "asin",     "acos",      "atan",    "sinh",         "cosh",
      "asinh", "acosh",     "atanh"};
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
  static constexpr std::array<std::string_view, 8> kNames{"sum", "abs_sum", "square_sum", "mean",
                                                          "max", "min",     "product",    "log_sum_exp"};
  return name_in(kNames, kind);
}

std::string_view enum_name(BinaryKind kind) {
  static constexpr std::array<std::string_view, 17> kNames{
      "add",     "subtract",         "multiply",    "divide",     "power",      "minimum",
      "maximum", "modulo",           "remainder",   "equal",      "less",       "less_or_equal",
      "greater", "greater_or_equal", "logical_and", "logical_or", "logical_xor"};
  return name_in(kNames, kind);
}

std::string_view enum_name(PadKind kind) {
  static constexpr std::array<std::string_view, 4> kNames{"constant", "edge", "reflect", "wrap"};
  return name_in(kNames, kind);
}

std::string_view enum_name(ResizeKind kind) {
  static constexpr std::array<std::string_view, 3> kNames{"nearest", "linear", "cubic"};
  return name_in(kNames, kind);
}

std::string_view enum_name(ResizeCoordinates kind) {
  static constexpr std::array<std::string_view, 5> kNames{"half_pixel", "pytorch_half_pixel", "half_pixel_symmetric",
                                                          "asymmetric", "align_corners"};
  return name_in(kNames, kind);
}

std::string_view enum_name(ResizeRounding kind) {
  static constexpr std::array<std::string_view, 4> kNames{"prefer_floor", "prefer_ceil", "floor", "ceil"};
  return name_in(kNames, kind);
}

std::string_view enum_name(BoxCode code) {
  static constexpr std::array<std::string_view, 3> kNames{"corner", "center_size", "corner_size"};
  return name_in(kNames, code);
}

std::string_view enum_name(jit::ActivationKind kind) {
  static constexpr std::array<std::string_view, 7> kNames{"none",  "relu",    "relu6", "leaky_relu",
                                                          "prelu", "sigmoid", "tanh"};
  return name_in(kNames, kind);
}

}  // namespace octavo::graph
