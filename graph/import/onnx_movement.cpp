// SPDX-License-Identifier: Apache-2.0
// Operators that move numbers and change none: reshape, transpose, join, cut, repeat, pad.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/node_layers.h"
#include "graph/import/onnx_fold.h"
#include "graph/import/onnx_operators.h"

namespace octavo::graph {
namespace {

void require_dims(const OnnxNode& node) {
  if (node.shape().empty()) OnnxNode::malformed("its input is a scalar");
}

/// x repeated along its dimensions of 1 until it has the shape.
ImportedValue expanded_value(OnnxNode& node, const ImportedValue& x, const Shape& shape) {
  Shape ones(shape.size() - x.shape.size(), 1);
  ones.insert(ones.end(), x.shape.begin(), x.shape.end());
  ImportedValue y = node.add_reshape(x, ones);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (ones[d] != shape[d]) y = node.add(Tile{.axis = static_cast<std::int64_t>(d), .tiles = shape[d]}, {y});
  }
  return y;
}

}  // namespace

void convert_onnx_reshape(OnnxNode& node) {
  std::vector<std::int64_t> wanted = to_integers(node.constant(1, "shape"));
  const FittedShape reshape = fitted_shape(node.shape(), wanted, node.attributes().flag("allowzero", false));
  node.result(node.add_reshape(node.input(), reshape.shape, reshape.dims));
}

void convert_onnx_flatten(OnnxNode& node) {
  const ImportedValue& x = node.input();
  const std::int64_t rank = node.rank(), given = node.attributes().integer("axis", 1);
  const std::int64_t axis = given == rank ? rank : OnnxNode::axis(given, std::max<std::int64_t>(rank, 1));
  const Shape shape{count_between(x.shape, 0, axis), count_between(x.shape, axis, rank)};
  if (axis == 1 && rank > 2) {
    node.result(node.add(Flatten{.axis = 1, .end_axis = -1}, {x}));
    return;
  }
  node.result(node.add_reshape(x, shape, {shape[0], axis == rank ? 1 : -1}));
}

void convert_onnx_squeeze(OnnxNode& node) { node.result(node.add_reshape(node.input(), onnx_squeezed(node))); }

void convert_onnx_unsqueeze(OnnxNode& node) { node.result(node.add_reshape(node.input(), onnx_unsqueezed(node))); }

void convert_onnx_transpose(OnnxNode& node) {
  const std::vector<std::int64_t> order = onnx_order(node);
  if (static_cast<std::int64_t>(order.size()) != node.rank()) OnnxNode::malformed("perm does not name every axis");
  node.result(node.add_permute(node.input(), order));
}

void convert_onnx_concat(OnnxNode& node) {
  require_dims(node);
  std::vector<ImportedValue> parts;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (element_count(node.shape(i)) != 0) parts.push_back(node.input(i));  // an empty part adds nothing
  }
  if (parts.empty()) OnnxNode::unsupported("a value without numbers");
  if (parts.size() == 1) {
    node.result(parts[0]);
    return;
  }
  node.result(node.add(Concat{.axis = OnnxNode::axis(node.attributes().integer("axis", 1), node.rank())}, parts));
}

void convert_onnx_split(OnnxNode& node) {
  require_dims(node);
  const std::int64_t axis = OnnxNode::axis(node.attributes().integer("axis", 0), node.rank());
  const std::int64_t size = node.shape()[static_cast<std::size_t>(axis)];
  const std::size_t outputs = node.output_count();
  std::vector<std::int64_t> sizes = node.opset() < 13 ? node.attributes().integers("split")
                                                      : node.integers(1, "sizes").value_or(std::vector<std::int64_t>{});
  if (sizes.empty()) {
    const std::int64_t parts = node.attributes().integer("num_outputs", static_cast<std::int64_t>(outputs));
    require(parts > 0 && parts <= 65536, "{} outputs", parts);
    const std::int64_t each = (size - 1) / parts + 1;  // the last one may be smaller
    for (std::int64_t begin = 0; begin < size; begin += each) sizes.push_back(std::min(each, size - begin));
  }
  if (sizes.size() != outputs) OnnxNode::malformed(fmt::format("{} sizes for {} outputs", sizes.size(), outputs));
  if (outputs == 1) {
    node.result(node.input());
    return;
  }
  Slice op;
  op.axis = axis;
  std::int64_t end = 0;
  for (const std::int64_t part : sizes) {
    if (part <= 0) OnnxNode::unsupported("a part without numbers");
    end = checked_sum(end, part);
    op.points.push_back(end);
  }
  require(end == size, "parts of {} in all for {}", end, size);
  op.points.pop_back();
  node.results(node.add_many(std::move(op), {node.input()}, outputs));
}

