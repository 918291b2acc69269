// SPDX-License-Identifier: Apache-2.0
// Quantized operators, with their meaning exactly: integers are computed as fp32 numbers, which hold them (sums beyond
// 2^24 are rounded to 24 bits). Rounding onto a grid is division, round half to even, and a clip.
#include <fmt/core.h>

#include <algorithm>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/onnx_operators.h"
#include "graph/transposed.h"

namespace octavo::graph {
namespace {

/// A parameter for each position of an axis as a value that broadcasts to x; blocks are repeated.
ImportedValue along_axis(OnnxNode& node, const ImportedValue& parameter, const Shape& x, std::int64_t given_axis,
                         std::int64_t block) {
  if (element_count(parameter.shape) == 1) return node.add_reshape(parameter, {});
  const auto rank = static_cast<std::int64_t>(x.size());
  const std::int64_t axis = canonical_axis(given_axis, rank);
  const std::int64_t size = x[static_cast<std::size_t>(axis)];
  if (block == 0) {
    require(parameter.shape == Shape{size}, "parameters {} for axis {} of {}", to_text(parameter.shape), axis,
            to_text(x));
    Shape shape(x.size(), 1);
    shape[static_cast<std::size_t>(axis)] = size;
    return node.add_reshape(parameter, shape, shape);
  }
  require(parameter.shape.size() == x.size() && block > 0, "blocks of {} and scales {}", block,
          to_text(parameter.shape));
  // [.., blocks, ..] -> [.., blocks, block, ..] -> [.., size, ..]
  Shape split = parameter.shape, joined = parameter.shape;
  split.insert(split.begin() + axis + 1, 1);
  joined[static_cast<std::size_t>(axis)] = checked_product(joined[static_cast<std::size_t>(axis)], block);
  ImportedValue y = node.add_reshape(parameter, split, split);
  y = node.add(Tile{.axis = axis + 1, .tiles = block}, {y});
  y = node.add_reshape(y, joined, joined);
  if (joined[static_cast<std::size_t>(axis)] == size) return y;
  return node.add(StridedSlice{.axes = {axis}, .begins = {0}, .ends = {size}, .steps = {1}}, {y});
}

bool is_zero(const ImportedValue& value) {
  if (!value.is_constant()) return false;
  for (std::size_t i = 0; i < static_cast<std::size_t>(value.constant->count()); ++i) {
    if (value.constant->real(i) != 0) return false;
  }
  return true;
}

ImportedValue optional(const OnnxNode& node, std::size_t input) {
  return node.has_input(input) ? node.input(input) : OnnxNode::constant_value(0.0F);
}

/// x - zero point, of constants a constant. `as_rows`: a vector of zero points belongs to x's rows, not its columns.
ImportedValue centered(OnnxNode& node, const ImportedValue& x, ImportedValue zero, bool as_rows = false) {
  ImportedValue integers = x;
  integers.dequantized = true;
  if (x.is_constant()) node.budget().take(x.constant->count());
  if (as_rows && zero.shape.size() == 1 && zero.shape[0] > 1) {
    zero = node.add_reshape(zero, {zero.shape[0], 1}, {zero.shape[0], 1});
  }
  if (is_zero(zero)) {
    if (x.is_constant() && !x.constant->floating()) {
      integers = OnnxNode::constant_value(make_tensor(ElementType::float32, x.shape, [&] {
        const Data<float> numbers = to_floats(*x.constant);
        return std::vector<float>(numbers.values.begin(), numbers.values.end());
      }()));
    }
    return integers;
  }
  if (x.is_constant() && zero.is_constant()) {
    const Shape shape = broadcast(x.shape, zero.shape);
    if (shape == x.shape) {
      const std::int64_t columns = zero.constant->count() == 1 ? 1 : x.shape.back();
      const bool rows = zero.shape.size() > 1 && zero.shape.back() == 1;
      std::vector<float> values;
      for (std::int64_t i = 0; i < x.constant->count(); ++i) {
        const std::int64_t at = zero.constant->count() == 1 ? 0
                                : rows                      ? i / columns % zero.constant->count()
                                                            : i % columns;
        values.push_back(static_cast<float>(x.constant->real(static_cast<std::size_t>(i)) -
                                            zero.constant->real(static_cast<std::size_t>(at))));
      }
      return OnnxNode::constant_value(make_tensor(ElementType::float32, shape, std::move(values)));
    }
  }
  ImportedValue y = node.add_binary(BinaryKind::subtract, integers, zero);
  if (!integers.is_constant()) y.shape = integers.shape;
  y.dequantized = true;
  return y;
}

ImportedValue dequantized(OnnxNode& node, const ImportedValue& x, const ImportedValue& scale,
                          const ImportedValue& zero) {
  ImportedValue y = node.add_binary(BinaryKind::multiply, centered(node, x, zero), scale);
  y.shape = x.shape;
  y.type = ElementType::float32;
  y.dequantized = true;
  return y;
}

/// The numbers of weights minus their zero point, one for all or one an output channel.
ConstantPtr centered_weights(const OnnxNode& node, std::size_t input, std::size_t zero_input) {
  const ConstantTensor& weights = node.constant(input, "weights");
  node.budget().take(weights.count());
  std::vector<float> values;
  const bool has_zero = node.has_input(zero_input);
  const std::int64_t channels = weights.shape.empty() ? 1 : weights.shape[0];
  const std::int64_t each = channels == 0 ? 1 : std::max<std::int64_t>(weights.count() / channels, 1);
  for (std::int64_t i = 0; i < weights.count(); ++i) {
    double zero = 0;
    if (has_zero) {
      const ConstantTensor& zeros = node.constant(zero_input, "zero points");
      require(zeros.count() == 1 || zeros.count() == channels, "{} zero points", zeros.count());
      zero = zeros.real(zeros.count() == 1 ? 0 : static_cast<std::size_t>(i / each));
    }
    values.push_back(static_cast<float>(weights.real(static_cast<std::size_t>(i)) - zero));
  }
  return make_tensor(ElementType::float32, weights.shape, std::move(values));
}

/// A product of scales as constants where they are, else as values.
ImportedValue product(OnnxNode& node, const ImportedValue& a, const ImportedValue& b) {
  if (!a.is_constant() || !b.is_constant()) return node.add_binary(BinaryKind::multiply, a, b);
  const ImportedValue& more = a.constant->count() >= b.constant->count() ? a : b;
  const ImportedValue& less = a.constant->count() >= b.constant->count() ? b : a;
  require(less.constant->count() == 1 || less.shape == more.shape, "scales {} and {}", to_text(a.shape),
          to_text(b.shape));
  std::vector<float> values;
  for (std::size_t i = 0; i < static_cast<std::size_t>(more.constant->count()); ++i) {
    values.push_back(static_cast<float>(more.constant->real(i)) *
                     static_cast<float>(less.constant->real(less.constant->count() == 1 ? 0 : i)));
  }
  return OnnxNode::constant_value(make_tensor(ElementType::float32, more.shape, std::move(values)));
}

/// A vector of scales that belongs to the rows of a matrix.
ImportedValue row_scale(OnnxNode& node, const ImportedValue& scale, const Shape& matrix) {
  const bool of_rows = scale.shape.size() == 1 && scale.shape[0] > 1 && matrix.size() >= 2;
  return of_rows ? node.add_reshape(scale, {scale.shape[0], 1}, {scale.shape[0], 1}) : scale;
}

}  // namespace

ImportedValue onnx_to_grid(OnnxNode& node, const ImportedValue& x, const ImportedValue& scale,
                           const ImportedValue& zero_point, ElementType type) {
  ImportedValue y = node.add_binary(BinaryKind::divide, x, scale);
  y = node.add_unary(UnaryKind::round, y);
  if (!is_zero(zero_point)) y = node.add_binary(BinaryKind::add, y, zero_point);
  const ElementRange range = range_of(type);
  y = node.add_unary(UnaryKind::clip, y, static_cast<float>(range.low), static_cast<float>(range.high));
  y.shape = x.shape;
  y.type = type;
  return y;
}

void convert_onnx_quantize_linear(OnnxNode& node) {
  const ImportedValue& x = node.input();
  const std::int64_t axis = node.attributes().integer("axis", 1), block = node.attributes().integer("block_size", 0);
  const std::int64_t named = node.attributes().integer("output_dtype", 0);
  const ElementType type = node.has_input(2) ? node.input(2).type
                           : named != 0      ? onnx_type(static_cast<std::uint64_t>(named))
                                             : ElementType::uint8;
  if (is_floating(type)) OnnxNode::unsupported("floating-point numbers of 8 bits");
  const ImportedValue scale = along_axis(node, node.input(1), x.shape, axis, block);
  const ImportedValue zero =
      node.has_input(2) ? along_axis(node, node.input(2), x.shape, axis, block) : OnnxNode::constant_value(0.0F);
  node.result(onnx_to_grid(node, x, scale, zero, type));
}

void convert_onnx_dequantize_linear(OnnxNode& node) {
  const ImportedValue& x = node.input();
  const std::int64_t axis = node.attributes().integer("axis", 1), block = node.attributes().integer("block_size", 0);
  const ImportedValue scale = along_axis(node, node.input(1), x.shape, axis, block);
  const ImportedValue zero =
      node.has_input(2) ? along_axis(node, node.input(2), x.shape, axis, block) : OnnxNode::constant_value(0.0F);
  node.result(dequantized(node, x, scale, zero));
}

void convert_onnx_dynamic_quantize_linear(OnnxNode& node) {
  const ImportedValue& x = node.input();
  const ImportedValue zero = OnnxNode::constant_value(0.0F);
  const auto extreme = [&](ReductionKind kind, BinaryKind with_zero) {
    const ImportedValue whole = node.add_reshape(node.add(Reduction{.kind = kind, .axis = 0}, {x}), {});
    return node.add_binary(with_zero, whole, zero);
  };
  const ImportedValue greatest = extreme(ReductionKind::max, BinaryKind::maximum);
  const ImportedValue least = extreme(ReductionKind::min, BinaryKind::minimum);
  const ImportedValue range = node.add_binary(BinaryKind::subtract, greatest, least);
  ImportedValue scale = node.add_binary(BinaryKind::divide, range, OnnxNode::constant_value(255.0F));
  scale = node.add(Select{}, {range, scale, OnnxNode::constant_value(1.0F)});  // all zeros: any scale will do
  scale.shape = {};
  scale.type = ElementType::float32;
  ImportedValue shift = node.add_binary(BinaryKind::divide, node.add_affine(least, -1.0F, 0.0F), scale);
  shift = node.add_unary(UnaryKind::clip, node.add_unary(UnaryKind::round, shift), 0.0F, 255.0F);
  shift.type = ElementType::uint8;
  const ImportedValue y = onnx_to_grid(node, x, scale, shift, ElementType::uint8);
  node.results({y, scale, shift});
}

void convert_onnx_conv_integer(OnnxNode& node) {
  const ImportedValue x = centered(node, node.input(0), optional(node, 2));
  ImportedValue y = onnx_convolution(node, x, *centered_weights(node, 1, 3), nullptr);
  y.type = ElementType::int32;
  node.result(std::move(y));
}

/// Inputs: x, its scale and zero point, weights, theirs, the result's scale and zero point, biases.
void convert_onnx_qlinear_conv(OnnxNode& node) {
  const ImportedValue x = centered(node, node.input(0), node.input(2));
  const ConstantPtr weights = centered_weights(node, 3, 5);
  BlobPtr bias;
  if (node.has_input(8)) {  // in steps of the product of the scales, as the sums are
    Blob blob;
    const ConstantTensor& stored = node.constant(8, "biases");
    blob.shape = {stored.count()};
    blob.f32 = to_floats(stored);
    bias = std::make_shared<const Blob>(std::move(blob));
  }
  ImportedValue y = onnx_convolution(node, x, *weights, std::move(bias));
  ImportedValue scale = product(node, node.input(1), node.input(4));
  if (element_count(scale.shape) > 1) scale = along_axis(node, scale, y.shape, 1, 0);
  y = add_arithmetic(node, BinaryKind::multiply, y, scale);
  node.result(onnx_to_grid(node, y, node.input(6), node.input(7), node.input(7).type));
}

void convert_onnx_matmul_integer(OnnxNode& node) {
  const ImportedValue a = centered(node, node.input(0), optional(node, 2), true);
  const ImportedValue b = centered(node, node.input(1), optional(node, 3));
  ImportedValue y = add_matrix_product(node, a, b);
  y.type = ElementType::int32;
  node.result(std::move(y));
}

/// Inputs: a, its scale and zero point, b, its scale and zero point, the result's.
void convert_onnx_qlinear_matmul(OnnxNode& node) {
  const ImportedValue a = centered(node, node.input(0), node.input(2), true);
  const ImportedValue b = centered(node, node.input(3), node.input(5));
  ImportedValue y = add_matrix_product(node, a, b);
  y = add_arithmetic(node, BinaryKind::multiply, y, row_scale(node, node.input(1), y.shape));
  y = add_arithmetic(node, BinaryKind::multiply, y, node.input(4));
  node.result(onnx_to_grid(node, y, node.input(6), node.input(7), node.input(7).type));
}

/// ONNX Runtime's own: a, its scale and zero point, b, its scale and zero point, the result's.
void convert_onnx_qlinear_binary(OnnxNode& node) {
  const ImportedValue a = dequantized(node, node.input(0), node.input(1), optional(node, 2));
  const ImportedValue b = dequantized(node, node.input(3), node.input(4), optional(node, 5));
  const ImportedValue y =
      add_arithmetic(node, node.type() == "QLinearAdd" ? BinaryKind::add : BinaryKind::multiply, a, b);
  node.result(onnx_to_grid(node, y, node.input(6), optional(node, 7), node.input(0).type));
}

/// ONNX Runtime's own: x, its scale and zero point, the result's.
void convert_onnx_qlinear_pool(OnnxNode& node) {
  if (node.attributes().flag("channels_last", false)) OnnxNode::unsupported("channels_last");
  if (node.rank() != 4) OnnxNode::unsupported("a pool of another rank than 4");
  ImportedValue y = dequantized(node, node.input(0), node.input(1), optional(node, 2));
  y = node.type() == "QLinearGlobalAveragePool" ? node.add(Pool{.kind = PoolKind::average, .global = true}, {y})
                                                : onnx_pooled(node, y, false);
  node.result(onnx_to_grid(node, y, node.input(3), optional(node, 4), node.input(0).type));
}

/// ONNX Runtime's own: x, its scale and zero point, the result's.
void convert_onnx_qlinear_unary(OnnxNode& node) {
  ImportedValue y = dequantized(node, node.input(0), node.input(1), optional(node, 2));
  if (node.type() == "QLinearSoftmax") {
    const std::int64_t axis = OnnxNode::axis(node.attributes().integer("axis", -1), node.rank());
    if (node.attributes().integer("opset", 13) < 13 && axis + 1 < node.rank()) {
      OnnxNode::unsupported("a softmax over several dimensions");
    }
    y = node.add(Softmax{.axis = axis}, {y});
  } else if (node.type() == "QLinearSigmoid") {
    y = node.add_unary(UnaryKind::sigmoid, y);
  } else {
    y = node.add_unary(UnaryKind::relu, y, node.attributes().number("alpha", 0.01F));
  }
  node.result(onnx_to_grid(node, y, node.input(3), optional(node, 4), node.input(0).type));
}

/// ONNX Runtime's own: the result's scale and zero point, then value, scale and zero point of each part.
void convert_onnx_qlinear_concat(OnnxNode& node) {
  std::vector<ImportedValue> parts;
  for (std::size_t i = 2; i + 1 < node.input_count(); i += 3) {
    parts.push_back(dequantized(node, node.input(i), node.input(i + 1), optional(node, i + 2)));
  }
  if (parts.empty() || parts[0].shape.empty()) OnnxNode::malformed("it has nothing to join");
  const auto rank = static_cast<std::int64_t>(parts[0].shape.size());
  const ImportedValue y = node.add(Concat{.axis = OnnxNode::axis(node.attributes().integer("axis", 0), rank)}, parts);
  node.result(onnx_to_grid(node, y, node.input(0), node.input(1), node.input(2).type));
}

/// ONNX Runtime's own: a, its scale and zero point, b, its scale and zero point, biases in steps of the scales'
/// product, and, unless the result is fp32, its scale and zero point.
void convert_onnx_qgemm(OnnxNode& node) {
  const OnnxAttributes& attributes = node.attributes();
  ImportedValue a = centered(node, node.input(0), node.input(2));
  if (a.shape.size() != 2 || node.shape(3).size() != 2) OnnxNode::malformed("its inputs are not matrices");
  if (attributes.flag("transA", false)) a = node.add_permute(a, {1, 0});
  ConstantPtr b = centered_weights(node, 3, 5);
  if (attributes.flag("transB", false)) {
    const std::int64_t rows = b->shape[0], columns = b->shape[1];
    b = make_tensor(ElementType::float32, {columns, rows}, transposed<float>(b->floats.values, rows, columns));
  } else if (node.has_input(5) && element_count(node.shape(5)) > 1) {
    OnnxNode::unsupported("a zero point for each column");
  }
  ImportedValue y = add_matrix_product(node, a, OnnxNode::constant_value(std::move(b)));
  if (node.has_input(6)) y = add_arithmetic(node, BinaryKind::add, y, node.input(6));
  y = add_arithmetic(node, BinaryKind::multiply, y, product(node, node.input(1), node.input(4)));
  if (const float alpha = attributes.number("alpha", 1.0F); alpha != 1.0F) y = node.add_affine(y, alpha, 0.0F);
  y.type = ElementType::float32;
  node.result(node.has_input(7) ? onnx_to_grid(node, y, node.input(7), optional(node, 8), node.input(0).type) : y);
}

}  // namespace octavo::graph
