// SPDX-License-Identifier: Apache-2.0
// Folding: what makes constants out of nothing, shapes and types. See graph/import/onnx_fold.h.
#include "graph/import/onnx_fold.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/check.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

OnnxTensorPtr filled(const OnnxTensor& value, Shape shape) {
  const auto count = static_cast<std::size_t>(element_count(shape));
  if (value.floating()) {
    return make_tensor(value.type, std::move(shape), std::vector<float>(count, value.floats.values[0]));
  }
  return make_tensor(value.type, std::move(shape), std::vector<std::int64_t>(count, value.integers.values[0]));
}

template <class T>
OnnxTensorPtr vector_of(OnnxType type, std::vector<T> values) {
  const Shape shape{static_cast<std::int64_t>(values.size())};
  return make_tensor(type, shape, std::move(values));
}

OnnxTensorPtr fold_constant(const OnnxNode& node) {
  const OnnxAttributes& attributes = node.attributes();
  if (attributes.has("value")) return attributes.tensor("value");
  if (attributes.has("value_float")) {
    return make_tensor(OnnxType::float32, {}, std::vector<float>{attributes.number("value_float", 0)});
  }
  if (attributes.has("value_int")) {
    return make_tensor(OnnxType::int64, {}, std::vector<std::int64_t>{attributes.integer("value_int", 0)});
  }
  if (attributes.has("value_floats")) {
    return vector_of(OnnxType::float32, attributes.numbers("value_floats"));
  }
  if (attributes.has("value_ints")) {
    return vector_of(OnnxType::int64, attributes.integers("value_ints"));
  }
  OnnxNode::unsupported("a constant that is neither numbers nor a dense tensor");
}

OnnxTensorPtr fold_constant_of_shape(const OnnxNode& node, OnnxBudget& budget) {
  Shape shape = to_integers(node.constant(0, "shape"));
  require(shape.size() <= 8, "a value of {} dimensions", shape.size());
  budget.take(element_count(shape));
  const OnnxTensorPtr value = node.attributes().tensor("value");
  if (!value) return filled(*make_tensor(OnnxType::float32, {}, std::vector<float>{0.0F}), std::move(shape));
  require(value->count() == 1, "the value is not one number");
  return filled(*value, std::move(shape));
}

OnnxTensorPtr fold_shape(const OnnxNode& node) {
  const Shape& shape = node.shape();
  const std::int64_t rank = node.rank();
  const auto position = [&](std::string_view name, std::int64_t fallback) {
    const std::int64_t at = node.attributes().integer(name, fallback);
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t begin = position("start", 0), end = std::max(position("end", rank), begin);
  return vector_of(OnnxType::int64, std::vector<std::int64_t>(shape.begin() + begin, shape.begin() + end));
}

OnnxTensorPtr fold_range(const OnnxNode& node, OnnxBudget& budget) {
  const OnnxTensor& first = node.constant(0, "start");
  const OnnxTensor& limit = node.constant(1, "limit");
  const OnnxTensor& step = node.constant(2, "step");
  require(first.count() == 1 && limit.count() == 1 && step.count() == 1, "its inputs are not numbers");
  const double size = std::ceil((limit.real(0) - first.real(0)) / step.real(0));
  require(size < 1e9, "a range of {} numbers", size);  // NaN, too
  const auto count = static_cast<std::int64_t>(std::max(size, 0.0));
  budget.take(count);
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(first.real(0) + static_cast<double>(i) * step.real(0));
  return tensor_of(first.type, {count}, values);
}

OnnxTensorPtr cast_to(const OnnxTensor& x, OnnxType type, OnnxBudget& budget) {
  budget.take(x.count());
  const auto count = static_cast<std::size_t>(x.count());
  if (is_floating(type)) {
    const Data<float> values = to_floats(x);
    auto result = std::make_shared<OnnxTensor>();
    result->type = type;
    result->shape = x.shape;
    result->floats = values;
    return result;
  }
  std::vector<std::int64_t> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (type == OnnxType::boolean) {
      values[i] = x.real(i) != 0 ? 1 : 0;
    } else {
      values[i] = wrapped(type, x.floating() ? truncated(OnnxType::int64, x.real(i)) : x.integers.values[i]);
    }
  }
  return make_tensor(type, x.shape, std::move(values));
}

