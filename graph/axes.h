// SPDX-License-Identifier: Apache-2.0
// How an axis or an order of axes is read; shape inference and execution share it.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/blob.h"

namespace octavo::graph {

/// The axis counted from the front: a negative one counts from the end (-1: the last). Throws Error(invalid_argument)
/// unless -rank <= axis < rank.
[[nodiscard]] std::int64_t canonical_axis(std::int64_t axis, std::int64_t rank);

/// The permutation of all `rank` axes that begins with `order`; the axes that it does not name follow in their order.
/// Throws Error(invalid_argument) when an axis is out of range or named twice.
[[nodiscard]] std::vector<std::int64_t> complete_order(const std::vector<std::int64_t>& order, std::int64_t rank);

/// The shape that both repeat to: aligned at their ends, a dimension of 1 or a missing one repeats. Throws
/// Error(invalid_argument) when they do not fit.
[[nodiscard]] Shape broadcast(const Shape& a, const Shape& b);

/// The part of an axis that a strided slice takes.
struct SlicedAxis {
  std::int64_t begin = 0, count = 0;
};
/// Positions as in StridedSlice; step is not 0. An empty part has count 0.
[[nodiscard]] SlicedAxis sliced_axis(std::int64_t size, std::int64_t begin, std::int64_t end, std::int64_t step);

/// Product of shape[begin..end). The shape must have an element_count().
[[nodiscard]] std::int64_t count_between(const Shape& shape, std::int64_t begin, std::int64_t end);

}  // namespace octavo::graph
