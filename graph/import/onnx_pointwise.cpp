// SPDX-License-Identifier: Apache-2.0
// Operators that compute each output from the input at the same place.
#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <map>

#include "graph/check.h"
#include "graph/import/onnx_operators.h"

namespace octavo::graph {
namespace {

/// What an operator is in the graph, with its attributes.
using AsUnary = Unary (*)(const OnnxAttributes& attributes);

Unary plain(UnaryKind kind) { return {.kind = kind}; }
Unary with_alpha(UnaryKind kind, const OnnxAttributes& attributes, float fallback) {
  return {.kind = kind, .alpha = attributes.number("alpha", fallback)};
}
/// (shift + scale * x) ^ power
Unary power(float shift, float scale, float exponent) {
  return {.kind = UnaryKind::power, .alpha = shift, .beta = scale, .gamma = exponent};
}

template <UnaryKind kKind>
Unary plainly(const OnnxAttributes&) {
  return plain(kKind);
}

const std::map<std::string_view, AsUnary>& unaries() {
  using A = const OnnxAttributes&;
  static const std::map<std::string_view, AsUnary> table{
      {"Abs", plainly<UnaryKind::abs>},
      {"Acos", plainly<UnaryKind::acos>},
      {"Acosh", plainly<UnaryKind::acosh>},
      {"Asin", plainly<UnaryKind::asin>},
      {"Asinh", plainly<UnaryKind::asinh>},
      {"Atan", plainly<UnaryKind::atan>},
      {"Atanh", plainly<UnaryKind::atanh>},
      {"Ceil", plainly<UnaryKind::ceil>},
      {"Celu", [](A a) { return with_alpha(UnaryKind::celu, a, 1.0F); }},
      {"Cos", plainly<UnaryKind::cos>},
      {"Cosh", plainly<UnaryKind::cosh>},
      {"Elu", [](A a) { return with_alpha(UnaryKind::elu, a, 1.0F); }},
      {"Erf", plainly<UnaryKind::erf>},
      {"Exp", [](A) { return Unary{.kind = UnaryKind::exp, .alpha = -1.0F, .beta = 0.0F, .gamma = 1.0F}; }},
      {"Floor", plainly<UnaryKind::floor>},
      {"Gelu",
       [](A a) { return plain(a.text("approximate", "none") == "tanh" ? UnaryKind::gelu_tanh : UnaryKind::gelu); }},
      {"HardSigmoid",
       [](A a) {
         return Unary{
             .kind = UnaryKind::hard_sigmoid, .alpha = a.number("alpha", 0.2F), .beta = a.number("beta", 0.5F)};
       }},
      {"HardSwish", plainly<UnaryKind::hard_swish>},
      {"IsInf",
       [](A a) {
         return Unary{.kind = UnaryKind::is_infinite,
                      .alpha = a.flag("detect_negative", true) ? 1.0F : 0.0F,
                      .beta = a.flag("detect_positive", true) ? 1.0F : 0.0F};
       }},
      {"IsNaN", plainly<UnaryKind::is_nan>},
      {"LeakyRelu", [](A a) { return with_alpha(UnaryKind::relu, a, 0.01F); }},
      {"Log", [](A) { return Unary{.kind = UnaryKind::log, .alpha = -1.0F, .beta = 0.0F, .gamma = 1.0F}; }},
      {"Mish", plainly<UnaryKind::mish>},
      {"Neg", [](A) { return power(0.0F, -1.0F, 1.0F); }},
      {"Not", [](A) { return power(1.0F, -1.0F, 1.0F); }},
      {"Reciprocal", [](A) { return power(0.0F, 1.0F, -1.0F); }},
      {"Relu", plainly<UnaryKind::relu>},
      {"Round", plainly<UnaryKind::round>},
      {"Selu",
       [](A a) {
         return Unary{.kind = UnaryKind::selu,
                      .alpha = a.number("alpha", 1.67326319F),
                      .beta = 0.0F,
                      .gamma = a.number("gamma", 1.05070102F)};
       }},
      {"Shrink",
       [](A a) {
         return Unary{.kind = UnaryKind::shrink, .alpha = a.number("lambd", 0.5F), .beta = a.number("bias", 0.0F)};
       }},
      {"Sigmoid", plainly<UnaryKind::sigmoid>},
      {"Sign", plainly<UnaryKind::sign>},
      {"Sin", plainly<UnaryKind::sin>},
      {"Sinh", plainly<UnaryKind::sinh>},
      {"Softplus", plainly<UnaryKind::softplus>},
      {"Softsign", plainly<UnaryKind::softsign>},
      {"Sqrt", [](A) { return power(0.0F, 1.0F, 0.5F); }},
      {"Swish", [](A a) { return with_alpha(UnaryKind::swish, a, 1.0F); }},
      {"Tan", plainly<UnaryKind::tan>},
      {"Tanh", plainly<UnaryKind::tanh>},
      {"ThresholdedRelu", [](A a) { return with_alpha(UnaryKind::thresholded_relu, a, 1.0F); }},
  };
  return table;
}

/// A slope for each channel: [C, 1, ..., 1], or one for all.
BlobPtr channel_slopes(const ConstantTensor& slopes, const Shape& x) {
  if (slopes.count() == 1) return make_blob({1}, {static_cast<float>(slopes.real(0))});
  const std::size_t shift = x.size() - std::min(slopes.shape.size(), x.size());
  for (std::size_t d = 0; d < slopes.shape.size(); ++d) {
    if (slopes.shape[d] != 1 && d + shift != 1) return nullptr;
  }
  if (x.size() < 2 || slopes.count() != x[1]) return nullptr;
  Blob blob;
  blob.shape = {x[1]};
  blob.f32 = to_floats(slopes);
  return std::make_shared<const Blob>(std::move(blob));
}

/// Two's complement of the few bits that a type has.
ImportedValue wrapped_around(OnnxNode& node, const ImportedValue& x, const ElementRange& range) {
  const auto low = static_cast<float>(range.low), count = static_cast<float>(range.high - range.low + 1);
  ImportedValue y = node.add_affine(x, 1.0F, -low);
  y = node.add_binary(BinaryKind::modulo, y, OnnxNode::constant_value(count));
  y = node.add_affine(y, 1.0F, low);
  y.shape = x.shape;
  return y;
}

}  // namespace

bool onnx_gives_truth(std::string_view type) { return type == "Not" || type == "IsNaN" || type == "IsInf"; }

std::optional<Unary> onnx_function(const OnnxNode& node) {
  const auto found = unaries().find(node.type());
  if (found == unaries().end()) return std::nullopt;
  return found->second(node.attributes());
}

void convert_onnx_unary(OnnxNode& node) {
  const std::optional<Unary> function = onnx_function(node);
  if (!function) OnnxNode::unsupported("this function");
  ImportedValue y = node.add(*function, {node.input()});
  y.shape = node.shape();
  if (onnx_gives_truth(node.type())) y.type = ElementType::boolean;
  node.result(std::move(y));
}

void convert_onnx_prelu(OnnxNode& node) {
  const ImportedValue& x = node.input();
  if (node.input(1).is_constant()) {
    if (const BlobPtr slopes = channel_slopes(node.constant(1, "slopes"), x.shape)) {
      node.result(node.add(PRelu{.slopes = slopes}, {x}));
      return;
    }
  }
  // max(x, 0) + slope * min(x, 0)
  const ImportedValue zero = OnnxNode::constant_value(0.0F);
  const ImportedValue above = node.add_unary(UnaryKind::relu, x);
  const ImportedValue below = node.add_binary(BinaryKind::minimum, x, zero);
  node.result(node.add_binary(BinaryKind::add, above, node.add_binary(BinaryKind::multiply, below, node.input(1))));
}

void convert_onnx_clip(OnnxNode& node) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const ImportedValue& x = node.input();
  const auto bound = [&](std::size_t input, const char* name, float fallback) {
    if (node.opset() < 11) return node.attributes().number(name, fallback);
    return node.has_input(input) ? node.scalar(input, "bounds") : fallback;
  };
  const bool computed =
      (node.has_input(1) && !node.input(1).is_constant()) || (node.has_input(2) && !node.input(2).is_constant());
  if (computed) {
    ImportedValue y = x;
    if (node.has_input(1)) y = node.add_binary(BinaryKind::maximum, y, node.input(1));
    if (node.has_input(2)) y = node.add_binary(BinaryKind::minimum, y, node.input(2));
    node.result(std::move(y));
    return;
  }
  const float low = bound(1, "min", -kInfinity), high = bound(2, "max", kInfinity);
  if (low == 0.0F && (high == kInfinity || high == std::numeric_limits<float>::max())) {
    node.result(node.add_unary(UnaryKind::relu, x));
  } else if (low == 0.0F && high == 6.0F) {
    node.result(node.add_unary(UnaryKind::relu6, x));
  } else {
    node.result(node.add_unary(UnaryKind::clip, x, low, high));
  }
}

