// SPDX-License-Identifier: Apache-2.0
// The operators that TensorFlow's own tools (quantize_nodes) put into a graph to compute in 8 bits: integers, each
// value with the two ends of its range as values of their own. They are computed as TensorFlow defines them, rounding
// by rounding, on whole numbers in fp32.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "graph/check.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {
namespace {

ImportedValue real_number(float number) { return TensorflowNode::constant_value(number); }

/// Between which real numbers a type's integers lie.
struct QuantizedRange {
  ImportedValue low, high;
  ElementType type = ElementType::uint8;

  [[nodiscard]] double least() const { return static_cast<double>(range_of(type).low); }
  [[nodiscard]] double greatest() const { return static_cast<double>(range_of(type).high); }
  /// What TensorFlow makes of 32 bits lies about 0, which an fp32 quotient of such numbers would miss.
  [[nodiscard]] bool centred() const { return type == ElementType::int32; }
};

ImportedValue range_end(TensorflowNode& node, std::size_t input) {
  require(element_count(node.shape(input)) == 1, "the end of a range {}", to_text(node.shape(input)));
  return node.cast(node.reshape(node.in(input), {}), ElementType::float32);
}

QuantizedRange range_at(TensorflowNode& node, std::size_t value, std::size_t low, std::size_t high) {
  const ElementType type = node.value(value).type;
  if (is_floating(type)) TensorflowNode::malformed("its input is not of an integer type");
  return {range_end(node, low), range_end(node, high), type};
}

/// To the nearest whole number, halves away from 0.
ImportedValue rounded_away(TensorflowNode& node, const ImportedValue& x) {
  // The number below a half: a half would lift that number itself to 1, in fp32.
  constexpr float kAlmostHalf = 0x1.fffffep-2F;
  const ImportedValue half = node.affine(node.unary({.kind = UnaryKind::sign}, x), kAlmostHalf, 0.0F);
  return node.unary({.kind = UnaryKind::truncate}, node.binary(BinaryKind::add, x, half));
}

/// The extent of a range; of one without, whose numbers are all zero, almost none.
ImportedValue width_of(TensorflowNode& node, const QuantizedRange& range) {
  constexpr float kLeastWidth = 1e-28F;
  return node.unary({.kind = UnaryKind::clip, .alpha = kLeastWidth, .beta = std::numeric_limits<float>::max()},
                    node.binary(BinaryKind::subtract, range.high, range.low));
}

ImportedValue steps_of_type(const QuantizedRange& range) {
  return real_number(static_cast<float>(range.greatest() - range.least()));
}

/// How far apart the real numbers of neighbouring integers are.
ImportedValue step_of(TensorflowNode& node, const QuantizedRange& range) {
  return node.binary(BinaryKind::divide, width_of(node, range), steps_of_type(range));
}

/// Real numbers in steps. TensorFlow multiplies by the inverse where it makes integers, and divides by the step where
/// it makes real numbers: in a range about 0 the two round its middle to different integers.
ImportedValue in_steps(TensorflowNode& node, const ImportedValue& x, const QuantizedRange& range) {
  const ImportedValue inverse = node.binary(BinaryKind::divide, steps_of_type(range), width_of(node, range));
  return node.binary(BinaryKind::multiply, x, inverse);
}

/// The integer that stands for 0.
ImportedValue integer_of_zero(TensorflowNode& node, const QuantizedRange& range) {
  if (range.centred()) return real_number(0.0F);
  const ImportedValue below = rounded_away(node, in_steps(node, range.low, range));
  return node.affine(below, -1.0F, static_cast<float>(range.least()));
}

/// x's integers minus the one that stands for 0.
ImportedValue about_zero(TensorflowNode& node, const ImportedValue& x, const QuantizedRange& range) {
  const ImportedValue integers = node.cast(x, ElementType::float32);
  return range.centred() ? integers : node.binary(BinaryKind::subtract, integers, integer_of_zero(node, range));
}

ImportedValue as_real(TensorflowNode& node, const ImportedValue& x, const QuantizedRange& range) {
  ImportedValue above = node.cast(x, ElementType::float32);
  if (!range.centred()) {
    const ImportedValue below = rounded_away(node, node.binary(BinaryKind::divide, range.low, step_of(node, range)));
    above = node.binary(BinaryKind::add, above, node.affine(below, 1.0F, static_cast<float>(-range.least())));
  }
  return node.binary(BinaryKind::multiply, above, step_of(node, range));
}

ImportedValue in_range_of_type(TensorflowNode& node, const ImportedValue& x, const QuantizedRange& range) {
  return node.unary({.kind = UnaryKind::clip,
                     .alpha = static_cast<float>(range.least()),
                     .beta = static_cast<float>(range.greatest())},
                    x);
}

ImportedValue as_integers(TensorflowNode& node, const ImportedValue& x, const QuantizedRange& range) {
  const ImportedValue steps = rounded_away(node, in_steps(node, x, range));
  const ImportedValue moved =
      range.centred() ? steps : node.binary(BinaryKind::add, steps, integer_of_zero(node, range));
  return in_range_of_type(node, moved, range);
}

/// Of a product of integers: 32 bits about 0.
QuantizedRange range_of_product(TensorflowNode& node, const QuantizedRange& a, const QuantizedRange& b) {
  QuantizedRange range{{}, {}, ElementType::int32};
  const ImportedValue step = node.binary(BinaryKind::multiply, step_of(node, a), step_of(node, b));
  range.low = node.affine(step, static_cast<float>(range.least()), 0.0F);
  range.high = node.affine(step, static_cast<float>(range.greatest()), 0.0F);
  return range;
}

/// Of a sum: 32 bits, of which some are left for sums to grow.
QuantizedRange range_of_sum(TensorflowNode& node, const QuantizedRange& a, const QuantizedRange& b) {
  const int bits = node.type() == "QuantizedAdd" ? 14 : 17;
  ImportedValue most = a.high;
  for (const ImportedValue& end : {node.affine(a.low, -1.0F, 0.0F), b.high, node.affine(b.low, -1.0F, 0.0F)}) {
    most = node.binary(BinaryKind::maximum, most, end);
  }
  const auto room = static_cast<float>(1 << bits);
  return {node.affine(most, -room, 0.0F), node.affine(most, room, 0.0F), ElementType::int32};
}

/// A value as the graph holds it: [N, C, H, W] or in TensorFlow's order.
using HeldFunction = std::function<ImportedValue(const ImportedValue& x)>;
void held(TensorflowNode& node, std::size_t input, const HeldFunction& function) {
  if (node.is_image(input)) {
    node.result_image(function(node.image(input)));
  } else {
    node.result(function(node.in(input)));
  }
}

/// The node's integers are its result already; behind them the ends of their range.
void finish_quantized(TensorflowNode& node, const QuantizedRange& range) {
  node.retype(range.type);
  node.add_outputs({tensorflow_value(range.low), tensorflow_value(range.high)});
}

ElementType type_by(const TensorflowNode& node, std::string_view attribute, ElementType fallback) {
  const ElementType type = node.attributes().type(attribute).value_or(fallback);
  if (is_floating(type)) TensorflowNode::malformed(fmt::format("its {} is not of an integer type", attribute));
  return type;
}

/// Of QuantizeV2: with 0 in it, and some extent.
QuantizedRange widened(TensorflowNode& node, const QuantizedRange& given) {
  const float least_extent = node.attributes().number("ensure_minimum_range", 0.01F);
  QuantizedRange range = given;
  range.low = node.binary(BinaryKind::minimum, given.low, real_number(0.0F));
  const ImportedValue size = node.binary(BinaryKind::maximum, node.unary({.kind = UnaryKind::abs}, given.low),
                                         node.unary({.kind = UnaryKind::abs}, given.high));
  const ImportedValue extent =
      node.affine(node.binary(BinaryKind::maximum, size, real_number(1.0F)), least_extent, 0.0F);
  range.high = node.binary(BinaryKind::maximum, given.high, node.binary(BinaryKind::add, range.low, extent));
  range.high = node.binary(BinaryKind::maximum, range.high, real_number(0.0F));
  return range;
}

/// Mode SCALED: 0 is 0, and the range reaches as far on both sides.
QuantizedRange range_about_zero(TensorflowNode& node, const QuantizedRange& given, double least) {
  ImportedValue step = node.affine(given.high, static_cast<float>(1 / given.greatest()), 0.0F);
  if (least < 0) {
    step = node.binary(BinaryKind::maximum, step, node.affine(given.low, static_cast<float>(1 / least), 0.0F));
  }
  step = node.unary({.kind = UnaryKind::clip, .alpha = 1e-36F, .beta = std::numeric_limits<float>::max()}, step);
  return {node.affine(step, static_cast<float>(least), 0.0F),
          node.affine(step, static_cast<float>(given.greatest()), 0.0F), given.type};
}

/// x moved into a range of real numbers.
ImportedValue clamped(TensorflowNode& node, const ImportedValue& x, const QuantizedRange& range) {
  return node.binary(BinaryKind::minimum, node.binary(BinaryKind::maximum, x, range.low), range.high);
}

QuantizedRange extremes(TensorflowNode& node) {
  const QuantizedRange range = range_at(node, 0, 1, 2);
  const ImportedValue x = node.is_image() ? node.image() : node.in();
  std::vector<std::int64_t> axes;
  for (std::int64_t d = 0; d < node.rank(); ++d) axes.push_back(d);
  const auto extreme = [&](ReductionKind kind) {
    ImportedValue integer = node.reshape(node.reduce(kind, node.cast(x, ElementType::float32), axes, false), {});
    // TensorFlow counts from the least integer in 2^32 - 1 steps, and so comes out half a step above.
    if (range.centred()) integer = node.affine(integer, 1.0F, 0.5F);
    return as_real(node, integer, range);
  };
  return {node.binary(BinaryKind::minimum, extreme(ReductionKind::min), real_number(0.0F)), extreme(ReductionKind::max),
          type_by(node, "out_type", ElementType::uint8)};
}

}  // namespace

