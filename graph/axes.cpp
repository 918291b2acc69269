// SPDX-License-Identifier: Apache-2.0
// Axes: see graph/axes.h.
#include "graph/axes.h"

#include <algorithm>
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

Shape broadcast(const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape out = longer;
  const std::size_t shift = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    std::int64_t& dim = out[shift + i];
    require(dim == shorter[i] || dim == 1 || shorter[i] == 1, "{} and {} cannot be broadcast to each other", to_text(a),
            to_text(b));
    if (dim == 1) dim = shorter[i];
  }
  return out;
}

SlicedAxis sliced_axis(std::int64_t size, std::int64_t begin, std::int64_t end, std::int64_t step) {
  // Differences of values near the ends of 63 bits would overflow: positions are clamped before they are subtracted.
  const std::int64_t high = step > 0 ? size : size - 1;
  const auto position = [&](std::int64_t value, std::int64_t low) {
    if (value < 0) value += size;  // a negative number plus a size cannot overflow
    return std::clamp(value, low, high);
  };
  const std::int64_t first = position(begin, 0), last = position(end, step > 0 ? 0 : -1);
  const std::int64_t distance = step > 0 ? last - first : first - last;
  const std::int64_t stride = step > 0 ? step : -step;
  return {first, distance > 0 ? (distance - 1) / stride + 1 : 0};
}

std::int64_t count_between(const Shape& shape, std::int64_t begin, std::int64_t end) {
  return std::accumulate(shape.begin() + begin, shape.begin() + end, std::int64_t{1}, std::multiplies<>());
}

}  // namespace octavo::graph
