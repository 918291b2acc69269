// SPDX-License-Identifier: Apache-2.0
// TensorFlow's slices, with all their masks, and its paddings.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "graph/check.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {
namespace {

/// A slice as the graph has it, and the shape that its result is given afterwards.
struct MaskedSlice {
  StridedSlice op;
  Shape shape;
  bool reshapes = false;  ///< drops or adds dimensions
};

/// The masks of StridedSlice: which positions of the lists are read otherwise than as a begin, an end and a step.
struct SliceMasks {
  std::int64_t begin = 0, end = 0, ellipsis = 0, added = 0, dropped = 0;
  [[nodiscard]] static bool has(std::int64_t mask, std::size_t i) { return i < 63 && ((mask >> i) & 1) != 0; }
};

MaskedSlice masked_slice(TensorflowNode& node, const SliceMasks& masks) {
  const std::vector<std::int64_t> begins = node.integers(1, "begins"), ends = node.integers(2, "ends"),
                                  steps = node.integers(3, "steps");
  const std::size_t count = begins.size();
  require(ends.size() == count && steps.size() == count && count <= 63, "{} begins, {} ends and {} steps", count,
          ends.size(), steps.size());
  const Shape& x = node.shape();
  std::size_t named = 0;  // dimensions of x that the lists name one by one
  bool ellipsis = false;
  for (std::size_t i = 0; i < count; ++i) {
    if (SliceMasks::has(masks.ellipsis, i)) {
      require(!ellipsis, "two ellipses");
      ellipsis = true;
    } else if (!SliceMasks::has(masks.added, i)) {
      ++named;
    }
  }
  require(named <= x.size(), "{} positions for {}", named, to_text(x));
  MaskedSlice slice;
  std::size_t d = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (SliceMasks::has(masks.ellipsis, i)) {
      for (std::size_t skipped = x.size() - named; skipped > 0; --skipped) slice.shape.push_back(x[d++]);
      continue;
    }
    if (SliceMasks::has(masks.added, i)) {
      slice.shape.push_back(1);
      slice.reshapes = true;
      continue;
    }
    const std::int64_t size = x[d];
    std::int64_t begin = begins[i], end = ends[i], step = steps[i];
    require(step != 0 && step > -(std::int64_t{1} << 31) && step < (std::int64_t{1} << 31), "a step of {}", step);
    if (SliceMasks::has(masks.dropped, i)) {
      require(begin >= -size && begin < size, "position {} of an axis of {}", begin, size);
      begin = begin < 0 ? begin + size : begin;
      end = begin + 1;
      step = 1;
      slice.reshapes = true;
    } else {
      if (SliceMasks::has(masks.begin, i)) begin = step > 0 ? 0 : size - 1;
      if (SliceMasks::has(masks.end, i)) end = step > 0 ? size : -size - 1;
      slice.shape.push_back(sliced_axis(size, begin, end, step).count);
    }
    slice.op.axes.push_back(static_cast<std::int64_t>(d++));
    slice.op.begins.push_back(begin);
    slice.op.ends.push_back(end);
    slice.op.steps.push_back(step);
  }
  slice.shape.insert(slice.shape.end(), x.begin() + static_cast<std::ptrdiff_t>(d), x.end());
  if (slice.shape.size() > kMaxTensorflowRank) TensorflowNode::unsupported("a value of more than 8 dimensions");
  return slice;
}

StridedSlice of_image(StridedSlice op) {
  for (std::int64_t& axis : op.axes) axis = image_axis(axis);
  return op;
}

void finish_slice(TensorflowNode& node, StridedSlice op) {
  if (node.is_image()) {
    node.result_image(node.slice(node.image(), of_image(std::move(op))));
  } else {
    node.result(node.slice(node.in(), std::move(op)));
  }
}

/// How much is added before and behind each axis.
struct AxisPads {
  std::vector<std::int64_t> begins, ends;
};

AxisPads axis_pads(TensorflowNode& node) {
  const std::vector<std::int64_t> pairs = node.integers(1, "paddings");
  require(static_cast<std::int64_t>(pairs.size()) == 2 * node.rank(), "{} paddings for {}", pairs.size(),
          to_text(node.shape()));
  AxisPads pads;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    require(pairs[i] >= 0 && pairs[i] < (std::int64_t{1} << 40), "a padding of {}", pairs[i]);
    (i % 2 == 0 ? pads.begins : pads.ends).push_back(pairs[i]);
  }
  return pads;
}

/// The axis from one end to the other, backwards: `count` numbers, the first at `from`.
StridedSlice backwards(std::int64_t axis, std::int64_t from, std::int64_t count, std::int64_t size) {
  const std::int64_t end = from - count;
  return {.axes = {axis}, .begins = {from}, .ends = {end < 0 ? -size - 1 : end}, .steps = {-1}};
}

