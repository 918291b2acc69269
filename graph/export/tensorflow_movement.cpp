// SPDX-License-Identifier: Apache-2.0
// What moves numbers and changes none, as TensorFlow nodes; ArgMax, gathering and resizing.
#include <algorithm>
#include <numeric>

#include "graph/axes.h"
#include "graph/export/tensorflow_exporter.h"

namespace octavo::graph {

void TensorflowNodeExporter::write(const Concat& op) {
  pixels_ = in_pixels();
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) inputs.push_back(operand(i));
  inputs.push_back(writer_.integer(part("axis"), own_axis(canonical_axis(op.axis, rank()))));
  last("ConcatV2", inputs).set("N", static_cast<std::int64_t>(node_.inputs.size())).set("Tidx", tensorflow::DT_INT32);
}

void TensorflowNodeExporter::write(const Slice& op) {
  pixels_ = in_pixels();
  const std::int64_t axis = canonical_axis(op.axis, rank());
  std::vector<std::int64_t> sizes;
  for (const ValueId output : node_.outputs) {
    sizes.push_back(graph_.values[output].shape[static_cast<std::size_t>(axis)]);
  }
  const std::string cut = writer_.unique(part("Split"));
  writer_.node("SplitV", cut, {operand(), integers("sizes", sizes), writer_.integer(part("axis"), own_axis(axis))})
      .set("T", tensorflow::DT_FLOAT)
      .set("Tlen", tensorflow::DT_INT32)
      .set("num_split", static_cast<std::int64_t>(sizes.size()));
  for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
    const std::string& name = writer_.own(graph_.values[node_.outputs[i]].name);
    (pixels_ ? names_.pixels : names_.plain)[node_.outputs[i]] = name;
    writer_.node("Identity", name, {i == 0 ? cut : cut + ":" + std::to_string(i)}).set("T", tensorflow::DT_FLOAT);
  }
}

/// To the shape of the output; a batch that is kept stays open.
void TensorflowNodeExporter::write_reshape() {
  std::vector<std::int64_t> dims = out_shape();
  if (dims.size() > 1 && dims[0] == in_shape()[0]) dims[0] = -1;
  last("Reshape", {in(), integers("shape", dims)}).set("Tshape", tensorflow::DT_INT32);
}

void TensorflowNodeExporter::write(const Flatten&) {
  // The order within what is flattened is the graph's.
  write_reshape();
}

void TensorflowNodeExporter::write(const Reshape&) { write_reshape(); }

void TensorflowNodeExporter::write(const Permute& op) {
  const std::vector<std::int64_t> order = complete_order(op.order, rank());
  last("Transpose", {in(), integers("order", order)}).set("Tperm", tensorflow::DT_INT32);
}

void TensorflowNodeExporter::write(const Crop& op) {
  pixels_ = in_shape().size() == 4 && names_.pixels.contains(node_.inputs[0]);
  const std::int64_t axis = canonical_axis(op.axis, rank());
  std::vector<std::int64_t> begins(in_shape().size(), 0), sizes = out_shape();
  for (std::int64_t d = axis; d < rank(); ++d) {
    const auto i = static_cast<std::size_t>(d - axis);
    begins[static_cast<std::size_t>(d)] = op.offsets.empty() ? 0 : op.offsets[op.offsets.size() == 1 ? 0 : i];
  }
  last("Slice", {operand(), integers("begins", own_order(begins)), integers("sizes", own_order(sizes))})
      .set("Index", tensorflow::DT_INT32);
}

void TensorflowNodeExporter::write(const Tile& op) {
  pixels_ = in_pixels();
  std::vector<std::int64_t> repeats(in_shape().size(), 1);
  repeats[static_cast<std::size_t>(canonical_axis(op.axis, rank()))] = op.tiles;
  last("Tile", {operand(), integers("repeats", own_order(repeats))}).set("Tmultiples", tensorflow::DT_INT32);
}

void TensorflowNodeExporter::write(const ArgMax& op) {
  if (!op.has_axis) cannot("the greatest over several dimensions");
  if (!op.first) cannot("the last of equal ones");
  const std::int64_t axis = canonical_axis(op.axis, rank());
  if (op.top_k == 1 && !op.out_max_value) {
    const std::string along = writer_.integer(part("axis"), axis);
    std::string index;
    step("ArgMax", {in(), along}, index).set("Tidx", tensorflow::DT_INT32).set("output_type", tensorflow::DT_INT32);
    last("ExpandDims", {whole_number(index), along}).set("Tdim", tensorflow::DT_INT32);
    return;
  }
  if (axis + 1 != rank()) cannot("the greatest along another dimension than the last");
  const std::string found = step("TopKV2", {in(), writer_.integer(part("k"), op.top_k)});
  if (op.out_max_value) {
    done(found);
    return;
  }
  const std::string& name = writer_.own(out_name());
  names_.plain[node_.outputs[0]] = name;
  writer_.node("Cast", name, {found + ":1"}).set("SrcT", tensorflow::DT_INT32).set("DstT", tensorflow::DT_FLOAT);
}

