// SPDX-License-Identifier: Apache-2.0
// Blocks of pixels as channels, and back: see graph/import/node_layers.h.
#include "graph/check.h"
#include "graph/import/node_layers.h"

namespace octavo::graph {

ImportedValue add_depth_to_space(NodeBuilder& node, const ImportedValue& image, std::int64_t b, bool depth_first) {
  const Shape& x = image.shape;
  require(x[1] % checked_product(b, b) == 0, "{} channels for blocks of {}", x[1], b);
  const std::int64_t channels = x[1] / (b * b);
  ImportedValue y = node.add_reshape(
      image, depth_first ? Shape{x[0], b, b, channels, x[2], x[3]} : Shape{x[0], channels, b, b, x[2], x[3]});
  y = node.add_permute(
      y, depth_first ? std::vector<std::int64_t>{0, 3, 4, 1, 5, 2} : std::vector<std::int64_t>{0, 1, 4, 2, 5, 3});
  return node.add_reshape(y, {x[0], channels, checked_product(x[2], b), checked_product(x[3], b)});
}

ImportedValue add_space_to_depth(NodeBuilder& node, const ImportedValue& image, std::int64_t b) {
  const Shape& x = image.shape;
  require(x[2] % b == 0 && x[3] % b == 0, "{} for blocks of {}", to_text(x), b);
  ImportedValue y = node.add_reshape(image, {x[0], x[1], x[2] / b, b, x[3] / b, b});
  y = node.add_permute(y, {0, 3, 5, 1, 2, 4});
  return node.add_reshape(y, {x[0], checked_product(x[1], checked_product(b, b)), x[2] / b, x[3] / b});
}

}  // namespace octavo::graph
