// SPDX-License-Identifier: Apache-2.0
// TensorFlow's operators that move numbers and change none: reshape, transpose, join, cut, gather, repeat.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "graph/check.h"
#include "graph/import/node_places.h"
#include "graph/import/open_extent.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {
namespace {

const std::vector<std::int64_t> kFirstToLast{0, 2, 3, 1}, kLastToFirst{0, 3, 1, 2};

Shape without_axis(Shape shape, std::int64_t axis) {
  shape.erase(shape.begin() + axis);
  return shape;
}

/// Parts of an axis of these sizes, each a value.
std::vector<ImportedValue> split_axis(TensorflowNode& node, const ImportedValue& x, std::int64_t axis,
                                      const std::vector<std::int64_t>& sizes) {
  std::vector<ImportedValue> parts;
  std::vector<std::int64_t> points;
  std::int64_t end = 0;
  const bool known = x.is_constant();
  for (const std::int64_t size : sizes) {
    require(size >= 0, "a part of {}", size);
    if (size == 0 && !known) TensorflowNode::unsupported("a part without numbers");
    if (known) {
      parts.push_back(node.slice(x, {.axes = {axis}, .begins = {end}, .ends = {end + size}, .steps = {1}}));
    }
    end = checked_sum(end, size);
    points.push_back(end);
  }
  require(end == x.shape[static_cast<std::size_t>(axis)], "parts of {} in all for {}", end, to_text(x.shape));
  if (known) return parts;
  if (sizes.size() == 1) return {x};
  points.pop_back();
  return node.add_many(Slice{.axis = axis, .points = std::move(points)}, {x}, sizes.size());
}

void check_parts(std::int64_t parts) {
  require(parts > 0 && parts <= static_cast<std::int64_t>(kMaxTensorflowOutputs), "{} parts", parts);
}

void finish_split(TensorflowNode& node, std::size_t input, std::int64_t axis, const std::vector<std::int64_t>& sizes) {
  check_parts(static_cast<std::int64_t>(sizes.size()));
  const bool image = node.is_image(input);
  std::vector<TensorflowValue> values;
  if (image) {
    for (ImportedValue& part : split_axis(node, node.image(input), image_axis(axis), sizes)) {
      values.push_back(tensorflow_image(std::move(part)));
    }
  } else {
    for (ImportedValue& part : split_axis(node, node.in(input), axis, sizes)) {
      values.push_back(tensorflow_value(std::move(part)));
    }
  }
  node.outputs(std::move(values));
}

void join(TensorflowNode& node, std::size_t first, std::size_t count, std::int64_t axis) {
  if (count == 0) TensorflowNode::malformed("it joins nothing");
  const std::int64_t along = TensorflowNode::axis(axis, std::max<std::int64_t>(node.rank(first), 1));
  bool images = false, maps = true;
  for (std::size_t i = first; i < first + count; ++i) {
    images = images || node.is_image(i);
    maps = maps && node.rank(i) == 4;
  }
  std::vector<ImportedValue> parts;
  for (std::size_t i = first; i < first + count; ++i) parts.push_back(images && maps ? node.image(i) : node.in(i));
  if (images && maps) {
    node.result_image(node.concat(parts, image_axis(along)));
  } else {
    node.result(node.concat(parts, along));
  }
}

}  // namespace

void convert_tensorflow_reshape(TensorflowNode& node) {
  FittedShape fitted = fitted_shape(node.shape(), node.integers(1, "shape"), true);
  // What is inferred to be the batch is the batch.
  const bool batch = fitted.dims.size() > 1 && fitted.dims[0] == -1 && node.rank() > 0;
  if (batch && fitted.shape[0] == node.shape()[0]) fitted.dims[0] = fitted.shape[0];
  TensorflowValue value = tensorflow_value(node.reshape(node.in_order(), fitted.shape, fitted.dims));
  const Shape& x = node.shape();
  const bool flattens = x.size() == 4 && fitted.shape.size() == 2 && fitted.shape[0] == x[0];
  if (flattens && node.is_image()) value.unflat = node.image();
  node.outputs({std::move(value)});
}

