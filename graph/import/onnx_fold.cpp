// SPDX-License-Identifier: Apache-2.0
// Folding: what makes constants out of nothing, shapes and types. See graph/import/onnx_fold.h.
#include "graph/import/onnx_fold.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/axes.h"
#include "graph/check.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

template <class T>
ConstantPtr vector_of(ElementType type, std::vector<T> values) {
  const Shape shape{static_cast<std::int64_t>(values.size())};
  return make_tensor(type, shape, std::move(values));
}

ConstantPtr fold_constant(const OnnxNode& node) {
  const OnnxAttributes& attributes = node.attributes();
  if (attributes.has("value")) return attributes.tensor("value");
  if (attributes.has("value_float")) {
    return make_tensor(ElementType::float32, {}, std::vector<float>{attributes.number("value_float", 0)});
  }
  if (attributes.has("value_int")) {
    return make_tensor(ElementType::int64, {}, std::vector<std::int64_t>{attributes.integer("value_int", 0)});
  }
  if (attributes.has("value_floats")) {
    return vector_of(ElementType::float32, attributes.numbers("value_floats"));
  }
  if (attributes.has("value_ints")) {
    return vector_of(ElementType::int64, attributes.integers("value_ints"));
  }
  OnnxNode::unsupported("a constant that is neither numbers nor a dense tensor");
}

ConstantPtr fold_constant_of_shape(const OnnxNode& node, ImportBudget& budget) {
  Shape shape = to_integers(node.constant(0, "shape"));
  require(shape.size() <= 8, "a value of {} dimensions", shape.size());
  ConstantPtr value = node.attributes().tensor("value");
  if (!value) value = make_tensor(ElementType::float32, {}, std::vector<float>{0.0F});
  return filled(*value, std::move(shape), budget);
}

ConstantPtr fold_shape(const OnnxNode& node) {
  const Shape& shape = node.shape();
  const std::int64_t rank = node.rank();
  const auto position = [&](std::string_view name, std::int64_t fallback) {
    const std::int64_t at = node.attributes().integer(name, fallback);
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t begin = position("start", 0), end = std::max(position("end", rank), begin);
  return vector_of(ElementType::int64, std::vector<std::int64_t>(shape.begin() + begin, shape.begin() + end));
}

ConstantPtr fold_range(const OnnxNode& node, ImportBudget& budget) {
  const ConstantTensor& first = node.constant(0, "start");
  const ConstantTensor& limit = node.constant(1, "limit");
  const ConstantTensor& step = node.constant(2, "step");
  require(first.count() == 1 && limit.count() == 1 && step.count() == 1, "its inputs are not numbers");
  const double size = std::ceil((limit.real(0) - first.real(0)) / step.real(0));
  require(size < 1e9, "a range of {} numbers", size);  // NaN, too
  const auto count = static_cast<std::int64_t>(std::max(size, 0.0));
  budget.take(count);
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(first.real(0) + static_cast<double>(i) * step.real(0));
  return tensor_of(first.type, {count}, values);
}

/// The places of the numbers that are not 0: a row an axis.
ConstantPtr fold_nonzero(const OnnxNode& node, ImportBudget& budget) {
  const ConstantTensor& x = node.constant(0, "input");
  const Shape shape = x.shape.empty() ? Shape{1} : x.shape;
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < x.count(); ++i) {
    if (x.real(static_cast<std::size_t>(i)) != 0) places.push_back(i);
  }
  const auto rank = static_cast<std::int64_t>(shape.size()), count = static_cast<std::int64_t>(places.size());
  budget.take(rank * count);
  std::vector<std::int64_t> values;
  for (std::int64_t d = 0; d < rank; ++d) {
    const std::int64_t inner = count_between(shape, d + 1, rank);
    for (const std::int64_t place : places) values.push_back(place / inner % shape[static_cast<std::size_t>(d)]);
  }
  return make_tensor(ElementType::int64, {rank, count}, std::move(values));
}

/// Of the input only the shape matters.
ConstantPtr fold_eye(const OnnxNode& node, ImportBudget& budget) {
  const Shape& shape = node.shape();
  require(shape.size() == 2, "{} is no matrix", to_text(shape));
  const std::int64_t shift = node.attributes().integer("k", 0);
  const auto type = onnx_type(
      static_cast<std::uint64_t>(node.attributes().integer("dtype", static_cast<std::int64_t>(node.input().type))));
  budget.take(element_count(shape));
  std::vector<double> values;
  for (std::int64_t row = 0; row < shape[0]; ++row) {
    for (std::int64_t column = 0; column < shape[1]; ++column) {
      values.push_back(column - row == shift ? 1.0 : 0.0);
    }
  }
  return tensor_of(type, shape, values);
}

ConstantPtr fold_made(const OnnxNode& node, ImportBudget& budget) {
  const std::string& type = node.type();
  if (type == "Constant") {
    ConstantPtr made = fold_constant(node);
    budget.take(made->count());  // the body of a loop makes it again and again
    return made;
  }
  if (type == "EyeLike") return fold_eye(node, budget);
  if (type == "Shape") return fold_shape(node);
  if (type == "Size") {
    return make_tensor(ElementType::int64, {}, std::vector<std::int64_t>{element_count(node.shape())});
  }
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (node.has_input(i) && !node.input(i).is_constant()) return nullptr;
  }
  if (node.input_count() == 0 || !node.has_input(0)) return nullptr;
  if (type == "ConstantOfShape") return fold_constant_of_shape(node, budget);
  if (type == "Range") return fold_range(node, budget);
  if (type == "NonZero") return fold_nonzero(node, budget);
  if (type == "Identity") return node.input().constant;
  if (type == "Cast") {
    const auto to = onnx_type(static_cast<std::uint64_t>(node.attributes().integer("to", 0)));
    if (to == ElementType::string) return nullptr;
    return cast_to(node.constant(0, "input"), to, budget);
  }
  if (type == "CastLike") return cast_to(node.constant(0, "input"), node.input(1).type, budget);
  for (const auto fold : {fold_onnx_movement, fold_onnx_math, fold_onnx_reduction, fold_onnx_quantization}) {
    if (ConstantPtr folded = fold(node, budget)) return folded;
  }
  return nullptr;
}

}  // namespace

std::optional<std::vector<ConstantPtr>> fold_onnx(const OnnxNode& node, ImportBudget& budget) {
  ConstantPtr folded = fold_made(node, budget);
  if (!folded) return std::nullopt;
  return std::vector<ConstantPtr>{std::move(folded)};
}

}  // namespace octavo::graph
