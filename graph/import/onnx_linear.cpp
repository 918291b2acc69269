// SPDX-License-Identifier: Apache-2.0
// Gemm and MatMul. A product by one constant matrix is a Linear layer, which octavo quantizes.
#include <fmt/core.h>

#include <algorithm>
#include <span>

#include "graph/check.h"
#include "graph/import/onnx_operators.h"
#include "graph/transposed.h"

namespace octavo::graph {
namespace {

/// A matrix, turned: what was stored in 8 bits stays so.
OnnxTensorPtr turned(const OnnxNode& node, const OnnxTensor& matrix) {
  node.budget().take(matrix.count());
  const std::int64_t rows = matrix.shape[0], columns = matrix.shape[1];
  const Data<float> numbers = to_floats(matrix);
  OnnxTensorPtr plain =
      make_tensor(OnnxType::float32, {columns, rows}, transposed<float>(numbers.values, rows, columns));
  if (!matrix.quantized) return plain;
  const OnnxQuantized& stored = *matrix.quantized;
  auto quantized = std::make_shared<OnnxQuantized>();
  quantized->q = transposed<std::int8_t>(stored.q.values, rows, columns);
  quantized->axis = 1 - stored.axis;
  quantized->block = stored.block;
  quantized->scales = stored.scales;
  if (stored.block != 0) {
    const std::int64_t blocks = (matrix.shape[static_cast<std::size_t>(stored.axis)] - 1) / stored.block + 1;
    quantized->scales = stored.axis == 0 ? transposed<float>(stored.scales, blocks, columns)
                                         : transposed<float>(stored.scales, rows, blocks);
  }
  auto result = std::make_shared<OnnxTensor>(*plain);
  result->quantized = std::move(quantized);
  return result;
}

/// x by weights [out][in]; the features are x's last dimension.
OnnxValue linear(OnnxNode& node, const OnnxValue& x, const OnnxTensor& weights, BlobPtr bias) {
  if (weights.shape[1] != x.shape.back()) {
    OnnxNode::malformed(fmt::format("{} features meet a matrix for {}", x.shape.back(), weights.shape[1]));
  }
  Linear op;
  op.out_features = weights.shape[0];
  op.axis = x.shape.size() == 2 ? 1 : -1;
  op.weights = onnx_weights(weights, !x.dequantized, op.window);
  op.bias = std::move(bias);
  return node.add(std::move(op), {node.unflattened(x)});
}

BlobPtr scaled(const OnnxTensor& numbers, float factor, const Shape& shape) {
  const Data<float> values = to_floats(numbers);
  std::vector<float> result(values.values.begin(), values.values.end());
  for (float& value : result) value *= factor;
  return make_blob(shape, std::move(result));
}

}  // namespace

OnnxValue onnx_matmul(OnnxNode& node, const OnnxValue& a, const OnnxValue& b) {
  if (a.shape.empty() || b.shape.empty()) OnnxNode::malformed("a scalar is no matrix");
  if (b.is_constant() && !a.is_constant() && b.shape.size() == 2) {
    return linear(node, a, *turned(node, *b.constant), nullptr);
  }
  // A vector is a row on the left, a column on the right; its dimension of 1 goes afterwards.
  const bool row = a.shape.size() == 1, column = b.shape.size() == 1;
  const OnnxValue left = row ? node.add_reshape(a, {1, a.shape[0]}) : a;
  const OnnxValue right = column ? node.add_reshape(b, {b.shape[0], 1}) : b;
  OnnxValue y = node.add(MatMul{}, {left, right});
  if (!row && !column) return y;
  Shape shape = y.shape;
  if (column) shape.pop_back();
  if (row) shape.erase(shape.end() - (column ? 1 : 2));
  return node.add_reshape(y, shape);
}

void convert_onnx_matmul(OnnxNode& node) { node.result(onnx_matmul(node, node.input(0), node.input(1))); }

void convert_onnx_gemm(OnnxNode& node) {
  const OnnxAttributes& attributes = node.attributes();
  const float alpha = attributes.number("alpha", 1.0F), beta = attributes.number("beta", 1.0F);
  OnnxValue a = node.input(0);
  OnnxValue b = node.input(1);
  if (a.shape.size() != 2 || b.shape.size() != 2) OnnxNode::malformed("its inputs are not matrices");
  if (attributes.flag("transA", false)) a = node.add_permute(a, {1, 0});
  const bool transposed_b = attributes.flag("transB", false);
  const bool has_c = node.has_input(2) && beta != 0.0F;
  if (b.is_constant() && !a.is_constant()) {
    OnnxTensorPtr weights = transposed_b ? b.constant : turned(node, *b.constant);
    if (alpha != 1.0F) {
      node.budget().take(weights->count());
      const BlobPtr blob = scaled(*weights, alpha, weights->shape);
      weights = make_tensor(OnnxType::float32, weights->shape,
                            std::vector<float>(blob->f32.values.begin(), blob->f32.values.end()));
    }
    BlobPtr bias;
    const std::int64_t outs = weights->shape[0];
    const bool as_bias = has_c && node.input(2).is_constant() && node.input(2).constant->count() == outs &&
                         (node.shape(2).empty() || node.shape(2).back() == outs);
    if (as_bias) bias = scaled(*node.input(2).constant, beta, {outs});
    OnnxValue y = linear(node, a, *weights, bias);
    if (has_c && !as_bias) {
      const OnnxValue c = beta == 1.0F ? node.input(2) : node.add_affine(node.input(2), beta, 0.0F);
      y = onnx_binary(node, BinaryKind::add, y, c);
    }
    node.result(std::move(y));
    return;
  }
  if (transposed_b) b = node.add_permute(b, {1, 0});
  OnnxValue y = node.add(MatMul{}, {a, b});
  if (alpha != 1.0F) y = node.add_affine(y, alpha, 0.0F);
  if (has_c) {
    const OnnxValue c = beta == 1.0F ? node.input(2) : node.add_affine(node.input(2), beta, 0.0F);
    y = onnx_binary(node, BinaryKind::add, y, c);
  }
  node.result(std::move(y));
}

}  // namespace octavo::graph