/// Inputs: x and the ends of its range. Outputs, here and below: integers, and the ends of theirs.
void convert_tensorflow_quantize(TensorflowNode& node) {
  if (node.attributes().integer("axis", -1) != -1) TensorflowNode::unsupported("a range for each channel");
  const std::string mode = node.attributes().text("mode", "MIN_COMBINED");
  QuantizedRange range{range_end(node, 1), range_end(node, 2), type_by(node, "T", ElementType::uint8)};
  if (range.centred()) TensorflowNode::unsupported("rounding to 32 bits");
  range = widened(node, range);
  if (mode == "MIN_FIRST") {
    held(node, 0, [&](const ImportedValue& x) { return as_integers(node, x, range); });
  } else if (mode == "SCALED") {
    const double least = range.least() + (node.attributes().flag("narrow_range", false) ? 1 : 0);
    const bool to_even = node.attributes().text("round_mode", "HALF_AWAY_FROM_ZERO") == "HALF_TO_EVEN";
    range = range_about_zero(node, range, least);
    held(node, 0, [&](const ImportedValue& x) {
      const ImportedValue step = node.affine(range.high, static_cast<float>(1 / range.greatest()), 0.0F);
      const ImportedValue steps = node.binary(BinaryKind::divide, clamped(node, x, range), step);
      return to_even ? node.unary({.kind = UnaryKind::round}, steps) : rounded_away(node, steps);
    });
  } else if (mode == "MIN_COMBINED") {
    const double half = range.least() < 0 ? (range.greatest() - range.least() + 1) / 2 : 0;
    held(node, 0, [&](const ImportedValue& x) {
      const ImportedValue above = node.binary(BinaryKind::subtract, clamped(node, x, range), range.low);
      const ImportedValue steps = in_steps(node, above, range);
      return rounded_away(node, node.affine(steps, 1.0F, static_cast<float>(-half)));
    });
  } else {
    TensorflowNode::malformed(fmt::format("its mode is '{}'", mode));
  }
  finish_quantized(node, range);
}

