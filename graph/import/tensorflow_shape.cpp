// SPDX-License-Identifier: Apache-2.0
// TensorFlow's nodes that are known at import: constants, variables, shapes; and those that stand for numbers by rule.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {
namespace {

ImportedValue integer_vector(ElementType type, const std::vector<std::int64_t>& values) {
  return NodeBuilder::constant_value(make_tensor(type, {static_cast<std::int64_t>(values.size())}, values));
}

ImportedValue integer_scalar(std::int64_t value) {
  return NodeBuilder::constant_value(make_tensor(ElementType::int32, {}, std::vector<std::int64_t>{value}));
}

ElementType shape_type(const TensorflowNode& node) {
  return node.attributes().type("out_type").value_or(ElementType::int32);
}

ConstantPtr single_number(ElementType type, double value) { return tensor_of(type, {}, {value}); }

}  // namespace

void convert_tensorflow_const(TensorflowNode& node) {
  const ConstantPtr value = node.attributes().tensor("value");
  if (!value) TensorflowNode::malformed("it has no value");
  node.result(TensorflowNode::constant_value(value));
}

void convert_tensorflow_variable(TensorflowNode& node) {
  const std::string shared = node.attributes().text("shared_name", "");
  node.result(TensorflowNode::constant_value(node.file().variable(shared.empty() ? node.name() : shared)));
}

void convert_tensorflow_shape(TensorflowNode& node) {
  std::vector<TensorflowValue> values;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    values.push_back(tensorflow_value(integer_vector(shape_type(node), node.shape(i))));
  }
  node.outputs(std::move(values));
}

void convert_tensorflow_rank(TensorflowNode& node) { node.result(integer_scalar(node.rank())); }

void convert_tensorflow_size(TensorflowNode& node) { node.result(integer_scalar(element_count(node.shape()))); }

void convert_tensorflow_fill(TensorflowNode& node) {
  const Shape shape = node.integers(0, "shape");
  require(shape.size() <= 8, "a value of {} dimensions", shape.size());
  for (const std::int64_t dim : shape) require(dim >= 0, "a dimension of {}", dim);
  const ImportedValue value = node.in(1);
  if (value.is_constant()) {
    node.result(TensorflowNode::constant_value(filled(*value.constant, shape, node.budget())));
  } else {
    node.result(node.expand(value, shape));
  }
}

void convert_tensorflow_like(TensorflowNode& node) {
  const double number = node.type() == "OnesLike" ? 1 : 0;
  const ConstantPtr value = single_number(node.value().type, number);
  node.result(TensorflowNode::constant_value(filled(*value, node.shape(), node.budget())));
}

void convert_tensorflow_range(TensorflowNode& node) {
  const ConstantTensor& first = node.constant(0, "start");
  const double begin = first.real(0);
  const auto limit = node.constant(1, "limit").real(0);
  const auto step = node.constant(2, "step").real(0);
  const double size = std::ceil((limit - begin) / step);
  require(size < 1e9, "a range of {} numbers", size);  // NaN, too
  const auto count = static_cast<std::int64_t>(std::max(size, 0.0));
  node.budget().take(count);
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(begin + static_cast<double>(i) * step);
  node.result(TensorflowNode::constant_value(tensor_of(first.type, {count}, values)));
}

void convert_tensorflow_lin_space(TensorflowNode& node) {
  const float begin = node.scalar(0, "start"), end = node.scalar(1, "end");
  const std::int64_t count = node.integer(2, "number");
  require(count > 0, "{} numbers", count);
  node.budget().take(count);
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const double share = count == 1 ? 0 : static_cast<double>(i) / static_cast<double>(count - 1);
    values.push_back(static_cast<float>(begin + (static_cast<double>(end) - begin) * share));
  }
  node.result(TensorflowNode::constant_value(make_tensor(ElementType::float32, {count}, std::move(values))));
}

void convert_tensorflow_invert_permutation(TensorflowNode& node) {
  const std::vector<std::int64_t> order = node.integers(0, "permutation");
  const std::vector<std::int64_t> axes = canonical_axes(order, static_cast<std::int64_t>(order.size()));
  std::vector<std::int64_t> inverse(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    inverse[static_cast<std::size_t>(axes[i])] = static_cast<std::int64_t>(i);
  }
  node.result(integer_vector(node.value().type, inverse));
}

void convert_tensorflow_broadcast_args(TensorflowNode& node) {
  node.result(integer_vector(node.value().type, broadcast(node.integers(0, "shape"), node.integers(1, "shape"))));
}

/// The numbers of a list that another does not have, and where they stood: what tensordot does to its axes.
void convert_tensorflow_list_diff(TensorflowNode& node) {
  const std::vector<std::int64_t> all = node.integers(0, "numbers"), without = node.integers(1, "numbers");
  std::vector<std::int64_t> kept, places;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (std::find(without.begin(), without.end(), all[i]) != without.end()) continue;
    kept.push_back(all[i]);
    places.push_back(static_cast<std::int64_t>(i));
  }
  node.outputs({tensorflow_value(integer_vector(node.value().type, kept)),
                tensorflow_value(integer_vector(ElementType::int32, places))});
}

ImportedValue tensorflow_one_hot(TensorflowNode& node, const ImportedValue& indices, std::int64_t depth,
                                 std::int64_t axis) {
  require(depth > 0, "{} classes", depth);
  node.budget().take(depth);
  Shape longer = indices.shape, classes(indices.shape.size() + 1, 1);
  longer.insert(longer.begin() + axis, 1);
  classes[static_cast<std::size_t>(axis)] = depth;
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 0; i < depth; ++i) numbers.push_back(i);
  ImportedValue own = node.reshape(indices, longer);
  own.type = ElementType::int64;
  if (own.is_constant()) own = node.cast(own, ElementType::int64);
  const ImportedValue all =
      TensorflowNode::constant_value(make_tensor(ElementType::int64, classes, std::move(numbers)));
  return node.cast(node.binary(BinaryKind::equal, own, all), ElementType::float32);
}

void convert_tensorflow_one_hot(TensorflowNode& node) {
  const std::int64_t depth = node.integer(1, "depth");
  const std::int64_t axis = TensorflowNode::axis(node.attributes().integer("axis", -1), node.rank() + 1);
  const ImportedValue hot = tensorflow_one_hot(node, node.in(0), depth, axis);
  const float on = node.scalar(2, "value"), off = node.scalar(3, "value");
  const ElementType type = node.value(2).type;
  ImportedValue y = on == 1.0F && off == 0.0F ? hot : node.affine(hot, on - off, off);
  node.result(node.cast(y, type));
}

}  // namespace octavo::graph
