// SPDX-License-Identifier: Apache-2.0
// Ops that move numbers as BigDL modules. Dimensions count from 1 there.
#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/export/bigdl_exporter.h"

namespace octavo::graph {
namespace {

/// Whether a dimension is one of pixels that are each repeated as often as the others.
bool repeats(const Resize& op, std::int64_t in, std::int64_t out) {
  return op.kind == ResizeKind::nearest && op.coordinates == ResizeCoordinates::asymmetric &&
         op.rounding == ResizeRounding::floor && out % in == 0;
}

}  // namespace

std::string BigdlNodeExporter::reshaped(const std::string& source, const Shape& from, const Shape& to) {
  if (from == to) return source;
  std::string name;
  if (to.size() > 1 && to[0] == from[0]) {
    step("Reshape", {source}, name).integers("size", Shape(to.begin() + 1, to.end())).set("batchMode", std::int64_t{2});
  } else {
    Shape open = to;
    open[0] = -1;
    step("InferReshape", {source}, name).integers("size", open).flag("batchMode", false);
  }
  return name;
}

std::string BigdlNodeExporter::narrowed(const std::string& source, std::int64_t axis, std::int64_t begin,
                                        std::int64_t length) {
  std::string name;
  step("Narrow", {source}, name).set("dimension", axis + 1).set("offset", begin + 1).set("length", length);
  return name;
}

/// Sizes of one picture where the batch is kept and no other is open; else BigDL's InferReshape, which needs one open
/// size; else, where nothing is open, the sizes of all.
void BigdlNodeExporter::write(const Reshape& op) {
  const bool whole = op.axis == 0 && op.num_axes == -1 && !op.dims.empty();
  Shape dims = whole ? Shape(op.dims) : out_shape();
  if (!whole && dims.size() > 1 && dims[0] == in_shape()[0]) dims[0] = 0;
  const bool open = std::ranges::find(dims, -1) != dims.end();
  const bool positive = std::all_of(dims.begin() + 1, dims.end(), [](std::int64_t dim) { return dim > 0; });
  if (!open && positive && dims[0] == 0 && dims.size() > 1) {
    layer("Reshape", {in()}).integers("size", Shape(dims.begin() + 1, dims.end())).set("batchMode", std::int64_t{2});
  } else if (open) {
    layer("InferReshape", {in()}).integers("size", dims).flag("batchMode", false);
  } else {
    layer("Reshape", {in()}).integers("size", out_shape()).set("batchMode", std::int64_t{1});
  }
  made();
}

void BigdlNodeExporter::write(const Flatten&) {
  Shape dims = out_shape();
  if (dims.size() > 1 && dims[0] == in_shape()[0]) {
    layer("Reshape", {in()}).integers("size", Shape(dims.begin() + 1, dims.end())).set("batchMode", std::int64_t{2});
  } else {
    dims[0] = -1;
    layer("InferReshape", {in()}).integers("size", dims).flag("batchMode", false);
  }
  made();
}

/// As pairs of dimensions that change places, one after the other.
void BigdlNodeExporter::write(const Permute& op) {
  const std::vector<std::int64_t> wanted = complete_order(op.order, rank());
  std::vector<std::int64_t> now(wanted.size());
  std::iota(now.begin(), now.end(), 0);
  std::vector<std::vector<std::int64_t>> pairs;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto from = static_cast<std::size_t>(std::ranges::find(now, wanted[i]) - now.begin());
    if (from == i) continue;
    std::swap(now[i], now[from]);
    pairs.push_back({static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(from) + 1});
  }
  BigdlModuleWriter module = layer("Transpose", {in()});
  module.set("size", static_cast<std::int64_t>(pairs.size()));
  for (std::size_t i = 0; i < pairs.size(); ++i) module.integers(fmt::format("permutation_{}", i), pairs[i]);
  made();
}

void BigdlNodeExporter::write(const Concat& op) {
  std::vector<std::string> sources;
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) sources.push_back(in(i));
  layer("JoinTable", sources).set("dimension", canonical_axis(op.axis, rank()) + 1).set("nInputDims", std::int64_t{0});
  made();
}

/// Each part is a module of its own.
void BigdlNodeExporter::write(const Slice& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
    const std::int64_t length = out_shape(i)[static_cast<std::size_t>(axis)];
    made(narrowed(in(), axis, begin, length), i);
    begin += length;
  }
}

void BigdlNodeExporter::write(const Crop& op) {
  const std::int64_t first = canonical_axis(op.axis, rank());
  std::string source = in();
  for (std::int64_t axis = first; axis < rank(); ++axis) {
    const auto which = static_cast<std::size_t>(op.offsets.size() == 1 ? 0 : axis - first);
    const std::int64_t offset = op.offsets.empty() ? 0 : op.offsets[which];
    const std::int64_t length = out_shape()[static_cast<std::size_t>(axis)];
    if (length != in_shape()[static_cast<std::size_t>(axis)]) source = narrowed(source, axis, offset, length);
  }
  layer("Identity", {source});
  made();
}