void TensorflowNodeExporter::write(const Embed& op) {
  const std::string table = constant("weights", *op.weights, op.weights->shape);
  const std::string name = writer_.unique(part("GatherV2"));
  writer_.node("GatherV2", name, {table, as_integer(in()), writer_.integer(part("axis"), 0)})
      .set("Tparams", tensorflow::DT_FLOAT)
      .set("Tindices", tensorflow::DT_INT32)
      .set("Taxis", tensorflow::DT_INT32);
  if (op.bias) {
    last("AddV2", {name, constant("bias", *op.bias, op.bias->shape)});
  } else {
    done(name);
  }
}

void TensorflowNodeExporter::write(const Gather& op) {
  const std::string name = writer_.unique(part("GatherV2"));
  const std::string axis = writer_.integer(part("axis"), canonical_axis(op.axis, rank()));
  writer_.node("GatherV2", name, {in(0), as_integer(in(1)), axis})
      .set("Tparams", tensorflow::DT_FLOAT)
      .set("Tindices", tensorflow::DT_INT32)
      .set("Taxis", tensorflow::DT_INT32);
  done(name);
}

void TensorflowNodeExporter::write(const StridedSlice& op) {
  pixels_ = in_pixels();
  const std::size_t count = in_shape().size();
  std::vector<std::int64_t> begins(count, 0), ends = in_shape(), steps(count, 1);
  std::vector<std::int64_t> to_the_end(count, 0);
  for (std::size_t i = 0; i < op.axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(canonical_axis(op.axes[i], rank()));
    const SlicedAxis part = sliced_axis(in_shape()[axis], op.begins[i], op.ends[i], op.steps[i]);
    begins[axis] = part.begin;
    steps[axis] = op.steps[i];
    ends[axis] = part.begin + part.count * op.steps[i];
    // Before the first position there is none: a negative one would count from the end.
    if (ends[axis] < 0) {
      ends[axis] = 0;
      to_the_end[axis] = 1;
    }
    if (op.steps[i] > 0) ends[axis] = std::min(ends[axis], in_shape()[axis]);
  }
  std::int64_t mask = 0;
  const std::vector<std::int64_t> own = own_order(to_the_end);
  for (std::size_t d = 0; d < count; ++d) mask |= own[d] << d;
  last("StridedSlice", {operand(), integers("begins", own_order(begins)), integers("ends", own_order(ends)),
                        integers("steps", own_order(steps))})
      .set("Index", tensorflow::DT_INT32)
      .set("begin_mask", std::int64_t{0})
      .set("end_mask", mask)
      .set("ellipsis_mask", std::int64_t{0})
      .set("new_axis_mask", std::int64_t{0})
      .set("shrink_axis_mask", std::int64_t{0});
}

void TensorflowNodeExporter::write(const Pad& op) {
  pixels_ = in_pixels();
  if (op.kind != PadKind::constant && op.kind != PadKind::reflect) cannot("a padding by the edge, or around it");
  const std::vector<std::int64_t> begins = own_order(op.begins), ends = own_order(op.ends);
  std::vector<std::int64_t> pairs;
  for (std::size_t d = 0; d < begins.size(); ++d) {
    if (begins[d] < 0 || ends[d] < 0) cannot("a padding that crops");
    pairs.insert(pairs.end(), {begins[d], ends[d]});
  }
  const std::string pads = writer_.pairs(part("paddings"), pairs);
  if (op.kind == PadKind::reflect) {
    last("MirrorPad", {operand(), pads})
        .set("Tpaddings", tensorflow::DT_INT32)
        .set("mode", std::string_view("REFLECT"));
  } else if (op.value == 0.0F) {
    last("Pad", {operand(), pads}).set("Tpaddings", tensorflow::DT_INT32);
  } else {
    last("PadV2", {operand(), pads, constant("value", op.value)}).set("Tpaddings", tensorflow::DT_INT32);
  }
}

void TensorflowNodeExporter::write(const Resize& op) {
  if (rank() != 4) cannot("resizing of anything but maps");
  if (op.kind == ResizeKind::cubic || op.antialias) cannot("this way of resizing");
  for (const std::int64_t axis : op.axes) {
    if (axis < 2) cannot("resizing over batch or channels");
  }
  const bool nearest = op.kind == ResizeKind::nearest;
  const bool corners = op.coordinates == ResizeCoordinates::align_corners;
  const bool centers = op.coordinates == ResizeCoordinates::half_pixel;
  const bool plain = op.coordinates == ResizeCoordinates::asymmetric;
  const ResizeRounding wanted = plain ? ResizeRounding::floor : ResizeRounding::prefer_ceil;
  if ((!corners && !centers && !plain) || (nearest && op.rounding != wanted)) cannot("these coordinates of resizing");
  for (std::size_t i = 0; i < op.scales.size(); ++i) {
    const auto axis = static_cast<std::size_t>(op.axes[i]);
    if (static_cast<float>(in_shape()[axis]) * op.scales[i] != static_cast<float>(out_shape()[axis])) {
      cannot("a scale that is no ratio of sizes");
    }
  }
  pixels_ = true;
  last(nearest ? "ResizeNearestNeighbor" : "ResizeBilinear",
       {pixels(), integers("size", {out_shape()[2], out_shape()[3]})})
      .set("align_corners", corners)
      .set("half_pixel_centers", centers);
}

}  // namespace octavo::graph
