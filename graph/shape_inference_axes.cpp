// SPDX-License-Identifier: Apache-2.0
// Shape rules of ops that join, cut, permute or reduce axes. They are Caffe's, unbatched corner cases included.
#include <algorithm>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/shape_rules.h"

namespace octavo::graph {
Shape shape_of(const Linear& op, const Shapes& inputs) {
  const Shape& x = inputs[0];
  const std::int64_t axis = canonical_axis(op.axis, rank_of(x));
  const std::int64_t features = count_between(x, axis, rank_of(x));
  require(features == op.weights->shape[1], "{} inputs from axis {} of {}, but the weights {} are for {}", features,
          axis, to_text(x), to_text(op.weights->shape), op.weights->shape[1]);
  Shape out(x.begin(), x.begin() + axis);
  out.push_back(op.out_features);
  if (op.add_residual) {
    require(inputs[1] == out, "the residual {} has not the output's shape {}", to_text(inputs[1]), to_text(out));
  }
  if (op.activation.kind == jit::ActivationKind::prelu) {
    require(axis == 1, "a slope for each channel needs the features on axis 1, not {}", axis);
  }
  check_activation(op.activation, out);
  return out;
}

Shape shape_of(const Concat& op, const Shapes& inputs) {
  Shape out = inputs[0];
  const std::size_t axis = axis_of(op.axis, out);
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    Shape same = inputs[i];
    require(same.size() == out.size(), "{} and {} differ in rank", to_text(inputs[0]), to_text(inputs[i]));
    const std::int64_t part = std::exchange(same[axis], out[axis]);
    require(same == out, "{} and {} differ outside axis {}", to_text(inputs[0]), to_text(inputs[i]), axis);
    out[axis] = checked_sum(out[axis], part);
  }
  return out;
}

Shapes shapes_of(const Slice& op, const Shape& input, std::size_t outputs) {
  const std::size_t axis = axis_of(op.axis, input);
  const std::int64_t size = input[axis];
  const auto parts = static_cast<std::int64_t>(outputs);
  std::vector<std::int64_t> ends = op.points;
  if (ends.empty()) {
    require(size % parts == 0, "axis {} of {} cannot be cut into {} equal parts", axis, to_text(input), parts);
    for (std::int64_t part = 1; part < parts; ++part) ends.push_back(size / parts * part);
  }
  ends.push_back(size);
  Shapes out(outputs, input);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < outputs; ++i) {
    require(ends[i] > begin && ends[i] <= size, "slice point {} has to lie between {} and {}", ends[i], begin, size);
    out[i][axis] = ends[i] - begin;
    begin = ends[i];
  }
  return out;
}

Shape shape_of(const Flatten& op, const Shapes& inputs) {
  const Shape& x = inputs[0];
  const std::int64_t begin = canonical_axis(op.axis, rank_of(x));
  const std::int64_t end = canonical_axis(op.end_axis, rank_of(x)) + 1;
  require(begin <= end, "axis {} lies behind end_axis {}", begin, end - 1);
  Shape out(x.begin(), x.begin() + begin);
  out.push_back(count_between(x, begin, end));  // begin == end: a new dimension of 1, as Caffe has it
  out.insert(out.end(), x.begin() + end, x.end());
  return out;
}

Shape shape_of(const Reshape& op, const Shapes& inputs) {
  const Shape& x = inputs[0];
  const std::int64_t rank = rank_of(x);
  const std::int64_t begin = op.axis >= 0 ? op.axis : rank + op.axis + 1;  // -1: behind the last dimension
  require(begin >= 0 && begin <= rank, "axis {} is out of range for {}", op.axis, to_text(x));
  require(op.num_axes <= rank - begin, "{} axes from axis {} are more than {} has", op.num_axes, begin, to_text(x));
  const std::int64_t end = op.num_axes == -1 ? rank : begin + op.num_axes;

  Shape middle = op.dims;
  std::int64_t known = 1;
  std::int64_t* inferred = nullptr;
  for (std::size_t i = 0; i < middle.size(); ++i) {
    if (middle[i] == 0) {
      const std::size_t source = static_cast<std::size_t>(begin) + i;
      require(source < x.size(), "dimension {} is to be copied, but {} has none there", i, to_text(x));
      middle[i] = x[source];
    }
    if (middle[i] == -1) {
      inferred = &middle[i];
    } else {
      known = checked_product(known, middle[i]);
    }
  }
  const std::int64_t count = count_between(x, begin, end);
  if (inferred != nullptr) {
    require(count % known == 0, "{} elements are not a multiple of the known dimensions' {}", count, known);
    *inferred = count / known;
  } else {
    require(count == known, "{} elements cannot become {}", count, known);
  }
  Shape out(x.begin(), x.begin() + begin);
  out.insert(out.end(), middle.begin(), middle.end());
  out.insert(out.end(), x.begin() + end, x.end());
  return at_least_one(std::move(out));
}

Shape shape_of(const Permute& op, const Shapes& inputs) {
  const Shape& x = inputs[0];
  Shape out;
  for (const std::int64_t axis : complete_order(op.order, rank_of(x))) out.push_back(x[static_cast<std::size_t>(axis)]);
  return out;
}

Shape shape_of(const Crop& op, const Shapes& inputs) {
  Shape out = inputs[0];
  const Shape& size = inputs[1];
  const std::size_t axis = axis_of(op.axis, out);
  const std::size_t cropped = out.size() - axis;
  require(size.size() >= out.size(), "the size is taken from {}, which has fewer dimensions than {}", to_text(size),
          to_text(out));
  require(op.offsets.size() <= 1 || op.offsets.size() == cropped, "{} offsets for {} cropped dimensions",
          op.offsets.size(), cropped);
  for (std::size_t i = axis; i < out.size(); ++i) {
    std::int64_t offset = 0;
    if (!op.offsets.empty()) offset = op.offsets.size() == 1 ? op.offsets[0] : op.offsets[i - axis];
    require(offset <= out[i] - size[i], "{} from offset {} on do not fit into the {} of dimension {}", size[i], offset,
            out[i], i);
    out[i] = size[i];
  }
  return out;
}

Shape shape_of(const Tile& op, const Shapes& inputs) {
  Shape out = inputs[0];
  std::int64_t& size = out[axis_of(op.axis, out)];
  size = checked_product(size, op.tiles);
  return out;
}

Shape shape_of(const Reduction& op, const Shapes& inputs) {
  const Shape& x = inputs[0];
  return at_least_one(Shape(x.begin(), x.begin() + canonical_axis(op.axis, rank_of(x))));
}

Shape shape_of(const ArgMax& op, const Shapes& inputs) {
  const Shape& x = inputs[0];
  if (op.has_axis) {
    Shape out = x;
    std::int64_t& size = out[axis_of(op.axis, x)];
    require(op.top_k <= size, "the top {} of {} cannot be found", op.top_k, size);
    size = op.top_k;
    return out;
  }
  const std::int64_t candidates = count_between(x, 1, rank_of(x));
  require(op.top_k <= candidates, "the top {} of {} cannot be found", op.top_k, candidates);
  Shape out(std::max<std::size_t>(x.size(), 3), 1);
  out[0] = x[0];
  out[1] = op.out_max_value ? 2 : 1;
  out[2] = op.top_k;
  return out;
}

Shape shape_of(const Embed& op, const Shapes& inputs) {
  Shape out = inputs[0];
  out.push_back(op.weights->shape[1]);
  return out;
}

}  // namespace octavo::graph