/// Mirrored with the outermost number twice.
ImportedValue symmetric(TensorflowNode& node, ImportedValue x, const AxisPads& pads) {
  for (std::size_t d = 0; d < pads.begins.size(); ++d) {
    const std::int64_t size = x.shape[d];
    const auto axis = static_cast<std::int64_t>(d);
    require(pads.begins[d] <= size && pads.ends[d] <= size, "an axis of {} is mirrored by {} and {}", size,
            pads.begins[d], pads.ends[d]);
    std::vector<ImportedValue> parts;
    if (pads.begins[d] > 0) parts.push_back(node.slice(x, backwards(axis, pads.begins[d] - 1, pads.begins[d], size)));
    parts.push_back(x);
    if (pads.ends[d] > 0) parts.push_back(node.slice(x, backwards(axis, size - 1, pads.ends[d], size)));
    if (parts.size() > 1) x = node.concat(parts, axis);
  }
  return x;
}

}  // namespace

void convert_tensorflow_strided_slice(TensorflowNode& node) {
  const TensorflowAttributes& attributes = node.attributes();
  const SliceMasks masks{attributes.integer("begin_mask", 0), attributes.integer("end_mask", 0),
                         attributes.integer("ellipsis_mask", 0), attributes.integer("new_axis_mask", 0),
                         attributes.integer("shrink_axis_mask", 0)};
  MaskedSlice slice = masked_slice(node, masks);
  if (!slice.reshapes) {
    finish_slice(node, std::move(slice.op));
    return;
  }
  const ImportedValue y = node.slice(node.in(), std::move(slice.op));
  node.result(node.reshape(y, slice.shape));
}

void convert_tensorflow_slice(TensorflowNode& node) {
  const std::vector<std::int64_t> begins = node.integers(1, "begins"), sizes = node.integers(2, "sizes");
  const std::size_t rank = node.shape().size();
  require(begins.size() == rank && sizes.size() == rank, "{} begins and {} sizes for {}", begins.size(), sizes.size(),
          to_text(node.shape()));
  StridedSlice op;
  for (std::size_t d = 0; d < rank; ++d) {
    const std::int64_t size = node.shape()[d];
    const std::int64_t end = sizes[d] == -1 ? size : checked_sum(begins[d], sizes[d]);
    require(begins[d] >= 0 && begins[d] <= end && end <= size, "{} numbers from {} on of an axis of {}", sizes[d],
            begins[d], size);
    op.axes.push_back(static_cast<std::int64_t>(d));
    op.begins.push_back(begins[d]);
    op.ends.push_back(end);
    op.steps.push_back(1);
  }
  finish_slice(node, std::move(op));
}

void convert_tensorflow_reverse(TensorflowNode& node) {
  StridedSlice op;
  for (const std::int64_t axis : canonical_axes(node.integers(1, "axes"), node.rank())) {
    op.axes.push_back(axis);
    op.begins.push_back(-1);
    op.ends.push_back(-node.shape()[static_cast<std::size_t>(axis)] - 1);
    op.steps.push_back(-1);
  }
  finish_slice(node, std::move(op));
}

void convert_tensorflow_pad(TensorflowNode& node) {
  AxisPads pads = axis_pads(node);
  const auto none = [](const std::vector<std::int64_t>& list) {
    return std::all_of(list.begin(), list.end(), [](std::int64_t pad) { return pad == 0; });
  };
  if (none(pads.begins) && none(pads.ends)) {
    node.outputs({node.value()});
    return;
  }
  // Rows and columns are padded of a map, whatever made it.
  const bool known = node.value().plain && node.value().plain->is_constant();
  const bool map = node.rank() == 4 && !known && pads.begins[0] == 0 && pads.ends[0] == 0 && pads.begins[3] == 0 &&
                   pads.ends[3] == 0;
  const bool image = node.is_image() || map;
  if (image) pads = {image_shape(pads.begins), image_shape(pads.ends)};
  const ImportedValue x = image ? node.image() : node.in();
  const std::string mode = node.type() == "MirrorPad" ? node.attributes().text("mode", "REFLECT") : "CONSTANT";
  ImportedValue y;
  if (mode == "SYMMETRIC") {
    y = symmetric(node, x, pads);
  } else {
    if (mode != "REFLECT" && mode != "CONSTANT") TensorflowNode::malformed(fmt::format("its mode is '{}'", mode));
    Pad op;
    op.kind = mode == "REFLECT" ? PadKind::reflect : PadKind::constant;
    op.begins = std::move(pads.begins);
    op.ends = std::move(pads.ends);
    if (node.type() == "PadV2") op.value = node.scalar(2, "value");
    y = node.add(std::move(op), {x});
  }
  image ? node.result_image(std::move(y)) : node.result(std::move(y));
}

}  // namespace octavo::graph