/// Of Dequantize, by ends that the network computes.
ImportedValue tensorflow_dequantized(TensorflowNode& node, const ImportedValue& x, const std::string& mode) {
  QuantizedRange range = range_at(node, 0, 1, 2);
  if (mode == "MIN_FIRST") return as_real(node, x, range);
  const ImportedValue integers = node.cast(x, ElementType::float32);
  if (mode == "SCALED") {
    ImportedValue step = node.affine(range.high, static_cast<float>(1 / range.greatest()), 0.0F);
    if (range.least() < 0) {
      const ImportedValue below = node.affine(range.low, static_cast<float>(1 / range.least()), 0.0F);
      step = node.binary(BinaryKind::maximum, step, below);
    }
    return node.binary(BinaryKind::multiply, integers, step);
  }
  const double half = range.least() < 0 ? (range.greatest() - range.least() + 1) / 2 : 0;
  const ImportedValue above = node.affine(integers, 1.0F, static_cast<float>(half));
  return node.binary(BinaryKind::add, node.binary(BinaryKind::multiply, above, step_of(node, range)), range.low);
}

/// Inputs: x, weights, the ends of x's range, of the weights'.
void convert_tensorflow_quantized_conv(TensorflowNode& node) {
  const QuantizedRange range = range_at(node, 0, 2, 3), of_weights = range_at(node, 1, 4, 5);
  const ImportedValue weights = about_zero(node, node.in(1), of_weights);
  const ImportedValue x = about_zero(node, node.picture(), range);
  node.result_picture(node.add(tensorflow_convolution(node, x.shape, known_numbers(weights, "weights")), {x}));
  finish_quantized(node, range_of_product(node, range, of_weights));
}