void BigdlNodeExporter::write(const StridedSlice& op) {
  std::string source = in();
  for (std::size_t i = 0; i < op.axes.size(); ++i) {
    const std::int64_t axis = canonical_axis(op.axes[i], rank());
    const std::int64_t size = in_shape()[static_cast<std::size_t>(axis)];
    const SlicedAxis part = sliced_axis(size, op.begins[i], op.ends[i], op.steps[i]);
    if (op.steps[i] == 1 && part.count == size) continue;
    if (op.steps[i] == 1) {
      source = narrowed(source, axis, part.begin, part.count);
    } else if (op.steps[i] == -1 && part.count == size) {
      std::string name;
      step("Reverse", {source}, name).set("dim", axis + 1).flag("isInplace", false);
      source = name;
    } else {
      cannot(fmt::format("every {}th of the numbers along a dimension", op.steps[i]));
    }
  }
  made(source);
}

void BigdlNodeExporter::write(const Tile& op) {
  layer("Tile", {in()}).set("dim", canonical_axis(op.axis, rank()) + 1).set("copies", op.tiles);
  made();
}

/// Indices count from 1 in BigDL.
void BigdlNodeExporter::write(const Embed& op) {
  if (rank() > 2) cannot(fmt::format("a table looked up by indices of {} dimensions", rank()));
  std::string indices;
  step("AddConstant", {in()}, indices).set("constant_scalar", 1.0).flag("inplace", false);
  const Shape& table = op.weights->shape;
  layer("LookupTable", {indices})
      .set("nIndex", table[0])
      .set("nOutput", table[1])
      .set("paddingValue", 0.0)
      .set("maxNorm", std::numeric_limits<double>::max())
      .set("normType", 2.0)
      .flag("shouldScaleGradByFreq", false)
      .no_regularizers({"wRegularizer"})
      .flag("maskZero", false)
      .parameter(table, to_float(*op.weights));
  if (!op.bias) {
    made();
    return;
  }
  std::string sum;
  step("CAdd", {node_.name}, sum)
      .integers("size", {table[1]})
      .no_regularizers({"bRegularizer"})
      .parameter({table[1]}, to_float(*op.bias));
  made(sum);
}

/// Zeros around a picture, or one side after the other.
void BigdlNodeExporter::write(const Pad& op) {
  if (op.kind != PadKind::constant) cannot("padding by anything but one number");
  const bool picture =
      rank() == 4 && op.value == 0.0F && op.begins[0] == 0 && op.begins[1] == 0 && op.ends[0] == 0 && op.ends[1] == 0;
  if (picture) {
    layer("SpatialZeroPadding", {in()})
        .set("padLeft", op.begins[3])
        .set("padRight", op.ends[3])
        .set("padTop", op.begins[2])
        .set("padBottom", op.ends[2]);
    made();
    return;
  }
  std::string source = in();
  const auto side = [&](std::int64_t axis, std::int64_t pad) {
    std::string name;
    step("Padding", {source}, name)
        .set("dim", axis + 1)
        .set("pad", pad)
        .set("nInputDim", rank())
        .set("value", static_cast<double>(op.value))
        .set("nIndex", std::int64_t{1});
    source = name;
  };
  for (std::int64_t axis = 0; axis < rank(); ++axis) {
    const auto i = static_cast<std::size_t>(axis);
    if (op.begins[i] < 0 || op.ends[i] < 0) {
      const std::int64_t begin = std::max<std::int64_t>(-op.begins[i], 0);
      source = narrowed(source, axis, begin, in_shape()[i] - begin - std::max<std::int64_t>(-op.ends[i], 0));
    }
    if (op.begins[i] > 0) side(axis, -op.begins[i]);
    if (op.ends[i] > 0) side(axis, op.ends[i]);
  }
  made(source);
}

/// Pictures, repeated or interpolated.
void BigdlNodeExporter::write(const Resize& op) {
  const bool last = op.axes == std::vector<std::int64_t>{1, 2};
  const std::size_t h = last ? 1 : 2, w = h + 1;
  if (op.axes == std::vector<std::int64_t>{1} && rank() == 3 && repeats(op, in_shape()[1], out_shape()[1])) {
    layer("UpSampling1D", {in()}).set("length", out_shape()[1] / in_shape()[1]);
    made();
    return;
  }
  if (rank() != 4 || (!last && op.axes != std::vector<std::int64_t>{2, 3}) || op.antialias)
    cannot("a resize of anything but the height and width of pictures");
  if (op.kind == ResizeKind::nearest) {
    if (!repeats(op, in_shape()[h], out_shape()[h]) || !repeats(op, in_shape()[w], out_shape()[w])) {
      cannot("a resize by nearest pixels that does not repeat each alike");
    }
    layer("UpSampling2D", {in()})
        .integers("size", {out_shape()[h] / in_shape()[h], out_shape()[w] / in_shape()[w]})
        .layout("format", last);
    made();
    return;
  }
  const bool ends_meet = op.coordinates == ResizeCoordinates::align_corners;
  if (op.kind != ResizeKind::linear || (!ends_meet && op.coordinates != ResizeCoordinates::asymmetric)) {
    cannot("a resize of that kind");
  }
  layer("ResizeBilinear", {in()})
      .set("outputHeight", out_shape()[h])
      .set("outputWidth", out_shape()[w])
      .flag("alignCorners", ends_meet)
      .layout("dataFormat", last);
  made();
}

}  // namespace octavo::graph