void convert_onnx_slice(OnnxNode& node) {
  require_dims(node);
  const StridedSlice slice = onnx_slice(node);
  StridedSlice op;
  for (std::size_t i = 0; i < slice.axes.size(); ++i) {
    const std::int64_t size = node.shape()[static_cast<std::size_t>(slice.axes[i])];
    const SlicedAxis part = sliced_axis(size, slice.begins[i], slice.ends[i], slice.steps[i]);
    if (part.count == 0) OnnxNode::unsupported("a slice without numbers");
    if (part.begin == 0 && part.count == size && slice.steps[i] == 1) continue;  // the whole axis
    op.axes.push_back(slice.axes[i]);
    op.begins.push_back(slice.begins[i]);
    op.ends.push_back(slice.ends[i]);
    op.steps.push_back(slice.steps[i]);
  }
  if (op.axes.empty()) {
    node.result(node.input());
  } else {
    node.result(node.add(std::move(op), {node.input()}));
  }
}

void convert_onnx_gather(OnnxNode& node) {
  require_dims(node);
  const std::int64_t axis = OnnxNode::axis(node.attributes().integer("axis", 0), node.rank());
  node.result(add_gather(node, node.input(), node.input(1), axis));
}

void convert_onnx_expand(OnnxNode& node) {
  const Shape wanted = to_integers(node.constant(1, "shape"));
  for (const std::int64_t dim : wanted) require(dim > 0, "a dimension of {}", dim);
  node.result(expanded_value(node, node.input(), broadcast(node.shape(), wanted)));
}

void convert_onnx_tile(OnnxNode& node) {
  require_dims(node);
  const std::vector<std::int64_t> repeats = to_integers(node.constant(1, "repeats"));
  if (static_cast<std::int64_t>(repeats.size()) != node.rank()) OnnxNode::malformed("one repeat an axis is expected");
  ImportedValue y = node.input();
  for (std::size_t d = 0; d < repeats.size(); ++d) {
    if (repeats[d] != 1) y = node.add(Tile{.axis = static_cast<std::int64_t>(d), .tiles = repeats[d]}, {y});
  }
  node.result(std::move(y));
}

void convert_onnx_pad(OnnxNode& node) {
  require_dims(node);
  static const std::map<std::string_view, PadKind> kinds{
      {"constant", PadKind::constant}, {"edge", PadKind::edge}, {"reflect", PadKind::reflect}, {"wrap", PadKind::wrap}};
  const std::string mode = node.attributes().text("mode", "constant");
  const auto kind = kinds.find(mode);
  if (kind == kinds.end()) OnnxNode::malformed(fmt::format("its mode is '{}'", mode));
  std::vector<std::int64_t> pads, axes;
  Pad op;
  op.kind = kind->second;
  if (node.opset() < 11) {
    pads = node.attributes().integers("pads");
    op.value = node.attributes().number("value", 0.0F);
  } else {
    pads = to_integers(node.constant(1, "pads"));
    if (node.has_input(2)) op.value = node.scalar(2, "value");
    axes = node.integers(3, "axes").value_or(std::vector<std::int64_t>{});
  }
  if (axes.empty()) {
    for (std::int64_t d = 0; d < node.rank(); ++d) axes.push_back(d);
  }
  axes = canonical_axes(axes, node.rank());
  require(pads.size() == 2 * axes.size(), "{} pads for {} axes", pads.size(), axes.size());
  op.begins.assign(node.shape().size(), 0);
  op.ends = op.begins;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    op.begins[static_cast<std::size_t>(axes[i])] = pads[i];
    op.ends[static_cast<std::size_t>(axes[i])] = pads[axes.size() + i];
  }
  const bool nothing = std::all_of(pads.begin(), pads.end(), [](std::int64_t pad) { return pad == 0; });
  node.result(nothing ? node.input() : node.add(std::move(op), {node.input()}));
}

