// SPDX-License-Identifier: Apache-2.0
// Axes: see graph/axes.h.
#include "graph/axes.h"

#include <functional>
#include <numeric>

#include "graph/check.h"

namespace octavo::graph {

std::int64_t canonical_axis(std::int64_t axis, std::int64_t rank) {
  require(axis >= -rank && axis < rank, "axis {} is out of range for {} dimensions", axis, rank);
  return axis < 0 ? axis + rank : axis;
}

std::vector<std::int64_t> complete_order(const std::vector<std::int64_t>& order, std::int64_t rank) {
  const auto size = static_cast<std::size_t>(rank);
  require(order.size() <= size, "an order of {} axes for {} dimensions", order.size(), rank);
  std::vector<bool> named(size, false);
  for (const std::int64_t axis : order) {
    require(axis >= 0 && axis < rank, "axis {} is out of range for {} dimensions", axis, rank);
    require(!named[static_cast<std::size_t>(axis)], "axis {} is named twice", axis);
    named[static_cast<std::size_t>(axis)] = true;
  }
  std::vector<std::int64_t> complete = order;
  for (std::size_t axis = 0; axis < size; ++axis) {
    if (!named[axis]) complete.push_back(static_cast<std::int64_t>(axis));
  }
  return complete;
}

std::int64_t count_between(const Shape& shape, std::int64_t begin, std::int64_t end) {
  return std::accumulate(shape.begin() + begin, shape.begin() + end, std::int64_t{1}, std::multiplies<>());
}

}  // namespace octavo::graph
