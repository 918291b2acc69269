// SPDX-License-Identifier: Apache-2.0
// TensorFlow's reductions, ArgMax and TopK.
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "graph/check.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {
namespace {

ReductionKind tensorflow_reduction_kind(std::string_view type) {
  static const std::map<std::string_view, ReductionKind> table{
      {"All", ReductionKind::min},   {"Any", ReductionKind::max}, {"Max", ReductionKind::max},
      {"Mean", ReductionKind::mean}, {"Min", ReductionKind::min}, {"Prod", ReductionKind::product},
      {"Sum", ReductionKind::sum},
  };
  return table.at(type);
}

constexpr std::array<std::int64_t, 2> kPixels{1, 2};

bool is_among(const std::vector<std::int64_t>& list, std::int64_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

void convert_tensorflow_reduce(TensorflowNode& node) {
  const std::vector<std::int64_t> axes = canonical_axes(node.integers(1, "axes"), node.rank());
  const bool keep = node.attributes().flag("keep_dims", false);
  const ReductionKind kind = tensorflow_reduction_kind(node.type());
  // Over all pixels: this is a map, whatever made it.
  const bool pools = kind == ReductionKind::mean || kind == ReductionKind::max;
  const bool known = node.value().plain && node.value().plain->is_constant();
  if (pools && node.rank() == 4 && !known &&
      std::is_permutation(axes.begin(), axes.end(), kPixels.begin(), kPixels.end())) {
    const Pool op{.kind = kind == ReductionKind::max ? PoolKind::max : PoolKind::average, .global = true};
    const ImportedValue y = node.add(op, {node.image()});
    keep ? node.result_image(y) : node.result(node.reshape(y, {y.shape[0], y.shape[1]}));
    return;
  }
  // What is left of a map is in the same order either way unless rows or columns are left beside channels.
  const bool channels_left = !is_among(axes, 3), pixels_left = !is_among(axes, 1) || !is_among(axes, 2);
  if (node.is_image() && (keep || !channels_left || !pixels_left)) {
    std::vector<std::int64_t> image_axes;
    for (const std::int64_t axis : axes) image_axes.push_back(image_axis(axis));
    ImportedValue y = node.reduce(kind, node.image(), image_axes, keep);
    y.type = node.value().type;
    keep ? node.result_image(std::move(y)) : node.result(std::move(y));
    return;
  }
  ImportedValue y = node.reduce(kind, node.in(), axes, keep);
  y.type = node.value().type;
  node.result(std::move(y));
}

void convert_tensorflow_arg(TensorflowNode& node) {
  if (node.rank() == 0) TensorflowNode::malformed("its input is a scalar");
  ArgMax op;
  op.has_axis = true;
  op.first = true;
  op.axis = TensorflowNode::axis(node.integer(1, "axis"), node.rank());
  ImportedValue x = node.in();
  if (node.type() == "ArgMin") x = node.affine(x, -1.0F, 0.0F);
  ImportedValue y = node.add(op, {x});
  Shape shape = y.shape;
  shape.erase(shape.begin() + op.axis);
  y = node.reshape(y, shape);
  y.type = ElementType::int64;
  node.result(std::move(y));
}

void convert_tensorflow_top_k(TensorflowNode& node) {
  if (node.rank() == 0) TensorflowNode::malformed("its input is a scalar");
  const std::int64_t k = node.type() == "TopK" ? node.attributes().integer("k", 1) : node.integer(1, "number");
  const std::int64_t size = node.shape().back();
  if (k <= 0) TensorflowNode::unsupported("a value without numbers");
  require(k <= size, "the {} greatest of {}", k, size);
  ArgMax op;
  op.has_axis = true;
  op.first = true;
  op.axis = -1;
  op.top_k = k;
  ImportedValue indices = node.add(op, {node.in()});
  indices.type = ElementType::int32;
  op.out_max_value = true;
  const ImportedValue values = node.add(op, {node.in()});
  node.outputs({tensorflow_value(values), tensorflow_value(indices)});
}

/// Sums of the numbers so far, as a product by a matrix of ones and zeros.
void convert_tensorflow_cumsum(TensorflowNode& node) {
  if (node.rank() == 0) TensorflowNode::malformed("its input is a scalar");
  const std::int64_t axis = TensorflowNode::axis(node.integer(1, "axis"), node.rank());
  const bool exclusive = node.attributes().flag("exclusive", false), reverse = node.attributes().flag("reverse", false);
  const std::int64_t size = node.shape()[static_cast<std::size_t>(axis)];
  node.budget().take(checked_product(size, size));
  std::vector<float> ones;
  for (std::int64_t from = 0; from < size; ++from) {
    for (std::int64_t to = 0; to < size; ++to) {
      const bool before = reverse ? from > to : from < to;
      ones.push_back(before || (from == to && !exclusive) ? 1.0F : 0.0F);
    }
  }
  std::vector<std::int64_t> order;
  for (std::int64_t d = 0; d < node.rank(); ++d) order.push_back(d);
  std::swap(order[static_cast<std::size_t>(axis)], order.back());
  const ImportedValue matrix =
      TensorflowNode::constant_value(make_tensor(ElementType::float32, {size, size}, std::move(ones)));
  ImportedValue rows = node.permute(node.in(), order);
  const bool vector = node.rank() == 1;
  if (vector) rows = node.reshape(rows, {1, size});
  ImportedValue sums = node.add(MatMul{}, {rows, matrix});
  if (vector) sums = node.reshape(sums, {size});
  node.result(node.permute(sums, order));
}

}  // namespace octavo::graph