void convert_onnx_cast(OnnxNode& node) {
  const ImportedValue& x = node.input();
  const ElementType to = node.type() == "CastLike"
                             ? node.input(1).type
                             : onnx_type(static_cast<std::uint64_t>(node.attributes().integer("to", 0)));
  if (to == ElementType::string) OnnxNode::unsupported("strings");
  ImportedValue y = x;
  if (to == ElementType::boolean && x.type != ElementType::boolean) {
    y = node.add_unary(UnaryKind::nonzero, x);
  } else if (!is_floating(to)) {
    if (is_floating(x.type)) y = node.add_unary(UnaryKind::truncate, x);
    const ElementRange from = range_of(x.type), range = range_of(to);
    const bool narrower = is_floating(x.type) || from.low < range.low || from.high > range.high;
    if (narrower && range.high < 65536) y = wrapped_around(node, y, range);
  }
  y.type = to;
  node.result(std::move(y));
}

/// Identity, and Dropout at inference: no node at all.
void convert_onnx_identity(OnnxNode& node) {
  if (node.type() == "Dropout" && node.has_input(2) && node.scalar(2, "mode") != 0.0F) {
    OnnxNode::unsupported("dropout in training mode");
  }
  if (node.type() == "Dropout" && node.output_count() > 1) {
    ImportedValue kept = node.add_unary(UnaryKind::power, node.input(), 1.0F, 0.0F, 1.0F);  // the mask: all are kept
    kept.type = ElementType::boolean;
    node.results({node.input(), std::move(kept)});
    return;
  }
  node.result(node.input());
}

}  // namespace octavo::graph
