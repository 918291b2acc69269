// SPDX-License-Identifier: Apache-2.0
// Gather of any format.
#include "graph/check.h"
#include "graph/import/node_layers.h"

namespace octavo::graph {

ImportedValue add_gather(NodeBuilder& node, const ImportedValue& x, const ImportedValue& indices, std::int64_t axis) {
  Shape shape(x.shape.begin(), x.shape.begin() + axis);
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), x.shape.begin() + axis + 1, x.shape.end());
  ImportedValue y = x;
  if (indices.is_constant() && indices.constant->count() == 1) {
    const std::int64_t at = to_integers(*indices.constant)[0];
    const std::int64_t size = x.shape[static_cast<std::size_t>(axis)];
    require(at >= -size && at < size, "index {} is outside an axis of {}", at, size);
    const std::int64_t begin = at < 0 ? at + size : at;
    if (size != 1)
      y = node.add(StridedSlice{.axes = {axis}, .begins = {begin}, .ends = {begin + 1}, .steps = {1}}, {x});
  } else if (x.is_constant() && axis == 0 && x.shape.size() == 2) {
    Embed op;
    op.weights = to_blob(*x.constant);
    y = node.add(std::move(op), {indices});
  } else {
    y = node.add(Gather{.axis = axis}, {x, indices});
  }
  y.type = x.type;
  return node.add_reshape(y, shape);
}

}  // namespace octavo::graph
