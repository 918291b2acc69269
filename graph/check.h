// SPDX-License-Identifier: Apache-2.0
// Rules of the IR as checks: a broken one is an Error(invalid_argument) whose place the caller adds; arithmetic on
// sizes that may come from a hostile file.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <utility>

#include "graph/blob.h"
#include "octavo/error.h"

namespace octavo::graph {

struct Node;

template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(ErrorKind::invalid_argument, fmt::format(text, std::forward<Args>(args)...));
}

template <class... Args>
void require(bool holds, fmt::format_string<Args...> text, Args&&... args) {
  if (!holds) fail(text, std::forward<Args>(args)...);
}

/// Throw Error(invalid_argument) when the result does not fit 63 bits.
[[nodiscard]] inline std::int64_t checked_product(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  require(!__builtin_mul_overflow(a, b, &result), "{} x {} overflows", a, b);
  return result;
}
[[nodiscard]] inline std::int64_t checked_sum(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  require(!__builtin_add_overflow(a, b, &result), "{} + {} overflows", a, b);
  return result;
}

/// "[1,64,56,56]"
[[nodiscard]] std::string to_text(const Shape& shape);
/// "layer 'conv1' (Convolution)": the place of an error.
[[nodiscard]] std::string place_of(const Node& node);

}  // namespace octavo::graph
