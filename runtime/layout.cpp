// SPDX-License-Identifier: Apache-2.0
// How a value lies in memory: the two orders.
#include "runtime/layout.h"

#include <cstddef>

namespace octavo::runtime {

Shape memory_dims(const Shape& shape, Layout layout) {
  if (layout == Layout::plain) return shape;
  return {shape[0], shape[2], shape[3], shape[1]};
}

std::int64_t memory_axis(const Shape& shape, std::int64_t axis, Layout layout) {
  if (axis < 0) axis += static_cast<std::int64_t>(shape.size());
  if (layout == Layout::plain || axis == 0) return axis;
  return axis == 1 ? 3 : axis - 1;
}

bool layouts_coincide(const Shape& shape) { return shape.size() != 4 || shape[1] == 1 || shape[2] * shape[3] == 1; }

AxisView view_from_axis(const Shape& shape, std::int64_t axis, Layout layout) {
  const Shape dims = memory_dims(shape, layout);
  const auto at = static_cast<std::size_t>(memory_axis(shape, axis, layout));
  AxisView view;
  for (std::size_t i = 0; i < at; ++i) view.outer *= dims[i];
  view.axis = dims[at];
  for (std::size_t i = at + 1; i < dims.size(); ++i) view.inner *= dims[i];
  return view;
}

AxisView view_from_channels(const Shape& shape, Layout layout) {
  if (shape.size() < 2) return {1, 1, graph::element_count(shape)};
  return view_from_axis(shape, 1, layout);
}

}  // namespace octavo::runtime
