// SPDX-License-Identifier: Apache-2.0
// Ops that move numbers as modules of nn.
#include <algorithm>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/export/torch_exporter.h"

namespace octavo::graph {

void TorchStepExporter::add_reshape(const Shape& from, const Shape& to) {
  if (from == to) return;
  const bool keeps = from.size() > 1 && to.size() > 1 && from[0] == to[0];
  Shape sizes = to;
  if (keeps) sizes.erase(sizes.begin());
  const std::int64_t count = element_count(sizes);
  Shape whole = sizes;
  whole.insert(whole.begin(), 1);  // the batch's size is put there when it is known
  add("Reshape", {{"size", out_.document().longs(sizes)},
                  {"batchsize", out_.document().longs(whole)},
                  {"nelement", static_cast<double>(count)},
                  {"batchMode", keeps}});
}

/// As exchanges of two dimensions.
void TorchStepExporter::add_permute(const std::vector<std::int64_t>& order) {
  TorchDocument& document = out_.document();
  const Ref swaps = document.table();
  std::vector<std::int64_t> at(order.size());
  for (std::size_t d = 0; d < at.size(); ++d) at[d] = static_cast<std::int64_t>(d);
  bool any = false;
  for (std::size_t d = 0; d < order.size(); ++d) {
    const auto where = static_cast<std::size_t>(std::find(at.begin(), at.end(), order[d]) - at.begin());
    if (where == d) continue;
    std::swap(at[d], at[where]);
    const Ref pair = document.table();
    document.append(pair, static_cast<double>(d + 1));
    document.append(pair, static_cast<double>(where + 1));
    document.append(swaps, pair);
    any = true;
  }
  if (any) add("Transpose", {{"permutations", swaps}});
}

void TorchStepExporter::add_narrow(std::int64_t axis, std::int64_t begin, std::int64_t count) {
  add("Narrow", {{"dimension", static_cast<double>(axis + 1)},
                 {"index", static_cast<double>(begin + 1)},
                 {"length", static_cast<double>(count)}});
}

void TorchStepExporter::add_image_padding(std::string_view type, const Pair& begin, const Pair& end) {
  add(type, {{"pad_l", static_cast<double>(begin[1])},
             {"pad_r", static_cast<double>(end[1])},
             {"pad_t", static_cast<double>(begin[0])},
             {"pad_b", static_cast<double>(end[0])}});
}

void TorchStepExporter::add_padding(std::int64_t axis, std::int64_t count, bool behind, double value) {
  if (count == 0) return;
  add("Padding", {{"dim", static_cast<double>(axis + 1)},
                  {"pad", static_cast<double>(behind ? count : -count)},
                  {"index", 1.0},
                  {"value", value}});
}

/// Aligned at their ends. Dimensions of 1 go, and come back repeated.
void TorchStepExporter::add_expansion(const Shape& from, const Shape& to) {
  if (from == to) return;
  Shape aligned(to.size(), 1);
  std::copy(from.begin(), from.end(), aligned.end() - static_cast<std::ptrdiff_t>(from.size()));
  Shape rest;
  for (std::size_t d = 0; d < to.size(); ++d) {
    if (aligned[d] == to[d]) rest.push_back(to[d]);
  }
  const bool none = rest.empty();
  if (none) rest.push_back(1);
  add_reshape(from, rest);
  for (std::size_t d = 0; d < to.size(); ++d) {
    if (aligned[d] == to[d]) continue;
    add("Replicate", {{"nfeatures", static_cast<double>(to[d])}, {"dim", static_cast<double>(d + 1)}});
  }
  if (none) {
    Shape longer = to;
    longer.push_back(1);
    add_reshape(longer, to);
  }
}

void TorchStepExporter::write(const Concat& op) {
  if (step_.inputs.size() != node_.inputs.size()) cannot("constants joined to a value");
  if (step_.inputs.size() > 1)
    add("JoinTable", {{"dimension", static_cast<double>(canonical_axis(op.axis, rank()) + 1)}});
}

void TorchStepExporter::write(const Slice& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  const auto at = static_cast<std::size_t>(axis);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < step_.part; ++i) begin += graph_.values[node_.outputs[i]].shape[at];
  add_narrow(axis, begin, out_shape()[at]);
}

void TorchStepExporter::write(const Flatten&) { add_reshape(in_shape(), out_shape()); }

/// A first dimension that the others decide stays open.
void TorchStepExporter::write(const Reshape& op) {
  const bool whole = op.axis == 0 && op.num_axes == -1 && op.dims.size() > 1 && op.dims[0] == -1 &&
                     std::count(op.dims.begin(), op.dims.end(), 0) == 0;
  if (!whole) {
    add_reshape(in_shape(), out_shape());
    return;
  }
  std::int64_t known = 1;
  for (std::size_t i = 1; i < op.dims.size(); ++i) known *= op.dims[i];
  add("View", {{"size", out_.document().longs(op.dims)}, {"numElements", static_cast<double>(known)}});
}