/// Inputs: a, b, the ends of a's range, of b's.
void convert_tensorflow_quantized_matmul(TensorflowNode& node) {
  const QuantizedRange range_a = range_at(node, 0, 2, 3), range_b = range_at(node, 1, 4, 5);
  if (node.rank(0) != 2 || node.rank(1) != 2) TensorflowNode::malformed("its inputs are not matrices");
  ImportedValue a = about_zero(node, node.in(0), range_a), b = about_zero(node, node.in(1), range_b);
  if (node.attributes().flag("transpose_a", false)) a = node.permute(a, {1, 0});
  if (node.attributes().flag("transpose_b", false)) b = node.permute(b, {1, 0});
  node.result(add_matrix_product(node, a, b));
  finish_quantized(node, range_of_product(node, range_a, range_b));
}

namespace {

/// Integers of 8 bits as those of a sum: the steps that one of them is are a whole number, too.
ImportedValue by_whole_steps(TensorflowNode& node, const ImportedValue& x, const QuantizedRange& range,
                             const QuantizedRange& sum) {
  const auto steps_of = [&](float integer) {
    return as_integers(node, as_real(node, real_number(integer), range), sum);
  };
  const ImportedValue first = steps_of(0.0F);
  const ImportedValue each = node.binary(BinaryKind::subtract, steps_of(1.0F), first);
  const ImportedValue above = node.binary(BinaryKind::multiply, node.cast(x, ElementType::float32), each);
  return node.binary(BinaryKind::add, above, first);
}

/// TensorFlow finds the integer that stands for 0 in a 32-bit range in fp32, which has no room for it: it misses 0 by a
/// multiple of 128, which its sums then contain.
ImportedValue missed_zero(TensorflowNode& node, const QuantizedRange& range) {
  constexpr float kSteps = 4294967296.0F;
  const ImportedValue width = node.binary(BinaryKind::subtract, range.high, range.low);
  const ImportedValue inverse = node.binary(BinaryKind::divide, real_number(kSteps), width);
  return node.affine(node.binary(BinaryKind::multiply, range.low, inverse), -1.0F, -kSteps / 2);
}

}  // namespace