/// Cut or padded by zeros to a size, as much before as behind; the odd one behind.
void convert_onnx_center_crop_pad(OnnxNode& node) {
  const std::vector<std::int64_t> wanted = to_integers(node.constant(1, "shape"));
  std::vector<std::int64_t> axes = node.attributes().integers("axes");
  if (axes.empty()) {
    for (std::int64_t d = 0; d < node.rank(); ++d) axes.push_back(d);
  }
  axes = canonical_axes(axes, node.rank());
  require(axes.size() == wanted.size(), "{} sizes for {} axes", wanted.size(), axes.size());
  Pad op;
  op.begins.assign(node.shape().size(), 0);
  op.ends = op.begins;
  bool changes = false;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(axes[i]);
    require(wanted[i] > 0, "a size of {}", wanted[i]);
    const std::int64_t more = wanted[i] - node.shape()[axis];
    op.begins[axis] = more / 2;  // towards 0, whether it pads or cuts
    op.ends[axis] = more - op.begins[axis];
    changes = changes || more != 0;
  }
  node.result(changes ? node.add(std::move(op), {node.input()}) : node.input());
}

namespace {

std::int64_t block_size(const OnnxNode& node) {
  if (node.rank() != 4) OnnxNode::malformed("its input is not an image");
  const std::int64_t block = node.attributes().integer("blocksize", 0);
  require(block > 0 && block < 65536, "a block of {}", block);
  return block;
}

}  // namespace

void convert_onnx_depth_to_space(OnnxNode& node) {
  const bool depth_first = node.attributes().text("mode", "DCR") == "DCR";
  node.result(add_depth_to_space(node, node.input(), block_size(node), depth_first));
}

void convert_onnx_space_to_depth(OnnxNode& node) {
  const std::int64_t block = block_size(node);
  ImportedValue y = add_space_to_depth(node, node.input(), block);
  if (node.attributes().text("mode", "DCR") == "CRD") {  // a block's places are the faster part
    const Shape shape = y.shape;
    const std::int64_t places = block * block;
    y = node.add_reshape(y, {shape[0], places, shape[1] / places, shape[2], shape[3]});
    y = node.add_reshape(node.add_permute(y, {0, 2, 1, 3, 4}), shape);
  }
  node.result(std::move(y));
}

/// The numbers above or below a diagonal; 0 elsewhere.
void convert_onnx_trilu(OnnxNode& node) {
  const Shape& x = node.shape();
  if (x.size() < 2) OnnxNode::malformed("its input is no matrix");
  const bool upper = node.attributes().flag("upper", true);
  const std::int64_t shift = node.has_input(1) ? static_cast<std::int64_t>(node.scalar(1, "diagonal")) : 0;
  const std::int64_t rows = x[x.size() - 2], columns = x.back();
  node.budget().take(checked_product(rows, columns));
  std::vector<float> mask;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      const std::int64_t diagonal = std::clamp(shift, -rows, columns) + r;
      mask.push_back((upper ? c >= diagonal : c <= diagonal) ? 1.0F : 0.0F);
    }
  }
  const ImportedValue kept =
      OnnxNode::constant_value(make_tensor(ElementType::float32, {rows, columns}, std::move(mask)));
  ImportedValue y = node.add(Select{}, {kept, node.input(), OnnxNode::constant_value(0.0F)});
  y.type = node.input().type;
  node.result(std::move(y));
}

}  // namespace octavo::graph
