// SPDX-License-Identifier: Apache-2.0
// Weights that are stored in 8 bits, and the roundings of networks that were trained for them.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "graph/check.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {
namespace {

/// The real numbers that a type's integers stand for: shift + scale * q.
struct AffineRule {
  double scale = 1, shift = 0;
};

AffineRule rule_of(const std::string& mode, ElementType type, double low, double high) {
  const ElementRange range = range_of(type);
  const auto least = static_cast<double>(range.low), greatest = static_cast<double>(range.high);
  if (mode == "SCALED") {
    const double scale = range.low < 0 ? std::max(low / least, high / greatest) : high / greatest;
    return {scale, 0};
  }
  const double step = (high - low) / (greatest - least);
  if (mode == "MIN_COMBINED") return {step, low - (range.low < 0 ? least * step : 0)};
  if (mode != "MIN_FIRST") TensorflowNode::malformed(fmt::format("its mode is '{}'", mode));
  const double first = step == 0 ? low : std::round(low / step) * step;
  return {step, first - least * step};
}

/// Rounded to the 2^bits numbers that lie evenly between two, 0 among them.
ImportedValue on_grid(TensorflowNode& node, const ImportedValue& x, double low, double high) {
  const std::int64_t bits = node.attributes().integer("num_bits", 8);
  require(bits >= 2 && bits <= 16, "{} bits", bits);
  require(low <= 0 && high >= 0 && low < high, "a range from {} to {}", low, high);
  const double first = node.attributes().flag("narrow_range", false) ? 1 : 0;
  const double last = std::pow(2.0, static_cast<double>(bits)) - 1;
  const double scale = (high - low) / (last - first);
  const double zero = std::clamp(std::round(first - low / scale), first, last);
  const auto least = static_cast<float>((first - zero) * scale), greatest = static_cast<float>((last - zero) * scale);
  const ImportedValue clipped = node.unary({.kind = UnaryKind::clip, .alpha = least, .beta = greatest}, x);
  const auto inverse = static_cast<float>(1 / scale);
  const ImportedValue steps = node.affine(clipped, inverse, 0.5F - least * inverse);
  return node.affine(node.unary({.kind = UnaryKind::floor}, steps), static_cast<float>(scale), least);
}

}  // namespace

void convert_tensorflow_dequantize(TensorflowNode& node) {
  if (node.attributes().integer("axis", -1) != -1) TensorflowNode::unsupported("a range for each channel");
  const ElementType type = node.value().type;
  if (is_floating(type)) TensorflowNode::malformed("its input is not of an integer type");
  const double low = static_cast<double>(node.scalar(1, "minimum")),
               high = static_cast<double>(node.scalar(2, "maximum"));
  const AffineRule rule = rule_of(node.attributes().text("mode", "MIN_COMBINED"), type, low, high);
  const ImportedValue x = node.cast(node.in(), ElementType::float32);
  node.result(node.affine(x, static_cast<float>(rule.scale), static_cast<float>(rule.shift)));
}

void convert_tensorflow_fake_quant(TensorflowNode& node) {
  const bool by_attributes = node.type() == "FakeQuantWithMinMaxArgs";
  const float low = by_attributes ? node.attributes().number("min", -6.0F) : node.scalar(1, "minimum");
  const float high = by_attributes ? node.attributes().number("max", 6.0F) : node.scalar(2, "maximum");
  tensorflow_pointwise(node, [&](const ImportedValue& x) {
    return on_grid(node, x, static_cast<double>(low), static_cast<double>(high));
  });
}

}  // namespace octavo::graph
