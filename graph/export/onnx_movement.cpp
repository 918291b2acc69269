// SPDX-License-Identifier: Apache-2.0
// Ops that move numbers as ONNX nodes.
#include <algorithm>
#include <limits>

#include "graph/axes.h"
#include "graph/export/onnx_exporter.h"

namespace octavo::graph {
namespace {

constexpr std::int64_t kIndexType = 7;  // ONNX's number of the type

}  // namespace

void OnnxNodeExporter::write(const Concat& op) {
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) inputs.push_back(in(i));
  last("Concat", inputs).set("axis", op.axis);
}

void OnnxNodeExporter::write(const Slice& op) {
  const auto axis = static_cast<std::size_t>(canonical_axis(op.axis, rank()));
  std::vector<std::string> outputs;
  std::vector<std::int64_t> sizes;
  for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
    outputs.push_back(out(i));
    sizes.push_back(out_shape(i)[axis]);
  }
  writer_.node("Split", node_.name, {in(), integers("sizes", sizes)}, outputs).set("axis", op.axis);
}

/// The shape as Reshape's operand: a first dimension that stays is copied, so that the batch may change.
std::vector<std::int64_t> OnnxNodeExporter::sized(const Shape& shape) const {
  std::vector<std::int64_t> dims = shape;
  if (dims.size() > 1 && dims[0] == in_shape()[0]) dims[0] = 0;
  return dims;
}

void OnnxNodeExporter::write(const Flatten& op) {
  const std::int64_t begin = canonical_axis(op.axis, rank()), end = canonical_axis(op.end_axis, rank());
  if (begin == 1 && end + 1 == rank()) {
    last("Flatten", {in()}).set("axis", std::int64_t{1});
  } else {
    last("Reshape", {in(), integers("shape", sized(out_shape()))});
  }
}

void OnnxNodeExporter::write(const Reshape& op) {
  const bool whole = op.axis == 0 && op.num_axes == -1 && !op.dims.empty();
  last("Reshape", {in(), integers("shape", whole ? op.dims : sized(out_shape()))});
}

void OnnxNodeExporter::write(const Permute& op) {
  last("Transpose", {in()}).set("perm", complete_order(op.order, rank()));
}

void OnnxNodeExporter::write(const Crop& op) {
  const std::int64_t first = canonical_axis(op.axis, rank());
  std::vector<std::int64_t> axes, begins, ends;
  for (std::int64_t axis = first; axis < rank(); ++axis) {
    const auto which = static_cast<std::size_t>(op.offsets.size() == 1 ? 0 : axis - first);
    const std::int64_t offset = op.offsets.empty() ? 0 : op.offsets[which];
    axes.push_back(axis);
    begins.push_back(offset);
    ends.push_back(offset + out_shape()[static_cast<std::size_t>(axis)]);
  }
  last("Slice", {in(), integers("starts", begins), integers("ends", ends), integers("axes", axes)});
}

void OnnxNodeExporter::write(const Tile& op) {
  std::vector<std::int64_t> repeats(in_shape().size(), 1);
  repeats[static_cast<std::size_t>(canonical_axis(op.axis, rank()))] = op.tiles;
  last("Tile", {in(), integers("repeats", repeats)});
}

void OnnxNodeExporter::write(const Embed& op) {
  const std::string table = constant("table", *op.weights, op.weights->shape);
  const std::vector<std::string> inputs{table, cast(in(), kIndexType)};
  if (!op.bias) {
    last("Gather", inputs).set("axis", std::int64_t{0});
    return;
  }
  last("Add", {step("Gather", inputs), constant("bias", *op.bias, op.bias->shape)});
}

void OnnxNodeExporter::write(const Identity&) {
  for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
    writer_.node("Identity", i == 0 ? node_.name : part("copy"), {in()}, {out(i)});
  }
}

void OnnxNodeExporter::write(const Constant& op) { last("Identity", {constant("value", *op.value, out_shape())}); }

void OnnxNodeExporter::write(const Gather& op) {
  last("Gather", {in(0), cast(in(1), kIndexType)}).set("axis", op.axis);
}

void OnnxNodeExporter::write(const StridedSlice& op) {
  last("Slice", {in(), integers("starts", op.begins), integers("ends", op.ends), integers("axes", op.axes),
                 integers("steps", op.steps)});
}

void OnnxNodeExporter::write(const Pad& op) {
  std::vector<std::int64_t> pads = op.begins;
  pads.insert(pads.end(), op.ends.begin(), op.ends.end());
  std::vector<std::string> inputs{in(), integers("pads", pads)};
  std::string_view mode = "constant";
  if (op.kind == PadKind::edge) mode = "edge";
  if (op.kind == PadKind::reflect) mode = "reflect";
  if (op.kind == PadKind::wrap) mode = "wrap";
  if (op.kind == PadKind::constant) inputs.push_back(constant("value", op.value));
  last("Pad", inputs).set("mode", mode);
}

void OnnxNodeExporter::write(const Resize& op) {
  static constexpr std::string_view kModes[] = {"nearest", "linear", "cubic"};
  static constexpr std::string_view kCoordinates[] = {"half_pixel", "pytorch_half_pixel", "half_pixel_symmetric",
                                                      "asymmetric", "align_corners"};
  static constexpr std::string_view kRounding[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
  if (!op.sizes.empty() && !op.scales.empty()) cannot("a resize by sizes and scales that differ");
  std::vector<std::string> inputs{in(), ""};
  // Lists of all axes: what every reader understands.
  if (!op.scales.empty()) {
    std::vector<float> scales(in_shape().size(), 1.0F);
    for (std::size_t i = 0; i < op.axes.size(); ++i) scales[static_cast<std::size_t>(op.axes[i])] = op.scales[i];
    inputs.push_back(constant("scales", {rank()}, scales));
  } else {
    inputs.emplace_back("");
    inputs.push_back(integers("sizes", out_shape()));
  }
  OnnxNodeWriter node = last("Resize", inputs);
  node.set("mode", kModes[static_cast<std::size_t>(op.kind)])
      .set("coordinate_transformation_mode", kCoordinates[static_cast<std::size_t>(op.coordinates)]);
  if (op.kind == ResizeKind::nearest) node.set("nearest_mode", kRounding[static_cast<std::size_t>(op.rounding)]);
  if (op.kind == ResizeKind::cubic) node.set("cubic_coeff_a", op.cubic);
  if (op.exclude_outside) node.set("exclude_outside", std::int64_t{1});
  if (op.antialias) node.set("antialias", std::int64_t{1});
}

}  // namespace octavo::graph
