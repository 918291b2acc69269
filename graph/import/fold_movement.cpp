// SPDX-License-Identifier: Apache-2.0
// Folding of what moves numbers: each output element is one of an input's.
#include <algorithm>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/fold.h"

namespace octavo::graph {
namespace {

Shape strides_of(const Shape& shape) {
  Shape strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

/// Element i of the result is element sources[i] of x.
ConstantPtr taken(const ConstantTensor& x, Shape shape, const std::vector<std::int64_t>& sources) {
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
ConstantPtr strided(const ConstantTensor& x, Shape shape, const Shape& strides, std::int64_t offset,
                    ImportBudget& budget) {
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

}  // namespace

ConstantPtr reshaped(const ConstantTensor& x, Shape shape) {
  require(element_count(shape) == x.count(), "{} numbers cannot become {}", x.count(), to_text(shape));
  auto result = std::make_shared<ConstantTensor>(x);
  result->shape = std::move(shape);
  result->quantized = nullptr;
  return result;
}

ConstantPtr permuted(const ConstantTensor& x, const std::vector<std::int64_t>& order, ImportBudget& budget) {
  require(order.size() == x.shape.size(), "a permutation of {} axes for {}", order.size(), to_text(x.shape));
  const Shape from = strides_of(x.shape);
  Shape shape, strides;
  for (const std::int64_t axis : complete_order(order, static_cast<std::int64_t>(x.shape.size()))) {
    shape.push_back(x.shape[static_cast<std::size_t>(axis)]);
    strides.push_back(from[static_cast<std::size_t>(axis)]);
  }
  return strided(x, std::move(shape), strides, 0, budget);
}

ConstantPtr sliced(const ConstantTensor& x, const StridedSlice& slice, ImportBudget& budget) {
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

ConstantPtr gathered(const ConstantTensor& x, const ConstantTensor& indices, std::int64_t along, ImportBudget& budget) {
  require(!x.shape.empty(), "a scalar has no axis");
  const auto rank = static_cast<std::int64_t>(x.shape.size());
  const auto axis = static_cast<std::size_t>(canonical_axis(along, rank));
  const std::int64_t outer = count_between(x.shape, 0, static_cast<std::int64_t>(axis));
  const std::int64_t inner = count_between(x.shape, static_cast<std::int64_t>(axis) + 1, rank);
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

ConstantPtr joined(const std::vector<ConstantPtr>& parts, std::int64_t along, ImportBudget& budget) {
  const ConstantTensor& first = *parts.at(0);
  require(!first.shape.empty(), "scalars cannot be joined");
  const auto rank = static_cast<std::int64_t>(first.shape.size());
  const auto axis = static_cast<std::size_t>(canonical_axis(along, rank));
  Shape shape = first.shape;
  shape[axis] = 0;
  for (const ConstantPtr& other : parts) {
    Shape part = other->shape;
    require(part.size() == shape.size() && other->type == first.type, "its inputs differ in rank or type");
    shape[axis] = checked_sum(shape[axis], part[axis]);
    part[axis] = first.shape[axis];
    require(part == first.shape, "its inputs differ outside the axis");
  }
  budget.take(element_count(shape));
  const std::int64_t outer = count_between(shape, 0, static_cast<std::int64_t>(axis));
  std::vector<float> floats;
  std::vector<std::int64_t> integers;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const ConstantPtr& part : parts) {
      const std::int64_t run = count_between(part->shape, static_cast<std::int64_t>(axis), rank);
      const auto copy = [&](const auto& from, auto& to) {
        to.insert(to.end(), from.begin() + o * run, from.begin() + (o + 1) * run);
      };
      first.floating() ? copy(part->floats.values, floats) : copy(part->integers.values, integers);
    }
  }
  return first.floating() ? make_tensor(first.type, std::move(shape), std::move(floats))
                          : make_tensor(first.type, std::move(shape), std::move(integers));
}

ConstantPtr expanded(const ConstantTensor& x, const Shape& shape, ImportBudget& budget) {
  const Shape from = strides_of(x.shape);
  Shape strides(shape.size(), 0);
  const std::size_t shift = shape.size() - x.shape.size();
  for (std::size_t d = 0; d < x.shape.size(); ++d) strides[shift + d] = x.shape[d] == 1 ? 0 : from[d];
  return strided(x, shape, strides, 0, budget);
}

ConstantPtr tiled(const ConstantTensor& x, const std::vector<std::int64_t>& repeats, ImportBudget& budget) {
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

FittedShape fitted_shape(const Shape& x, const std::vector<std::int64_t>& wanted, bool allow_zero) {
  require(wanted.size() <= 8, "a value of {} dimensions", wanted.size());
  FittedShape result{wanted, wanted};
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

std::vector<std::int64_t> canonical_axes(const std::vector<std::int64_t>& axes, std::int64_t rank) {
  std::vector<std::int64_t> result;
  for (const std::int64_t axis : axes) {
    result.push_back(canonical_axis(axis, rank));
    require(std::count(result.begin(), result.end(), result.back()) == 1, "axis {} is named twice", axis);
  }
  return result;
}

}  // namespace octavo::graph
