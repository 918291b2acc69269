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
  const double first = step == 0 ? low : std::round(low / step) * step;
  return {step, first - least * step};
}

/// The 2^bits numbers that lie evenly between two, 0 among them.
struct Grid {
  float least = 0, greatest = 0, step = 1;
};

Grid grid_of(const TensorflowAttributes& attributes, double low, double high) {
  const std::int64_t bits = attributes.integer("num_bits", 8);
  require(bits >= 2 && bits <= 16, "{} bits", bits);
  require(low <= 0 && high >= 0 && low < high, "a range from {} to {}", low, high);
  const double first = attributes.flag("narrow_range", false) ? 1 : 0;
  const double last = std::pow(2.0, static_cast<double>(bits)) - 1;
  const double step = (high - low) / (last - first);
  const double zero = std::clamp(std::round(first - low / step), first, last);
  return {static_cast<float>((first - zero) * step), static_cast<float>((last - zero) * step),
          static_cast<float>(step)};
}

ImportedValue on_grid(TensorflowNode& node, const ImportedValue& x, const Grid& grid) {
  const ImportedValue clipped = node.unary({.kind = UnaryKind::clip, .alpha = grid.least, .beta = grid.greatest}, x);
  const float inverse = 1.0F / grid.step;
  const ImportedValue steps = node.affine(clipped, inverse, 0.5F - grid.least * inverse);
  return node.affine(node.unary({.kind = UnaryKind::floor}, steps), grid.step, grid.least);
}

/// One grid for each index of an axis, whose numbers broadcast to x as `shape`.
ImportedValue on_grids(TensorflowNode& node, const ImportedValue& x, const std::vector<Grid>& grids,
                       const Shape& shape) {
  const auto each = [&](const auto& number_of) {
    std::vector<float> numbers;
    for (const Grid& grid : grids) numbers.push_back(number_of(grid));
    return TensorflowNode::constant_value(make_tensor(ElementType::float32, shape, std::move(numbers)));
  };
  const ImportedValue least = each([](const Grid& grid) { return grid.least; });
  const ImportedValue step = each([](const Grid& grid) { return grid.step; });
  const ImportedValue greatest = each([](const Grid& grid) { return grid.greatest; });
  const ImportedValue raised = node.binary(BinaryKind::maximum, x, least);
  const ImportedValue clipped = node.binary(BinaryKind::minimum, raised, greatest);
  const ImportedValue inverse = each([](const Grid& grid) { return 1.0F / grid.step; });
  const ImportedValue half = each([](const Grid& grid) { return 0.5F - grid.least / grid.step; });
  const ImportedValue steps = node.binary(BinaryKind::add, node.binary(BinaryKind::multiply, clipped, inverse), half);
  const ImportedValue whole = node.unary({.kind = UnaryKind::floor}, steps);
  return node.binary(BinaryKind::add, node.binary(BinaryKind::multiply, whole, step), least);
}

void fake_quant_per_channel(TensorflowNode& node) {
  const ConstantTensor& low = node.constant(1, "minima");
  const ConstantTensor& high = node.constant(2, "maxima");
  if (node.rank() < 1) TensorflowNode::malformed("its input is one number");
  const std::int64_t channels = node.shape().back();
  require(low.count() == channels && high.count() == channels, "{} minima and {} maxima of {} channels", low.count(),
          high.count(), channels);
  std::vector<Grid> grids;
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
    grids.push_back(grid_of(node.attributes(), low.real(c), high.real(c)));
  }
  if (node.is_image()) {
    node.result_image(on_grids(node, node.image(), grids, {channels, 1, 1}));
  } else {
    node.result(on_grids(node, node.in(), grids, {channels}));
  }
}

}  // namespace

void convert_tensorflow_dequantize(TensorflowNode& node) {
  if (node.attributes().integer("axis", -1) != -1) TensorflowNode::unsupported("a range for each channel");
  const ElementType type = node.value().type;
  if (is_floating(type)) TensorflowNode::malformed("its input is not of an integer type");
  const std::string mode = node.attributes().text("mode", "MIN_COMBINED");
  if (mode != "MIN_COMBINED" && mode != "MIN_FIRST" && mode != "SCALED") {
    TensorflowNode::malformed(fmt::format("its mode is '{}'", mode));
  }
  if (!node.in(1).is_constant() || !node.in(2).is_constant()) {
    tensorflow_pointwise(node, [&](const ImportedValue& x) { return tensorflow_dequantized(node, x, mode); });
    return;
  }
  const double low = static_cast<double>(node.scalar(1, "minimum")),
               high = static_cast<double>(node.scalar(2, "maximum"));
  const AffineRule rule = rule_of(mode, type, low, high);
  tensorflow_pointwise(node, [&](const ImportedValue& x) {
    const ImportedValue integers = node.cast(x, ElementType::float32);
    return node.affine(integers, static_cast<float>(rule.scale), static_cast<float>(rule.shift));
  });
}

void convert_tensorflow_fake_quant(TensorflowNode& node) {
  if (node.type() == "FakeQuantWithMinMaxVarsPerChannel") return fake_quant_per_channel(node);
  const bool by_attributes = node.type() == "FakeQuantWithMinMaxArgs";
  const float low = by_attributes ? node.attributes().number("min", -6.0F) : node.scalar(1, "minimum");
  const float high = by_attributes ? node.attributes().number("max", 6.0F) : node.scalar(2, "maximum");
  tensorflow_pointwise(node, [&](const ImportedValue& x) {
    return on_grid(node, x, grid_of(node.attributes(), static_cast<double>(low), static_cast<double>(high)));
  });
}

}  // namespace octavo::graph