OnnxTensorPtr fold_made(const OnnxNode& node, OnnxBudget& budget) {
  const std::string& type = node.type();
  if (type == "Constant") return fold_constant(node);
  if (type == "Shape") return fold_shape(node);
  if (type == "Size") {
    return make_tensor(OnnxType::int64, {}, std::vector<std::int64_t>{element_count(node.shape())});
  }
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (node.has_input(i) && !node.input(i).is_constant()) return nullptr;
  }
  if (node.input_count() == 0 || !node.has_input(0)) return nullptr;
  if (type == "ConstantOfShape") return fold_constant_of_shape(node, budget);
  if (type == "Range") return fold_range(node, budget);
  if (type == "Identity") return node.input().constant;
  if (type == "Cast") {
    const auto to = onnx_type(static_cast<std::uint64_t>(node.attributes().integer("to", 0)));
    if (to == OnnxType::string) return nullptr;
    return cast_to(node.constant(0, "input"), to, budget);
  }
  if (type == "CastLike") return cast_to(node.constant(0, "input"), node.input(1).type, budget);
  for (const auto fold : {fold_onnx_movement, fold_onnx_math, fold_onnx_reduction, fold_onnx_quantization}) {
    if (OnnxTensorPtr folded = fold(node, budget)) return folded;
  }
  return nullptr;
}

}  // namespace

void OnnxBudget::take(std::int64_t numbers) {
  left_ -= numbers;
  if (numbers < 0 || left_ < 0) {
    throw Error(ErrorKind::malformed, "too many numbers would have to be computed at import for a file of this size");
  }
}

std::optional<std::vector<OnnxTensorPtr>> fold_onnx(const OnnxNode& node, OnnxBudget& budget) {
  OnnxTensorPtr folded = fold_made(node, budget);
  if (!folded) return std::nullopt;
  return std::vector<OnnxTensorPtr>{std::move(folded)};
}

std::int64_t wrapped(OnnxType type, std::int64_t value) {
  switch (type) {
    case OnnxType::boolean:
      return value != 0 ? 1 : 0;
    case OnnxType::uint8:
      return static_cast<std::uint8_t>(value);
    case OnnxType::int8:
      return static_cast<std::int8_t>(value);
    case OnnxType::uint16:
      return static_cast<std::uint16_t>(value);
    case OnnxType::int16:
      return static_cast<std::int16_t>(value);
    case OnnxType::int32:
      return static_cast<std::int32_t>(value);
    case OnnxType::uint32:
      return static_cast<std::uint32_t>(value);
    case OnnxType::uint4:
      return value & 15;
    case OnnxType::int4:
      return ((value & 15) ^ 8) - 8;
    default:
      return value;
  }
}

std::int64_t truncated(OnnxType type, double value) {
  if (std::isnan(value)) return 0;
  const OnnxRange range = range_of(type);
  const double whole = std::trunc(value);
  if (whole >= static_cast<double>(range.high)) return range.high;
  if (whole <= static_cast<double>(range.low)) return range.low;
  return static_cast<std::int64_t>(whole);
}

OnnxTensorPtr tensor_of(OnnxType type, Shape shape, const std::vector<double>& values) {
  if (is_floating(type)) {
    std::vector<float> numbers;
    numbers.reserve(values.size());
    for (const double value : values) numbers.push_back(static_cast<float>(value));
    return make_tensor(type, std::move(shape), std::move(numbers));
  }
  std::vector<std::int64_t> numbers;
  numbers.reserve(values.size());
  for (const double value : values) numbers.push_back(truncated(type, value));
  return make_tensor(type, std::move(shape), std::move(numbers));
}

}  // namespace octavo::graph
