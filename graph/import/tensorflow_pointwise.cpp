// SPDX-License-Identifier: Apache-2.0
// TensorFlow's functions of each number, casts, and nodes that change nothing.
#include <cmath>
#include <limits>
#include <map>

#include "graph/import/tensorflow_batch_norm.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {
namespace {

using TensorflowAsUnary = Unary (*)(const TensorflowAttributes& attributes);

/// (shift + scale * x) ^ power
Unary tensorflow_power(float shift, float scale, float exponent) {
  return {.kind = UnaryKind::power, .alpha = shift, .beta = scale, .gamma = exponent};
}
Unary tensorflow_exp() { return {.kind = UnaryKind::exp, .alpha = -1.0F, .beta = 0.0F, .gamma = 1.0F}; }
Unary tensorflow_log(float shift) { return {.kind = UnaryKind::log, .alpha = -1.0F, .beta = shift, .gamma = 1.0F}; }

template <UnaryKind kKind>
Unary of_kind(const TensorflowAttributes&) {
  return {.kind = kKind};
}

const std::map<std::string_view, TensorflowAsUnary>& tensorflow_functions() {
  using A = const TensorflowAttributes&;
  static const std::map<std::string_view, TensorflowAsUnary> table{
      {"Abs", of_kind<UnaryKind::abs>},
      {"Acos", of_kind<UnaryKind::acos>},
      {"Acosh", of_kind<UnaryKind::acosh>},
      {"Asin", of_kind<UnaryKind::asin>},
      {"Asinh", of_kind<UnaryKind::asinh>},
      {"Atan", of_kind<UnaryKind::atan>},
      {"Atanh", of_kind<UnaryKind::atanh>},
      {"Ceil", of_kind<UnaryKind::ceil>},
      {"Cos", of_kind<UnaryKind::cos>},
      {"Cosh", of_kind<UnaryKind::cosh>},
      {"Elu", [](A) { return Unary{.kind = UnaryKind::elu, .alpha = 1.0F}; }},
      {"Erf", of_kind<UnaryKind::erf>},
      {"Exp", [](A) { return tensorflow_exp(); }},
      {"Floor", of_kind<UnaryKind::floor>},
      {"Inv", [](A) { return tensorflow_power(0.0F, 1.0F, -1.0F); }},
      {"IsInf", [](A) { return Unary{.kind = UnaryKind::is_infinite, .alpha = 1.0F, .beta = 1.0F}; }},
      {"IsNan", of_kind<UnaryKind::is_nan>},
      {"LeakyRelu", [](A a) { return Unary{.kind = UnaryKind::relu, .alpha = a.number("alpha", 0.2F)}; }},
      {"Log", [](A) { return tensorflow_log(0.0F); }},
      {"Log1p", [](A) { return tensorflow_log(1.0F); }},
      {"LogicalNot", [](A) { return tensorflow_power(1.0F, -1.0F, 1.0F); }},
      {"Neg", [](A) { return tensorflow_power(0.0F, -1.0F, 1.0F); }},
      {"Reciprocal", [](A) { return tensorflow_power(0.0F, 1.0F, -1.0F); }},
      {"Relu", of_kind<UnaryKind::relu>},
      {"Relu6", of_kind<UnaryKind::relu6>},
      {"Rint", of_kind<UnaryKind::round>},
      {"Round", of_kind<UnaryKind::round>},
      {"Rsqrt", [](A) { return tensorflow_power(0.0F, 1.0F, -0.5F); }},
      {"Selu",
       [](A) { return Unary{.kind = UnaryKind::selu, .alpha = 1.67326324F, .beta = 0.0F, .gamma = 1.05070099F}; }},
      {"Sigmoid", of_kind<UnaryKind::sigmoid>},
      {"Sign", of_kind<UnaryKind::sign>},
      {"Sin", of_kind<UnaryKind::sin>},
      {"Sinh", of_kind<UnaryKind::sinh>},
      {"Softplus", of_kind<UnaryKind::softplus>},
      {"Softsign", of_kind<UnaryKind::softsign>},
      {"Sqrt", [](A) { return tensorflow_power(0.0F, 1.0F, 0.5F); }},
      {"Square", [](A) { return tensorflow_power(0.0F, 1.0F, 2.0F); }},
      {"Tan", of_kind<UnaryKind::tan>},
      {"Tanh", of_kind<UnaryKind::tanh>},
  };
  return table;
}

bool tensorflow_gives_truth(std::string_view type) {
  return type == "LogicalNot" || type == "IsNan" || type == "IsInf" || type == "IsFinite";
}

}  // namespace

void convert_tensorflow_unary(TensorflowNode& node) {
  tensorflow_pointwise(node, [&](const ImportedValue& x) {
    ImportedValue y = node.unary(tensorflow_functions().at(node.type())(node.attributes()), x);
    return tensorflow_gives_truth(node.type()) ? node.as_truth(y) : y;
  });
  remember_norm_step(node);
}

void convert_tensorflow_composed(TensorflowNode& node) {
  const std::string& type = node.type();
  tensorflow_pointwise(node, [&](const ImportedValue& x) {
    if (type == "Expm1") return node.affine(node.unary(tensorflow_exp(), x), 1.0F, -1.0F);
    if (type == "Erfc") return node.affine(node.unary({.kind = UnaryKind::erf}, x), -1.0F, 1.0F);
    if (type == "IsFinite") {  // 0 * x is a number
      const ImportedValue wrong = node.unary({.kind = UnaryKind::is_nan}, node.affine(x, 0.0F, 0.0F));
      return node.as_truth(node.affine(wrong, -1.0F, 1.0F));
    }
    // LogSigmoid
    return node.affine(node.unary({.kind = UnaryKind::softplus}, node.affine(x, -1.0F, 0.0F)), -1.0F, 0.0F);
  });
}

void convert_tensorflow_clip(TensorflowNode& node) {
  const float low = node.scalar(1, "lower bound"), high = node.scalar(2, "upper bound");
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Unary op{.kind = UnaryKind::clip, .alpha = low, .beta = high};
  if (low == 0.0F && high == kInfinity) op = {.kind = UnaryKind::relu};
  if (low == 0.0F && high == 6.0F) op = {.kind = UnaryKind::relu6};
  tensorflow_pointwise(node, [&](const ImportedValue& x) { return node.unary(op, x); });
}

void convert_tensorflow_cast(TensorflowNode& node) {
  const std::optional<ElementType> to = node.attributes().type("DstT");
  if (!to) TensorflowNode::malformed("it does not say to which type");
  if (*to == ElementType::string) TensorflowNode::unsupported("strings");
  const bool whole = node.value().whole && !is_floating(*to) && *to != ElementType::boolean;
  tensorflow_pointwise(node, [&](const ImportedValue& x) {
    if (!whole || x.is_constant()) return node.cast(x, *to);
    ImportedValue y = x;
    y.type = *to;
    return y;
  });
  if (node.value().mask) node.mark_mask();
  if (!is_floating(node.value().type)) node.mark_whole();
}

void convert_tensorflow_identity(TensorflowNode& node) {
  std::vector<TensorflowValue> values;
  for (std::size_t i = 0; i < std::max<std::size_t>(node.input_count(), 1); ++i) {
    values.push_back(node.value(i));
    if (node.type() != "IdentityN") break;
  }
  node.outputs(std::move(values));
}

}  // namespace octavo::graph
