// SPDX-License-Identifier: Apache-2.0
// Folding of operators that move numbers: each output element is one of an input's. Also what Reshape, Squeeze and
// Slice mean, which their converters share.
#include <algorithm>
#include <limits>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/onnx_fold.h"

namespace octavo::graph {
namespace {

Shape strides_of(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

/// The same numbers in another shape, shared.
OnnxTensorPtr reshaped(const OnnxTensor& x, Shape shape) {
  require(element_count(shape) == x.count(), "{} numbers cannot become {}", x.count(), to_text(shape));
  auto result = std::make_shared<OnnxTensor>(x);
  result->shape = std::move(shape);
  result->quantized = nullptr;
  return result;
}

/// Element i of the result is element sources[i] of x.
OnnxTensorPtr taken(const OnnxTensor& x, Shape shape, const std::vector<std::int64_t>& sources) {
  if (x.floating()) {
    std::vector<float> values;
    values.reserve(sources.size());
    for (const std::int64_t at : sources) values.push_back(x.floats.values[static_cast<std::size_t>(at)]);
    return make_tensor(x.type, std::move(shape), std::move(values));
  }
  std::vector<std::int64_t> values;
  values.reserve(sources.size());
  for (const std::int64_t at : sources) values.push_back(x.integers.values[static_cast<std::size_t>(at)]);
  return make_tensor(x.type, std::move(shape), std::move(values));
}

/// The elements at offset + sum of index[d] * strides[d].
OnnxTensorPtr strided(const OnnxTensor& x, Shape shape, const Shape& strides, std::int64_t offset, OnnxBudget& budget) {
  const std::int64_t count = element_count(shape);
  budget.take(count);
  std::vector<std::int64_t> sources;
  sources.reserve(static_cast<std::size_t>(count));
  Shape index(shape.size(), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    sources.push_back(offset);
    for (std::size_t d = shape.size(); d-- > 0;) {
      offset += strides[d];
      if (++index[d] < shape[d]) break;
      offset -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return taken(x, std::move(shape), sources);
}

OnnxTensorPtr fold_transpose(const OnnxNode& node, OnnxBudget& budget) {
  const OnnxTensor& x = node.constant(0, "input");
  std::vector<std::int64_t> order = node.attributes().integers("perm");
  if (order.empty()) {
    for (std::int64_t d = node.rank(); d-- > 0;) order.push_back(d);
  }
  require(order.size() == x.shape.size(), "a permutation of {} axes for {}", order.size(), to_text(x.shape));
  order = complete_order(order, node.rank());
  const Shape from = strides_of(x.shape);
  Shape shape, strides;
  for (const std::int64_t axis : order) {
    shape.push_back(x.shape[static_cast<std::size_t>(axis)]);
    strides.push_back(from[static_cast<std::size_t>(axis)]);
  }
  return strided(x, std::move(shape), strides, 0, budget);
}

OnnxTensorPtr fold_slice(const OnnxNode& node, OnnxBudget& budget) {
  const OnnxTensor& x = node.constant(0, "input");
  const OnnxSlice slice = onnx_slice(node);
  Shape shape = x.shape, strides = strides_of(x.shape);
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < slice.axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(slice.axes[i]);
    const SlicedAxis part = sliced_axis(x.shape[axis], slice.begins[i], slice.ends[i], slice.steps[i]);
    shape[axis] = part.count;
    if (part.count > 0) offset += part.begin * strides[axis];
    strides[axis] *= part.count > 1 ? slice.steps[i] : 1;
  }
  return strided(x, std::move(shape), strides, offset, budget);
}

OnnxTensorPtr fold_gather(const OnnxNode& node, OnnxBudget& budget) {
  const OnnxTensor& x = node.constant(0, "input");
  const OnnxTensor& indices = node.constant(1, "indices");
  require(!x.shape.empty(), "a scalar has no axis");
  const auto axis = static_cast<std::size_t>(canonical_axis(node.attributes().integer("axis", 0), node.rank()));
  const std::int64_t outer = count_between(x.shape, 0, static_cast<std::int64_t>(axis));
  const std::int64_t inner = count_between(x.shape, static_cast<std::int64_t>(axis) + 1, node.rank());
  const std::int64_t size = x.shape[axis];
  Shape shape(x.shape.begin(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.shape.end());
  budget.take(element_count(shape));
  std::vector<std::int64_t> sources;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t index : to_integers(indices)) {
      if (index < 0) index += size;
      require(index >= 0 && index < size, "index {} is outside an axis of {}", index, size);
      for (std::int64_t i = 0; i < inner; ++i) sources.push_back((o * size + index) * inner + i);
    }
  }
  return taken(x, std::move(shape), sources);
}

OnnxTensorPtr fold_concat(const OnnxNode& node, OnnxBudget& budget) {
  const OnnxTensor& first = node.constant(0, "input");
  require(!first.shape.empty(), "scalars cannot be joined");
  const auto axis = static_cast<std::size_t>(canonical_axis(node.attributes().integer("axis", 0), node.rank()));
  Shape shape = first.shape;
  shape[axis] = 0;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    Shape part = node.constant(i, "input").shape;
    require(part.size() == shape.size() && node.input(i).type == first.type, "its inputs differ in rank or type");
    shape[axis] = checked_sum(shape[axis], part[axis]);
    part[axis] = first.shape[axis];
    require(part == first.shape, "its inputs differ outside the axis");
  }
  budget.take(element_count(shape));
  const std::int64_t outer = count_between(shape, 0, static_cast<std::int64_t>(axis));
  std::vector<float> floats;
  std::vector<std::int64_t> integers;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < node.input_count(); ++i) {
      const OnnxTensor& part = node.constant(i, "input");
      const std::int64_t run = count_between(part.shape, static_cast<std::int64_t>(axis), node.rank());
      const auto copy = [&](const auto& from, auto& to) {
        to.insert(to.end(), from.begin() + o * run, from.begin() + (o + 1) * run);
      };
      first.floating() ? copy(part.floats.values, floats) : copy(part.integers.values, integers);
    }
  }
  return first.floating() ? make_tensor(first.type, std::move(shape), std::move(floats))
                          : make_tensor(first.type, std::move(shape), std::move(integers));
}

