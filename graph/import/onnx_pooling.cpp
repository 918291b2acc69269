// SPDX-License-Identifier: Apache-2.0
// MaxPool, AveragePool and the global pools.
#include <fmt/core.h>

#include <algorithm>

#include "graph/check.h"
#include "graph/import/onnx_operators.h"

namespace octavo::graph {
namespace {

bool pads_fit(const OnnxWindow& window) {
  for (std::size_t side = 0; side < 2; ++side) {
    if (window.pad_begin[side] >= window.kernel[side] || window.pad_end[side] >= window.kernel[side]) return false;
  }
  return true;
}

}  // namespace

void convert_onnx_pool(OnnxNode& node) {
  const ImportedValue& x = node.input();
  if (x.shape.size() != 3 && x.shape.size() != 4) {
    OnnxNode::unsupported(fmt::format("a pool of {} dimensions", x.shape.size()),
                          "octavo pools over one or two dimensions");
  }
  if (node.output_count() > 1) OnnxNode::unsupported("the places of the maxima (its second output)");
  const bool maximum = node.type() == "MaxPool";
  OnnxWindow window = onnx_window(node, {x.shape.begin() + 2, x.shape.end()}, {});
  if (window.dilation != Pair{1, 1}) OnnxNode::unsupported("a dilated pool");
  ImportedValue y = onnx_as_image(node, x);
  Pool op;
  op.kind = maximum ? PoolKind::max : PoolKind::average;
  op.kernel = window.kernel;
  op.stride = window.stride;
  op.pad_begin = window.pad_begin;
  op.pad_end = window.pad_end;
  op.ceil_mode = node.attributes().flag("ceil_mode", false);
  op.include_padding = node.attributes().flag("count_include_pad", false);
  if (!pads_fit(window) && !maximum && op.include_padding) {
    // Windows that see padding alone: zeros, as the padding is.
    y = node.add(Pad{.begins = {0, 0, op.pad_begin[0], op.pad_begin[1]}, .ends = {0, 0, op.pad_end[0], op.pad_end[1]}},
                 {y});
    op.pad_begin = op.pad_end = {0, 0};
  }
  node.result(onnx_from_image(node, node.add(op, {y}), node.rank()));
}

void convert_onnx_global_pool(OnnxNode& node) {
  const ImportedValue& x = node.input();
  if (x.shape.size() < 3) OnnxNode::malformed("its input has no pixels");
  ImportedValue y = x;
  if (x.shape.size() != 4) {
    Shape image{x.shape[0], x.shape[1], 1, 1};
    for (std::size_t d = 2; d < x.shape.size(); ++d) image[3] = checked_product(image[3], x.shape[d]);
    y = node.add_reshape(x, image, {0, 0, 1, -1});
  }
  Pool op;
  op.kind = node.type() == "GlobalMaxPool" ? PoolKind::max : PoolKind::average;
  op.global = true;
  y = node.add(op, {y});
  Shape shape(x.shape.size(), 1);
  shape[0] = x.shape[0];
  shape[1] = x.shape[1];
  std::vector<std::int64_t> dims(shape.size(), 1);
  dims[0] = dims[1] = 0;
  node.result(node.add_reshape(y, shape, std::move(dims)));
}

}  // namespace octavo::graph