void TorchStepExporter::write(const Permute& op) { add_permute(complete_order(op.order, rank())); }

void TorchStepExporter::write(const Crop& op) {
  const std::int64_t first = canonical_axis(op.axis, rank());
  for (std::int64_t axis = first; axis < rank(); ++axis) {
    const auto which = static_cast<std::size_t>(op.offsets.size() == 1 ? 0 : axis - first);
    const std::int64_t offset = op.offsets.empty() ? 0 : op.offsets[which];
    const std::int64_t size = out_shape()[static_cast<std::size_t>(axis)];
    if (size != in_shape()[static_cast<std::size_t>(axis)]) add_narrow(axis, offset, size);
  }
}

/// A new dimension before the one that is repeated, taken into it.
void TorchStepExporter::write(const Tile& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  if (op.tiles == 1) return;
  Shape longer = in_shape();
  longer.insert(longer.begin() + axis, op.tiles);
  add("Replicate", {{"nfeatures", static_cast<double>(op.tiles)}, {"dim", static_cast<double>(axis + 1)}});
  add_reshape(longer, out_shape());
}

void TorchStepExporter::write(const Embed& op) {
  if (step_.form != TorchStep::Form::lookup) add_shift(1.0);  // Lua counts from 1
  add("LookupTable", {{"weight", out_.tensor(op.weights->shape, *op.weights)}});
  if (op.bias) add_scale("CAdd", *op.bias, rank(), in_shape().size() + 1);
}

void TorchStepExporter::write(const Identity&) { add("Identity"); }

void TorchStepExporter::write(const StridedSlice& op) {
  for (std::size_t i = 0; i < op.axes.size(); ++i) {
    const std::int64_t axis = canonical_axis(op.axes[i], rank());
    const SlicedAxis part =
        sliced_axis(in_shape()[static_cast<std::size_t>(axis)], op.begins[i], op.ends[i], op.steps[i]);
    if (op.steps[i] != 1 && part.count > 1) cannot("a slice with a step");
    add_narrow(axis, part.begin, part.count);
  }
}

void TorchStepExporter::write(const Pad& op) {
  const auto outside = [&](const std::vector<std::int64_t>& list) {
    return rank() == 4 && list[0] == 0 && list[1] == 0;
  };
  const bool image = outside(op.begins) && outside(op.ends);
  const bool copies = op.kind == PadKind::edge || op.kind == PadKind::reflect;
  if (copies && !image) cannot("padding by copies outside height and width");
  if (image && (copies || (op.kind == PadKind::constant && op.value == 0.0F))) {
    add_image_padding(op.kind == PadKind::edge      ? "SpatialReplicationPadding"
                      : op.kind == PadKind::reflect ? "SpatialReflectionPadding"
                                                    : "SpatialZeroPadding",
                      {op.begins[2], op.begins[3]}, {op.ends[2], op.ends[3]});
    return;
  }
  if (op.kind != PadKind::constant) cannot("padding from the other side");
  for (std::int64_t axis = 0; axis < rank(); ++axis) {
    const auto at = static_cast<std::size_t>(axis);
    const std::int64_t begin = op.begins[at], end = op.ends[at];
    const std::int64_t left_out = std::max<std::int64_t>(-begin, 0), cut = left_out + std::max<std::int64_t>(-end, 0);
    if (cut > 0) add_narrow(axis, left_out, in_shape()[at] - cut);
    add_padding(axis, std::max<std::int64_t>(begin, 0), false, op.value);
    add_padding(axis, std::max<std::int64_t>(end, 0), true, op.value);
  }
}

void TorchStepExporter::write(const Resize& op) {
  const Shape &x = in_shape(), &y = out_shape();
  const bool image = rank() == 4 && x[0] == y[0] && x[1] == y[1] && op.axes == std::vector<std::int64_t>{2, 3};
  const bool whole = image && y[2] % x[2] == 0 && y[3] % x[3] == 0 && y[2] / x[2] == y[3] / x[3];
  if (op.kind == ResizeKind::nearest && whole && op.coordinates == ResizeCoordinates::asymmetric &&
      op.rounding == ResizeRounding::floor) {
    add("SpatialUpSamplingNearest", {{"scale_factor", static_cast<double>(y[2] / x[2])}});
  } else if (op.kind == ResizeKind::linear && image && op.coordinates == ResizeCoordinates::align_corners &&
             !op.antialias) {
    if (whole && !op.scales.empty()) {
      add("SpatialUpSamplingBilinear", {{"scale_factor", static_cast<double>(y[2] / x[2])}});
    } else {
      add("SpatialUpSamplingBilinear", {{"oheight", static_cast<double>(y[2])}, {"owidth", static_cast<double>(y[3])}});
    }
  } else {
    cannot("this resizing");
  }
}

}  // namespace octavo::graph
