// SPDX-License-Identifier: Apache-2.0
// TensorFlow's arithmetic of two or more values that are broadcast to each other; selection; biases; dropout.
#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "graph/check.h"
#include "graph/import/node_layers.h"
#include "graph/import/tensorflow_batch_norm.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {
namespace {

const std::map<std::string_view, BinaryKind>& tensorflow_kinds() {
  static const std::map<std::string_view, BinaryKind> table{
      {"Add", BinaryKind::add},
      {"AddV2", BinaryKind::add},
      {"Div", BinaryKind::divide},
      {"Equal", BinaryKind::equal},
      {"FloorDiv", BinaryKind::divide},
      {"FloorMod", BinaryKind::modulo},
      {"Greater", BinaryKind::greater},
      {"GreaterEqual", BinaryKind::greater_or_equal},
      {"Less", BinaryKind::less},
      {"LessEqual", BinaryKind::less_or_equal},
      {"LogicalAnd", BinaryKind::logical_and},
      {"LogicalOr", BinaryKind::logical_or},
      {"Maximum", BinaryKind::maximum},
      {"Minimum", BinaryKind::minimum},
      {"Mod", BinaryKind::remainder},
      {"Mul", BinaryKind::multiply},
      {"NotEqual", BinaryKind::equal},
      {"Pow", BinaryKind::power},
      {"RealDiv", BinaryKind::divide},
      {"SquaredDifference", BinaryKind::subtract},
      {"Sub", BinaryKind::subtract},
      {"TruncateDiv", BinaryKind::divide},
      {"TruncateMod", BinaryKind::remainder},
  };
  return table;
}

/// What the operator does to the quotient or difference.
ImportedValue after_arithmetic(TensorflowNode& node, ImportedValue y) {
  const std::string& type = node.type();
  const ElementType held = y.type;
  if (type == "NotEqual") return node.as_truth(node.affine(y, -1.0F, 1.0F));
  if (type == "SquaredDifference") {
    return node.unary({.kind = UnaryKind::power, .alpha = 0.0F, .beta = 1.0F, .gamma = 2.0F}, y);
  }
  if (type == "FloorDiv") y = node.unary({.kind = UnaryKind::floor}, y);
  const bool whole = !is_floating(held);
  if (type == "TruncateDiv" || (type == "Div" && whole)) y = node.unary({.kind = UnaryKind::truncate}, y);
  y.type = held;
  return y;
}

/// Whole numbers that are known: quotients that round down have no form of their own.
std::optional<ImportedValue> folded_floor_division(TensorflowNode& node, const ImportedValue& a,
                                                   const ImportedValue& b) {
  if (node.type() != "FloorDiv" || !a.is_constant() || !b.is_constant() || is_floating(a.type)) return std::nullopt;
  // (a - a mod b) / b, where the remainder has the divisor's sign
  const ImportedValue rest = node.binary(BinaryKind::modulo, a, b);
  return node.binary(BinaryKind::divide, node.binary(BinaryKind::subtract, a, rest), b);
}

ImportedValue tensorflow_binary(TensorflowNode& node, const ImportedValue& a, const ImportedValue& b) {
  if (auto folded = folded_floor_division(node, a, b)) return *folded;
  const BinaryKind kind = tensorflow_kinds().at(node.type());
  // Truth values are compared and combined as 1 and 0, whatever number they are held as.
  return after_arithmetic(node, node.binary(kind, a, b));
}

/// A dropout's product of values and mask: the values, before they were scaled up for the ones that the mask drops.
bool drop_mask(TensorflowNode& node) {
  const TensorflowValue &a = node.value(0), &b = node.value(1);
  if (a.random == b.random || (!a.mask && !b.mask)) return false;
  const TensorflowValue& kept = a.random ? b : a;
  node.settle_random();
  node.outputs({kept.unscaled ? *kept.unscaled : kept});
  return true;
}

/// Remembers what a product or quotient by one number was made of.
void remember_unscaled(TensorflowNode& node, std::vector<TensorflowValue>& values) {
  const std::string& type = node.type();
  if (type != "Mul" && type != "RealDiv" && type != "Div") return;
  for (const std::size_t factor : {1, 0}) {
    const TensorflowValue& number = node.value(factor);
    const bool single = number.plain && number.plain->is_constant() && number.plain->constant->count() == 1;
    if (!single || (factor == 0 && type != "Mul") || number.random) continue;
    values[0].unscaled = std::make_shared<TensorflowValue>(node.value(1 - factor));
    values[0].unscaled->unscaled = nullptr;
    return;
  }
}

}  // namespace

