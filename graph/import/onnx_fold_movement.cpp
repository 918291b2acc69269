// SPDX-License-Identifier: Apache-2.0
// Folding of operators that move numbers; what Reshape, Squeeze and Slice mean, which their converters share.
#include <algorithm>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/onnx_fold.h"

namespace octavo::graph {

namespace {

std::vector<std::int64_t> axes_of(const OnnxNode& node) {
  if (node.opset() < 13) return node.attributes().integers("axes");
  return node.integers(1, "axes").value_or(std::vector<std::int64_t>{});
}

}  // namespace

Shape onnx_squeezed(const OnnxNode& node) {
  const Shape& x = node.shape();
  const bool all = node.opset() < 13 ? !node.attributes().has("axes") : !node.has_input(1);
  const std::vector<std::int64_t> axes = canonical_axes(axes_of(node), node.rank());
  Shape shape;
  for (std::size_t d = 0; d < x.size(); ++d) {
    const bool named = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end();
    require(!named || x[d] == 1, "dimension {} of {} is not 1", d, to_text(x));
    if (named || (all && x[d] == 1)) continue;
    shape.push_back(x[d]);
  }
  return shape;
}

Shape onnx_unsqueezed(const OnnxNode& node) {
  const std::vector<std::int64_t> named = axes_of(node);
  const std::int64_t rank = node.rank() + static_cast<std::int64_t>(named.size());
  require(rank <= 8, "a value of {} dimensions", rank);
  const std::vector<std::int64_t> axes = canonical_axes(named, rank);
  Shape shape;
  std::size_t next = 0;
  for (std::int64_t d = 0; d < rank; ++d) {
    const bool added = std::find(axes.begin(), axes.end(), d) != axes.end();
    shape.push_back(added ? 1 : node.shape()[next++]);
  }
  return shape;
}

std::vector<std::int64_t> onnx_order(const OnnxNode& node) {
  std::vector<std::int64_t> order = node.attributes().integers("perm");
  if (order.empty()) {
    for (std::int64_t d = node.rank(); d-- > 0;) order.push_back(d);
  }
  return order;
}

StridedSlice onnx_slice(const OnnxNode& node) {
  StridedSlice slice;
  std::vector<std::int64_t> axes;
  if (node.opset() < 10) {
    slice.begins = node.attributes().integers("starts");
    slice.ends = node.attributes().integers("ends");
    axes = node.attributes().integers("axes");
  } else {
    slice.begins = node.integers(1, "starts").value_or(std::vector<std::int64_t>{});
    slice.ends = node.integers(2, "ends").value_or(std::vector<std::int64_t>{});
    axes = node.integers(3, "axes").value_or(std::vector<std::int64_t>{});
    slice.steps = node.integers(4, "steps").value_or(std::vector<std::int64_t>{});
  }
  const std::size_t count = slice.begins.size();
  if (axes.empty()) {
    for (std::size_t d = 0; d < count; ++d) axes.push_back(static_cast<std::int64_t>(d));
  }
  if (slice.steps.empty()) slice.steps.assign(count, 1);
  require(slice.ends.size() == count && axes.size() == count && slice.steps.size() == count,
          "{} starts, {} ends, {} axes and {} steps", count, slice.ends.size(), axes.size(), slice.steps.size());
  slice.axes = canonical_axes(axes, node.rank());
  for (const std::int64_t step : slice.steps) {
    require(step != 0 && step > -(std::int64_t{1} << 31) && step < (std::int64_t{1} << 31), "a step of {}", step);
  }
  return slice;
}

ConstantPtr fold_onnx_movement(const OnnxNode& node, ImportBudget& budget) {
  const std::string& type = node.type();
  if (type == "Reshape") {
    const bool allow_zero = node.attributes().flag("allowzero", false);
    return reshaped(node.constant(0, "input"),
                    fitted_shape(node.shape(), to_integers(node.constant(1, "shape")), allow_zero).shape);
  }
  if (type == "Flatten") {
    const std::int64_t axis = node.attributes().integer("axis", 1);
    const std::int64_t at = axis == node.rank() ? axis : canonical_axis(axis, std::max<std::int64_t>(node.rank(), 1));
    return reshaped(node.constant(0, "input"),
                    {count_between(node.shape(), 0, at), count_between(node.shape(), at, node.rank())});
  }
  if (type == "Squeeze") return reshaped(node.constant(0, "input"), onnx_squeezed(node));
  if (type == "Unsqueeze") return reshaped(node.constant(0, "input"), onnx_unsqueezed(node));
  if (type == "Transpose") return permuted(node.constant(0, "input"), onnx_order(node), budget);
  if (type == "Slice") return sliced(node.constant(0, "input"), onnx_slice(node), budget);
  if (type == "Gather") {
    return gathered(node.constant(0, "input"), node.constant(1, "indices"), node.attributes().integer("axis", 0),
                    budget);
  }
  if (type == "Concat") {
    std::vector<ConstantPtr> parts;
    for (std::size_t i = 0; i < node.input_count(); ++i) parts.push_back(node.input(i).constant);
    return joined(parts, node.attributes().integer("axis", 0), budget);
  }
  if (type == "Tile") {
    return tiled(node.constant(0, "input"), to_integers(node.constant(1, "repeats")), budget);
  }
  if (type == "Expand") {
    return expanded(node.constant(0, "input"), broadcast(node.shape(), to_integers(node.constant(1, "shape"))), budget);
  }
  return nullptr;
}

}  // namespace octavo::graph
