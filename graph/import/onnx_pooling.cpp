// SPDX-License-Identifier: Apache-2.0
// MaxPool, AveragePool and the global pools.
#include <fmt/core.h>

#include <algorithm>

#include "graph/check.h"
#include "graph/import/onnx_operators.h"

namespace octavo::graph {
namespace {

bool pads_fit(const Pool& window) {
  for (std::size_t side = 0; side < 2; ++side) {
    if (window.pad_begin[side] >= window.kernel[side] || window.pad_end[side] >= window.kernel[side]) return false;
  }
  return true;
}

/// What all pools over windows have in common.
Pool windowed_pool(const OnnxNode& node, const ImportedValue& x, PoolKind kind) {
  if (x.shape.size() != 3 && x.shape.size() != 4) {
    OnnxNode::unsupported(fmt::format("a pool of {} dimensions", x.shape.size()),
                          "octavo pools over one or two dimensions");
  }
  const OnnxWindow window = onnx_window(node, {x.shape.begin() + 2, x.shape.end()}, {});
  if (window.dilation != Pair{1, 1}) OnnxNode::unsupported("a dilated pool");
  Pool op;
  op.kind = kind;
  op.kernel = window.kernel;
  op.stride = window.stride;
  op.pad_begin = window.pad_begin;
  op.pad_end = window.pad_end;
  op.ceil_mode = node.attributes().flag("ceil_mode", false);
  return op;
}

}  // namespace

ImportedValue onnx_pooled(OnnxNode& node, const ImportedValue& x, bool maximum) {
  Pool op = windowed_pool(node, x, maximum ? PoolKind::max : PoolKind::average);
  ImportedValue y = onnx_as_image(node, x);
  op.include_padding = node.attributes().flag("count_include_pad", false);
  if (!pads_fit(op) && !maximum && op.include_padding) {
    // Windows that see padding alone: zeros, as the padding is.
    y = node.add(Pad{.begins = {0, 0, op.pad_begin[0], op.pad_begin[1]}, .ends = {0, 0, op.pad_end[0], op.pad_end[1]}},
                 {y});
    op.pad_begin = op.pad_end = {0, 0};
  }
  return onnx_from_image(node, node.add(op, {y}), static_cast<std::int64_t>(x.shape.size()));
}

void convert_onnx_pool(OnnxNode& node) {
  if (node.output_count() > 1) OnnxNode::unsupported("the places of the maxima (its second output)");
  node.result(onnx_pooled(node, node.input(), node.type() == "MaxPool"));
}

namespace {

/// (sum of |x| ^ p) ^ (1 / p) as function and inverse around a mean of `count` numbers.
ImportedValue powers(OnnxNode& node, const ImportedValue& x, float p) {
  ImportedValue y = node.add_unary(UnaryKind::abs, x);
  return p == 1.0F ? y : node.add_unary(UnaryKind::power, y, 0.0F, 1.0F, p);
}

ImportedValue roots(OnnxNode& node, const ImportedValue& means, float p, double count) {
  return node.add_unary(UnaryKind::power, means, 0.0F, static_cast<float>(count), 1.0F / p);
}

float norm_of(const OnnxNode& node) {
  const auto p = static_cast<float>(node.attributes().integer("p", 2));
  require(p >= 1.0F && p <= 64.0F, "p is {}", p);
  return p;
}

}  // namespace

void convert_onnx_lp_pool(OnnxNode& node) {
  const ImportedValue& x = node.input();
  const float p = norm_of(node);
  Pool op = windowed_pool(node, x, PoolKind::average);
  if (op.ceil_mode) OnnxNode::unsupported("ceil_mode");
  if (!pads_fit(op)) OnnxNode::unsupported("windows that see padding alone");
  op.include_padding = true;
  const ImportedValue means = node.add(op, {onnx_as_image(node, powers(node, x, p))});
  const double count = static_cast<double>(op.kernel[0]) * static_cast<double>(op.kernel[1]);
  node.result(onnx_from_image(node, roots(node, means, p, count), node.rank()));
}

void convert_onnx_global_lp_pool(OnnxNode& node) {
  const ImportedValue& x = node.input();
  if (x.shape.size() < 3) OnnxNode::malformed("its input has no pixels");
  const float p = norm_of(node);
  std::vector<std::int64_t> axes;
  for (std::int64_t d = 2; d < node.rank(); ++d) axes.push_back(d);
  const ReducedAxes over = reduced_axes(x.shape, std::move(axes), true);
  node.result(roots(node, add_reduction(node, ReductionKind::sum, powers(node, x, p), over), p, 1.0));
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