void convert_tensorflow_binary(TensorflowNode& node) {
  if (node.type() == "Mul" && drop_mask(node)) return;
  if (auto normalized = spelled_batch_norm(node)) {
    node.outputs({std::move(*normalized)});
    return;
  }
  std::vector<TensorflowValue> values;
  if (node.all_fit_images()) {
    ImportedValue y = tensorflow_binary(node, node.image_operand(0), node.image_operand(1));
    values.push_back(tensorflow_image(std::move(y)));
  } else {
    values.push_back(tensorflow_value(tensorflow_binary(node, node.in(0), node.in(1))));
  }
  remember_unscaled(node, values);
  const bool threshold = node.type() == "GreaterEqual" && (node.value(0).random || node.value(1).random);
  values[0].mask = threshold;
  node.outputs(std::move(values));
  remember_norm_step(node);
}

/// NaN nowhere: 0 where the divisor is 0.
void convert_tensorflow_div_no_nan(TensorflowNode& node) {
  const ImportedValue a = node.in(0), b = node.in(1);
  const ImportedValue zero = TensorflowNode::constant_value(0.0F);
  node.result(node.select(b, node.binary(BinaryKind::divide, a, b), zero));
}

void convert_tensorflow_approximate_equal(TensorflowNode& node) {
  const ImportedValue difference = node.binary(BinaryKind::subtract, node.in(0), node.in(1));
  const ImportedValue distance = node.unary({.kind = UnaryKind::abs}, difference);
  const float tolerance = node.attributes().number("tolerance", 1e-5F);
  node.result(node.binary(BinaryKind::less, distance, TensorflowNode::constant_value(tolerance)));
}

void convert_tensorflow_add_n(TensorflowNode& node) {
  const bool images = node.all_fit_images();
  const auto operand = [&](std::size_t i) { return images ? node.image(i) : node.in(i); };
  ImportedValue y = operand(0);
  bool alike = node.input_count() > 2;
  std::vector<ImportedValue> inputs{y};
  for (std::size_t i = 1; i < node.input_count(); ++i) {
    require(node.shape(i) == node.shape(0), "{} and {} are not of one shape", to_text(node.shape(0)),
            to_text(node.shape(i)));
    inputs.push_back(operand(i));
    alike = alike && !inputs[i].is_constant();
  }
  if (alike && !y.is_constant()) {
    const Shape shape = y.shape;
    y = node.add(Eltwise{.kind = EltwiseKind::sum, .coefficients = {}, .activation = {}}, inputs);
    y.shape = shape;
  } else {
    for (std::size_t i = 1; i < inputs.size(); ++i) y = node.binary(BinaryKind::add, y, inputs[i]);
  }
  images ? node.result_image(std::move(y)) : node.result(std::move(y));
}

void convert_tensorflow_bias_add(TensorflowNode& node) {
  if (node.rank(1) != 1) TensorflowNode::malformed("its biases are not a vector");
  if (node.rank() == 4 && node.is_image() && !node.channels_first()) {
    node.result_image(node.binary(BinaryKind::add, node.image(), node.image_operand(1)));
    return;
  }
  ImportedValue bias = node.in(1);
  if (node.rank() > 2 && node.channels_first()) {
    Shape shape(node.shape().size() - 1, 1);
    shape[0] = node.shape(1)[0];
    bias = node.reshape(bias, shape);
  }
  node.result(node.binary(BinaryKind::add, node.in(), bias));
}

void convert_tensorflow_select(TensorflowNode& node) {
  // A dropout's choice between values and zeros.
  if (node.value(0).mask && !node.value(1).random) {
    node.settle_random();
    node.outputs({node.value(1).unscaled ? *node.value(1).unscaled : node.value(1)});
    return;
  }
  if (node.all_fit_images() && node.rank(0) != 1) {
    node.result_image(node.select(node.image_operand(0), node.image_operand(1), node.image_operand(2)));
    return;
  }
  ImportedValue condition = node.in(0);
  // The older operator takes a vector as one condition for each row.
  if (node.type() == "Select" && node.rank(0) == 1 && node.rank(1) > 1) {
    Shape rows(node.shape(1).size(), 1);
    rows[0] = node.shape(0)[0];
    condition = node.reshape(condition, rows);
  }
  node.result(node.select(condition, node.in(1), node.in(2)));
}

/// Random numbers are good for a dropout's mask, which is not applied: any number stands for them.
void convert_tensorflow_random(TensorflowNode& node) {
  const Shape shape = node.integers(0, "shape");
  for (const std::int64_t dim : shape) require(dim >= 0, "a dimension of {}", dim);
  const ConstantPtr half = make_tensor(ElementType::float32, {}, std::vector<float>{0.5F});
  TensorflowValue value = tensorflow_value(TensorflowNode::constant_value(filled(*half, shape, node.budget())));
  value.random = true;
  node.outputs({std::move(value)});
}

void convert_tensorflow_floor(TensorflowNode& node) {
  convert_tensorflow_unary(node);
  if (node.value().random) node.mark_mask();
}

}  // namespace octavo::graph
