// SPDX-License-Identifier: Apache-2.0
// Weights in another order of dimensions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "graph/blob.h"

namespace octavo::graph {

/// Dim i of the result is dim order[i] of `numbers`, which has `shape`.
template <class T>
[[nodiscard]] std::vector<T> permuted(std::span<const T> numbers, const Shape& shape,
                                      const std::vector<std::size_t>& order) {
  std::vector<std::size_t> strides(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * static_cast<std::size_t>(shape[d]);
  std::vector<T> result;
  result.reserve(numbers.size());
  std::vector<std::size_t> at(shape.size(), 0);
  for (std::size_t n = 0; n < numbers.size(); ++n) {
    std::size_t from = 0;
    for (std::size_t d = 0; d < order.size(); ++d) from += at[d] * strides[order[d]];
    result.push_back(numbers[from]);
    for (std::size_t d = order.size(); d-- > 0 && ++at[d] == static_cast<std::size_t>(shape[order[d]]);) at[d] = 0;
  }
  return result;
}

}  // namespace octavo::graph