/// QuantizedBiasAdd and QuantizedAdd. Inputs: a, b, the ends of a's range, of b's.
void convert_tensorflow_quantized_add(TensorflowNode& node) {
  const QuantizedRange range_a = range_at(node, 0, 2, 3), range_b = range_at(node, 1, 4, 5);
  const QuantizedRange sum = range_of_sum(node, range_a, range_b);
  const bool is_bias = node.type() == "QuantizedBiasAdd";
  const auto moved = [&](const ImportedValue& x, const QuantizedRange& range) {
    if (!is_bias) return by_whole_steps(node, x, range, sum);
    return node.binary(BinaryKind::add, as_integers(node, as_real(node, x, range), sum), missed_zero(node, sum));
  };
  const bool images = node.rank() == 4 && (node.is_image(0) || node.is_image(1));
  const ImportedValue a = images ? node.image_operand(0) : node.in(0), b = images ? node.image_operand(1) : node.in(1);
  const ImportedValue y = node.binary(BinaryKind::add, moved(a, range_a), moved(b, range_b));
  images ? node.result_image(y) : node.result(y);
  finish_quantized(node, sum);
}

void convert_tensorflow_quantized_mul(TensorflowNode& node) {
  const QuantizedRange range_a = range_at(node, 0, 2, 3), range_b = range_at(node, 1, 4, 5);
  const bool images = node.rank() == 4 && (node.is_image(0) || node.is_image(1));
  const ImportedValue a = images ? node.image_operand(0) : node.in(0), b = images ? node.image_operand(1) : node.in(1);
  const ImportedValue y = node.binary(BinaryKind::multiply, about_zero(node, a, range_a), about_zero(node, b, range_b));
  images ? node.result_image(y) : node.result(y);
  finish_quantized(node, range_of_product(node, range_a, range_b));
}

void convert_tensorflow_quantized_relu(TensorflowNode& node) {
  const QuantizedRange range = range_at(node, 0, 1, 2);
  held(node, 0, [&](const ImportedValue& x) {
    const ImportedValue integers = node.cast(x, ElementType::float32);
    ImportedValue above = node.binary(BinaryKind::maximum, integers, as_integers(node, real_number(0.0F), range));
    if (node.type() == "QuantizedRelu") return above;
    return node.binary(BinaryKind::minimum, above, as_integers(node, real_number(6.0F), range));
  });
  finish_quantized(node, range);
}

void convert_tensorflow_quantized_pool(TensorflowNode& node) {
  const QuantizedRange range = range_at(node, 0, 1, 2);
  ImportedValue y = tensorflow_pooled(node, node.cast(node.picture(), ElementType::float32));
  if (node.type() == "QuantizedAvgPool") y = node.unary({.kind = UnaryKind::floor}, y);  // a quotient of integers
  node.result_picture(std::move(y));
  finish_quantized(node, range);
}

/// Inputs: x, shape, the ends of x's range.
void convert_tensorflow_quantized_reshape(TensorflowNode& node) {
  const QuantizedRange range = range_at(node, 0, 2, 3);
  convert_tensorflow_reshape(node);
  finish_quantized(node, range);
}

namespace {

/// The integers that x's are in another range. Ranges of simple ratios put many numbers just between two integers, so
/// that each rounding on the way matters: the real numbers count from the range's lower end.
ImportedValue counted_from_low(TensorflowNode& node, const ImportedValue& x, const QuantizedRange& own,
                               const QuantizedRange& other) {
  const ImportedValue step = step_of(node, own);
  const ImportedValue low =
      node.binary(BinaryKind::multiply, rounded_away(node, node.binary(BinaryKind::divide, own.low, step)), step);
  const ImportedValue start =
      node.binary(BinaryKind::subtract, low, node.affine(step, static_cast<float>(own.least()), 0.0F));
  return as_integers(node, node.binary(BinaryKind::add, node.binary(BinaryKind::multiply, x, step), start), other);
}

/// The same by a table, where both ranges are known: as arithmetic, its steps would become one with one rounding.
ImportedValue by_table(TensorflowNode& node, const ImportedValue& x, const QuantizedRange& own,
                       const QuantizedRange& other) {
  std::vector<std::int64_t> integers(static_cast<std::size_t>(own.greatest() - own.least()) + 1);
  std::iota(integers.begin(), integers.end(), range_of(own.type).low);
  const auto count = static_cast<std::int64_t>(integers.size());
  const ImportedValue all =
      node.cast(TensorflowNode::constant_value(make_tensor(ElementType::int64, {count}, std::move(integers))),
                ElementType::float32);
  const ImportedValue places = node.affine(x, 1.0F, static_cast<float>(-own.least()));
  return node.gather(counted_from_low(node, all, own, other), places, 0);
}

ImportedValue in_another_range(TensorflowNode& node, const ImportedValue& x, const QuantizedRange& own,
                               const QuantizedRange& other) {
  const ImportedValue same = node.binary(BinaryKind::logical_and, node.binary(BinaryKind::equal, own.low, other.low),
                                         node.binary(BinaryKind::equal, own.high, other.high));
  if (!same.is_constant()) return node.select(same, x, counted_from_low(node, x, own, other));
  if (same.constant->real(0) != 0) return x;
  const bool few = own.greatest() - own.least() < 65536;
  return few ? by_table(node, x, own, other) : counted_from_low(node, x, own, other);
}

}  // namespace

