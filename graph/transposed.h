// SPDX-License-Identifier: Apache-2.0
// A matrix with its rows and columns exchanged.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace octavo::graph {

/// [rows][columns] -> [columns][rows], in blocks that stay in the cache.
template <class T>
[[nodiscard]] std::vector<T> transposed(std::span<const T> matrix, std::int64_t rows, std::int64_t columns) {
  constexpr std::size_t kBlock = 32;
  const auto height = static_cast<std::size_t>(rows), width = static_cast<std::size_t>(columns);
  std::vector<T> turned(height * width);
  for (std::size_t r0 = 0; r0 < height; r0 += kBlock) {
    for (std::size_t c0 = 0; c0 < width; c0 += kBlock) {
      for (std::size_t r = r0; r < std::min(r0 + kBlock, height); ++r) {
        for (std::size_t c = c0; c < std::min(c0 + kBlock, width); ++c) turned[c * height + r] = matrix[r * width + c];
      }
    }
  }
  return turned;
}

}  // namespace octavo::graph