void convert_tensorflow_squeeze(TensorflowNode& node) {
  std::vector<std::int64_t> named = node.attributes().integers("squeeze_dims");
  if (named.empty()) named = node.attributes().integers("axis");
  const std::vector<std::int64_t> axes = canonical_axes(named, node.rank());
  Shape shape;
  for (std::int64_t d = 0; d < node.rank(); ++d) {
    const std::int64_t size = node.shape()[static_cast<std::size_t>(d)];
    const bool drop = axes.empty() ? size == 1 : std::find(axes.begin(), axes.end(), d) != axes.end();
    require(!drop || size == 1, "dimension {} of {} is not 1", d, to_text(node.shape()));
    if (!drop) shape.push_back(size);
  }
  node.result(node.reshape(node.in_order(), shape));
}

void convert_tensorflow_expand_dims(TensorflowNode& node) {
  Shape shape = node.shape();
  if (node.rank() == static_cast<std::int64_t>(kMaxTensorflowRank)) {
    TensorflowNode::unsupported("a value of more than 8 dimensions");
  }
  shape.insert(shape.begin() + TensorflowNode::axis(node.integer(1, "axis"), node.rank() + 1), 1);
  node.result(node.reshape(node.in(), shape));
}

void convert_tensorflow_transpose(TensorflowNode& node) {
  const std::vector<std::int64_t> order = node.integers(1, "permutation");
  if (static_cast<std::int64_t>(order.size()) != node.rank()) {
    TensorflowNode::malformed("its permutation does not name every axis");
  }
  const std::vector<std::int64_t> axes = canonical_axes(order, node.rank());
  if (axes == kLastToFirst && node.is_image()) {
    node.result(node.image());
  } else if (axes == kFirstToLast && !node.in().is_constant()) {
    node.result_image(node.in());
  } else {
    node.result(node.permute(node.in(), axes));
  }
}

void convert_tensorflow_concat(TensorflowNode& node) {
  if (node.input_count() < 2) TensorflowNode::malformed("it joins nothing");
  const std::size_t count = node.input_count() - 1;
  if (node.type() == "Concat") {  // the axis comes first
    join(node, 1, count, node.integer(0, "axis"));
  } else {
    join(node, 0, count, node.integer(count, "axis"));
  }
}

void convert_tensorflow_pack(TensorflowNode& node) {
  const std::int64_t axis = TensorflowNode::axis(node.attributes().integer("axis", 0), node.rank() + 1);
  std::vector<ImportedValue> parts;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    require(node.shape(i) == node.shape(0), "{} and {} are not of one shape", to_text(node.shape(0)),
            to_text(node.shape(i)));
    Shape shape = node.shape(i);
    if (node.type() != "ParallelConcat") shape.insert(shape.begin() + axis, 1);
    parts.push_back(node.reshape(node.in(i), shape));
  }
  node.result(node.concat(parts, axis));
}

void convert_tensorflow_unpack(TensorflowNode& node) {
  if (node.rank() == 0) TensorflowNode::malformed("its input is a scalar");
  const std::int64_t axis = TensorflowNode::axis(node.attributes().integer("axis", 0), node.rank());
  const std::int64_t count = node.shape()[static_cast<std::size_t>(axis)];
  check_parts(count);
  const std::vector<std::int64_t> ones(static_cast<std::size_t>(count), 1);
  std::vector<TensorflowValue> values;
  for (const ImportedValue& part : split_axis(node, node.in(), axis, ones)) {
    values.push_back(tensorflow_value(node.reshape(part, without_axis(node.shape(), axis))));
  }
  node.outputs(std::move(values));
}