/// Inputs: the axis, parts, the lower ends of their ranges, the upper ones.
void convert_tensorflow_quantized_concat(TensorflowNode& node) {
  const std::size_t count = (node.input_count() - 1) / 3;
  if (count == 0 || node.input_count() != 1 + 3 * count) TensorflowNode::malformed("its parts and ranges do not fit");
  const std::int64_t axis = TensorflowNode::axis(node.integer(0, "axis"), node.rank(1));
  std::vector<QuantizedRange> ranges;
  bool images = node.rank(1) == 4;
  for (std::size_t i = 0; i < count; ++i) {
    ranges.push_back(range_at(node, 1 + i, 1 + count + i, 1 + 2 * count + i));
    images = images && node.is_image(1 + i);
  }
  QuantizedRange all = ranges[0];
  for (const QuantizedRange& range : ranges) {
    all.low = node.binary(BinaryKind::minimum, all.low, range.low);
    all.high = node.binary(BinaryKind::maximum, all.high, range.high);
  }
  if (all.least() < 0) {
    all.high = node.binary(BinaryKind::maximum, node.unary({.kind = UnaryKind::abs}, all.low),
                           node.unary({.kind = UnaryKind::abs}, all.high));
    all.low = node.affine(all.high, -1.0F, 0.0F);
  } else {
    all.low = node.binary(BinaryKind::minimum, all.low, real_number(0.0F));
  }
  std::vector<ImportedValue> parts;
  for (std::size_t i = 0; i < count; ++i) {
    const ImportedValue part = images ? node.image(1 + i) : node.in(1 + i);
    parts.push_back(in_another_range(node, node.cast(part, ElementType::float32), ranges[i], all));
  }
  if (images) {
    node.result_image(node.concat(parts, image_axis(axis)));
  } else {
    node.result(node.concat(parts, axis));
  }
  finish_quantized(node, all);
}

/// The real ends of what is there: outputs of their own, to requantize to.
void convert_tensorflow_requantization_range(TensorflowNode& node) {
  const QuantizedRange range = extremes(node);
  node.outputs({tensorflow_value(range.low), tensorflow_value(range.high)});
}

/// Requantize, to a range that is given, and QuantizeDownAndShrinkRange, to that of what is there.
void convert_tensorflow_requantize(TensorflowNode& node) {
  const QuantizedRange range = range_at(node, 0, 1, 2);
  const bool given = node.type() == "Requantize";
  const QuantizedRange wanted =
      given ? QuantizedRange{range_end(node, 3), range_end(node, 4), type_by(node, "out_type", ElementType::uint8)}
            : extremes(node);
  held(node, 0, [&](const ImportedValue& x) {
    // From 32 bits to 8 the lower end stands for the least integer exactly, whether or not 0 is then one.
    const ImportedValue real = as_real(node, x, range);
    if (!range.centred() || wanted.centred()) return as_integers(node, real, wanted);
    const ImportedValue above = node.binary(BinaryKind::subtract, real, wanted.low);
    const ImportedValue steps = in_steps(node, above, wanted);
    const ImportedValue whole =
        node.unary({.kind = UnaryKind::floor}, node.affine(steps, 1.0F, static_cast<float>(wanted.least()) + 0.5F));
    return in_range_of_type(node, whole, wanted);
  });
  finish_quantized(node, wanted);
}

}  // namespace octavo::graph
