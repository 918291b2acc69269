// SPDX-License-Identifier: Apache-2.0
// ResizeBilinear and ResizeNearestNeighbor.
#include "graph/check.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {

void convert_tensorflow_resize(TensorflowNode& node) {
  const std::vector<std::int64_t> sizes = node.integers(1, "size");
  require(sizes.size() == 2 && sizes[0] > 0 && sizes[1] > 0, "{} sizes", sizes.size());
  const ImportedValue x = node.image();
  const bool corners = node.attributes().flag("align_corners", false);
  const bool centers = node.attributes().flag("half_pixel_centers", false);
  Resize op;
  op.kind = node.type() == "ResizeBilinear" ? ResizeKind::linear : ResizeKind::nearest;
  op.coordinates = corners   ? ResizeCoordinates::align_corners
                   : centers ? ResizeCoordinates::half_pixel
                             : ResizeCoordinates::asymmetric;
  // The nearest of two pixels that are equally near is the one behind; without either attribute, the one before.
  op.rounding = corners || centers ? ResizeRounding::prefer_ceil : ResizeRounding::floor;
  for (std::int64_t axis = 2; axis < 4; ++axis) {
    const std::int64_t size = sizes[static_cast<std::size_t>(axis - 2)];
    if (size == x.shape[static_cast<std::size_t>(axis)]) continue;
    op.axes.push_back(axis);
    op.sizes.push_back(size);
  }
  ImportedValue y = op.axes.empty() ? x : node.add(std::move(op), {x});
  node.result_image(node.cast(y, ElementType::float32));
}

}  // namespace octavo::graph