void convert_tensorflow_split(TensorflowNode& node) {
  const bool by_sizes = node.type() == "SplitV";
  const std::size_t input = by_sizes ? 0 : 1;
  if (node.rank(input) == 0) TensorflowNode::malformed("its input is a scalar");
  const std::int64_t axis = TensorflowNode::axis(node.integer(by_sizes ? 2 : 0, "axis"), node.rank(input));
  const std::int64_t size = node.shape(input)[static_cast<std::size_t>(axis)];
  std::vector<std::int64_t> sizes;
  if (by_sizes) {
    sizes = node.integers(1, "sizes");
    std::int64_t known = 0, *open = nullptr;
    for (std::int64_t& part : sizes) {
      if (part == -1) {
        open = &part;
      } else {
        known = checked_sum(known, part);
      }
    }
    if (open != nullptr) *open = size - known;
  } else {
    const std::int64_t parts = node.attributes().integer("num_split", 1);
    check_parts(parts);
    require(size % parts == 0, "an axis of {} in {} equal parts", size, parts);
    sizes.assign(static_cast<std::size_t>(parts), size / parts);
  }
  finish_split(node, input, axis, sizes);
}

void convert_tensorflow_gather(TensorflowNode& node) {
  if (node.rank() == 0) TensorflowNode::malformed("a scalar has no axis");
  if (node.attributes().integer("batch_dims", 0) != 0) TensorflowNode::unsupported("gathering in batches");
  const std::int64_t axis = node.type() == "GatherV2" ? TensorflowNode::axis(node.integer(2, "axis"), node.rank()) : 0;
  node.result(node.gather(node.in(0), node.in(1), axis));
}

void convert_tensorflow_gather_nd(TensorflowNode& node) { node.result(add_gather_nd(node, node.in(0), node.in(1), 0)); }

/// Where a value is not 0: coordinates, one row each, in their order.
void convert_tensorflow_where(TensorflowNode& node) {
  const ImportedValue x = node.in();
  const std::int64_t rank = node.rank();
  if (rank == 0) TensorflowNode::malformed("its input is a scalar");
  if (x.is_constant()) {
    const Shape steps = steps_between(x.shape);
    node.budget().take(checked_product(x.constant->count(), rank));
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < x.constant->count(); ++i) {
      if (x.constant->real(static_cast<std::size_t>(i)) == 0) continue;
      for (std::size_t d = 0; d < steps.size(); ++d) rows.push_back(i / steps[d] % x.shape[d]);
    }
    const auto count = static_cast<std::int64_t>(rows.size()) / rank;
    node.result(whole_numbers({count, rank}, std::move(rows)));
    return;
  }
  const ImportedValue coordinates = coordinates_of_nonzero(node, x);
  const ImportedValue count = coordinates.open->count;
  ImportedValue y = rank == 1 ? node.reshape(closed(coordinates), {coordinates.shape[1], 1})
                              : node.permute(closed(coordinates), {1, 0});
  y.type = ElementType::int64;
  node.result(opened(std::move(y), 0, count));
}

void convert_tensorflow_tile(TensorflowNode& node) {
  const std::vector<std::int64_t> repeats = node.integers(1, "repeats");
  if (static_cast<std::int64_t>(repeats.size()) != node.rank()) {
    TensorflowNode::malformed("one repeat an axis is expected");
  }
  for (const std::int64_t repeat : repeats) require(repeat > 0, "{} repeats", repeat);
  if (node.is_image()) {
    node.result_image(node.tile(node.image(), image_shape(repeats)));
  } else {
    node.result(node.tile(node.in(), repeats));
  }
}

void convert_tensorflow_broadcast_to(TensorflowNode& node) {
  node.result(node.expand(node.in(), node.integers(1, "shape")));
}

void convert_tensorflow_depth_to_space(TensorflowNode& node) {
  const std::int64_t block = node.attributes().integer("block_size", 0);
  require(block > 0 && block < 65536, "a block of {}", block);
  const ImportedValue x = node.picture();
  node.result_picture(node.type() == "DepthToSpace" ? add_depth_to_space(node, x, block, true)
                                                    : add_space_to_depth(node, x, block));
}

}  // namespace octavo::graph
