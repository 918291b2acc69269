// SPDX-License-Identifier: Apache-2.0
// Copies a regular part of a value into dense memory: the common core of Slice, Crop, Tile and Permute.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/layout.h"

namespace octavo::runtime {

/// destination[i0][i1]... (dense, row-major over `dims`) = source[offset + i0 * strides[0] + i1 * strides[1] + ...].
/// A stride of 0 repeats.
class StridedCopy {
 public:
  /// Most dimensions that remain after neighbours are merged; Caffe allows no more in a blob.
  static constexpr std::size_t kMaxRank = 32;

  /// `dims` and `strides` of equal length, in elements. Throws Error(unsupported) beyond kMaxRank.
  StridedCopy(const Shape& dims, const Shape& strides, std::int64_t offset);

  /// Allocates nothing. `source` and `destination` do not overlap.
  void run(const float* source, float* destination, int threads) const;

  /// Source and destination hold the same bytes, from the first one on.
  [[nodiscard]] bool whole_run() const noexcept { return offset_ == 0 && dims_.size() == 1 && strides_[0] == 1; }

 private:
  void copy_rows(const float* source, float* destination, std::int64_t begin, std::int64_t end) const;

  Shape dims_, strides_;  ///< merged: as few dimensions as possible, at least one
  std::int64_t offset_ = 0, rows_ = 1;
};

/// Distance in memory between neighbours along each entry of memory_dims().
[[nodiscard]] Shape dense_strides(const Shape& dims);

}  // namespace octavo::runtime
