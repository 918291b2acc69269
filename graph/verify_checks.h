// SPDX-License-Identifier: Apache-2.0
// Checks of attributes that the verifiers of ops share. Internal to graph/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "graph/check.h"
#include "graph/ops.h"

namespace octavo::graph {

/// Sizes of kernels, strides and paddings: far beyond any use, small enough that shape arithmetic is easy to check.
inline constexpr std::int64_t kMaxSize = std::numeric_limits<std::int32_t>::max();
inline constexpr std::size_t kMaxRank = 8;

inline void require_between(std::int64_t value, std::int64_t low, std::int64_t high, std::string_view what) {
  require(value >= low && value <= high, "{} is {}, it has to be between {} and {}", what, value, low, high);
}

inline void require_pair(const Pair& pair, std::int64_t low, std::string_view what) {
  for (const std::int64_t value : pair) require_between(value, low, kMaxSize, what);
}

template <class Enum>
void require_enum(Enum value, Enum last, std::string_view what) {
  require(static_cast<int>(value) >= 0 && static_cast<int>(value) <= static_cast<int>(last), "unknown {} {}", what,
          static_cast<int>(value));
}

inline void require_rank(const Shape& shape, std::string_view what) {
  require(shape.size() <= kMaxRank, "{} has {} dimensions, more than {}", what, shape.size(), kMaxRank);
}

/// Present, of positive dimensions, and as many numbers as its shape says.
inline void require_blob(const BlobPtr& blob, std::string_view what) {
  require(blob != nullptr, "{} are missing", what);
  require_rank(blob->shape, what);
  for (const std::int64_t dim : blob->shape) require(dim > 0, "{} have the shape {}", what, to_text(blob->shape));
  const std::int64_t count = element_count(blob->shape);
  const std::size_t stored = blob->quantized() ? blob->q.values.size() : blob->f32.values.size();
  require(static_cast<std::int64_t>(stored) == count, "{} of shape {} need {} numbers, not {}", what,
          to_text(blob->shape), count, stored);
}

inline void require_float(const BlobPtr& blob, std::string_view what) {
  require_blob(blob, what);
  require(!blob->quantized(), "{} have to be fp32", what);
}

}  // namespace octavo::graph