/// x repeated to `shape`.
OnnxTensorPtr expanded(const OnnxTensor& x, const Shape& shape, OnnxBudget& budget) {
  const Shape from = strides_of(x.shape);
  Shape strides(shape.size(), 0);
  const std::size_t shift = shape.size() - x.shape.size();
  for (std::size_t d = 0; d < x.shape.size(); ++d) strides[shift + d] = x.shape[d] == 1 ? 0 : from[d];
  return strided(x, shape, strides, 0, budget);
}

OnnxTensorPtr fold_tile(const OnnxNode& node, OnnxBudget& budget) {
  const OnnxTensor& x = node.constant(0, "input");
  const std::vector<std::int64_t> repeats = to_integers(node.constant(1, "repeats"));
  require(repeats.size() == x.shape.size(), "{} repeats for {}", repeats.size(), to_text(x.shape));
  // As [repeat][dim] for each dimension, of which the first has stride 0.
  const Shape from = strides_of(x.shape);
  Shape shape, walked, strides;
  for (std::size_t d = 0; d < x.shape.size(); ++d) {
    require(repeats[d] >= 0, "{} repeats", repeats[d]);
    shape.push_back(checked_product(x.shape[d], repeats[d]));
    walked.insert(walked.end(), {repeats[d], x.shape[d]});
    strides.insert(strides.end(), {0, from[d]});
  }
  return reshaped(*strided(x, std::move(walked), strides, 0, budget), std::move(shape));
}

}  // namespace

OnnxReshape onnx_reshape(const Shape& x, const std::vector<std::int64_t>& wanted, bool allow_zero) {
  require(wanted.size() <= 8, "a value of {} dimensions", wanted.size());
  OnnxReshape result{wanted, wanted};
  std::int64_t known = 1;
  std::int64_t* inferred = nullptr;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    std::int64_t& dim = result.shape[i];
    if (dim == 0 && !allow_zero) {
      require(i < x.size(), "dimension {} is to be copied, but {} has none there", i, to_text(x));
      dim = x[i];
      // The graph's Reshape copies by position, too.
    }
    if (dim == -1) {
      require(inferred == nullptr, "more than one dimension is to be inferred");
      inferred = &dim;
      continue;
    }
    require(dim >= 0, "a dimension of {}", dim);
    known = checked_product(known, dim);
  }
  const std::int64_t count = element_count(x);
  if (inferred != nullptr) {
    require(known > 0 && count % known == 0, "{} elements are not a multiple of {}", count, known);
    *inferred = count / known;
  } else {
    require(count == known, "{} elements cannot become {}", count, known);
  }
  return result;
}

std::vector<std::int64_t> onnx_axes(const std::vector<std::int64_t>& axes, std::int64_t rank) {
  std::vector<std::int64_t> result;
  for (const std::int64_t axis : axes) {
    result.push_back(canonical_axis(axis, rank));
    require(std::count(result.begin(), result.end(), result.back()) == 1, "axis {} is named twice", axis);
  }
  return result;
}

namespace {

std::vector<std::int64_t> axes_of(const OnnxNode& node) {
  if (node.opset() < 13) return node.attributes().integers("axes");
  return node.integers(1, "axes").value_or(std::vector<std::int64_t>{});
}

}  // namespace

Shape onnx_squeezed(const OnnxNode& node) {
  const Shape& x = node.shape();
  const bool all = node.opset() < 13 ? !node.attributes().has("axes") : !node.has_input(1);
  const std::vector<std::int64_t> axes = onnx_axes(axes_of(node), node.rank());
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
  const std::vector<std::int64_t> axes = onnx_axes(named, rank);
  Shape shape;
  std::size_t next = 0;
  for (std::int64_t d = 0; d < rank; ++d) {
    const bool added = std::find(axes.begin(), axes.end(), d) != axes.end();
    shape.push_back(added ? 1 : node.shape()[next++]);
  }
  return shape;
}

OnnxSlice onnx_slice(const OnnxNode& node) {
  OnnxSlice slice;
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
  slice.axes = onnx_axes(axes, node.rank());
  for (const std::int64_t step : slice.steps) {
    require(step != 0 && step > -(std::int64_t{1} << 31) && step < (std::int64_t{1} << 31), "a step of {}", step);
  }
  return slice;
}

OnnxTensorPtr fold_onnx_movement(const OnnxNode& node, OnnxBudget& budget) {
  const std::string& type = node.type();
  if (type == "Reshape") {
    const bool allow_zero = node.attributes().flag("allowzero", false);
    return reshaped(node.constant(0, "input"),
                    onnx_reshape(node.shape(), to_integers(node.constant(1, "shape")), allow_zero).shape);
  }
  if (type == "Flatten") {
    const std::int64_t axis = node.attributes().integer("axis", 1);
    const std::int64_t at = axis == node.rank() ? axis : canonical_axis(axis, std::max<std::int64_t>(node.rank(), 1));
    return reshaped(node.constant(0, "input"),
                    {count_between(node.shape(), 0, at), count_between(node.shape(), at, node.rank())});
  }
  if (type == "Squeeze") return reshaped(node.constant(0, "input"), onnx_squeezed(node));
  if (type == "Unsqueeze") return reshaped(node.constant(0, "input"), onnx_unsqueezed(node));
  if (type == "Transpose") return fold_transpose(node, budget);
  if (type == "Slice") return fold_slice(node, budget);
  if (type == "Gather") return fold_gather(node, budget);
  if (type == "Concat") return fold_concat(node, budget);
  if (type == "Tile") return fold_tile(node, budget);
  if (type == "Expand") {
    return expanded(node.constant(0, "input"), broadcast(node.shape(), to_integers(node.constant(1, "shape"))), budget);
  }
  return nullptr;
}

}  // namespace octavo::graph
