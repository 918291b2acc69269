// SPDX-License-Identifier: Apache-2.0
// Gemm and MatMul. A product by one constant matrix is a Linear layer, which octavo quantizes.
#include <fmt/core.h>

#include "graph/import/onnx_operators.h"

namespace octavo::graph {
namespace {

BlobPtr scaled(const ConstantTensor& numbers, float factor, const Shape& shape) {
  const Data<float> values = to_floats(numbers);
  std::vector<float> result(values.values.begin(), values.values.end());
  for (float& value : result) value *= factor;
  return make_blob(shape, std::move(result));
}

}  // namespace

void convert_onnx_matmul(OnnxNode& node) { node.result(add_matrix_product(node, node.input(0), node.input(1))); }

void convert_onnx_einsum(OnnxNode& node) {
  std::vector<ImportedValue> operands;
  for (std::size_t i = 0; i < node.input_count(); ++i) operands.push_back(node.input(i));
  node.result(add_einsum(node, node.attributes().text("equation", ""), operands));
}

void convert_onnx_gemm(OnnxNode& node) {
  const OnnxAttributes& attributes = node.attributes();
  const float alpha = attributes.number("alpha", 1.0F), beta = attributes.number("beta", 1.0F);
  ImportedValue a = node.input(0);
  ImportedValue b = node.input(1);
  if (a.shape.size() != 2 || b.shape.size() != 2) OnnxNode::malformed("its inputs are not matrices");
  if (attributes.flag("transA", false)) a = node.add_permute(a, {1, 0});
  const bool transposed_b = attributes.flag("transB", false);
  const bool has_c = node.has_input(2) && beta != 0.0F;
  if (b.is_constant() && !a.is_constant()) {
    ConstantPtr weights = transposed_b ? b.constant : turned(*b.constant, node.budget());
    if (alpha != 1.0F) {
      node.budget().take(weights->count());
      const BlobPtr blob = scaled(*weights, alpha, weights->shape);
      weights = make_tensor(ElementType::float32, weights->shape,
                            std::vector<float>(blob->f32.values.begin(), blob->f32.values.end()));
    }
    BlobPtr bias;
    const std::int64_t outs = weights->shape[0];
    const bool as_bias = has_c && node.input(2).is_constant() && node.input(2).constant->count() == outs &&
                         (node.shape(2).empty() || node.shape(2).back() == outs);
    if (as_bias) bias = scaled(*node.input(2).constant, beta, {outs});
    ImportedValue y = add_linear(node, a, *weights, bias);
    if (has_c && !as_bias) {
      const ImportedValue c = beta == 1.0F ? node.input(2) : node.add_affine(node.input(2), beta, 0.0F);
      y = add_arithmetic(node, BinaryKind::add, y, c);
    }
    node.result(std::move(y));
    return;
  }
  if (transposed_b) b = node.add_permute(b, {1, 0});
  ImportedValue y = node.add(MatMul{}, {a, b});
  if (alpha != 1.0F) y = node.add_affine(y, alpha, 0.0F);
  if (has_c) {
    const ImportedValue c = beta == 1.0F ? node.input(2) : node.add_affine(node.input(2), beta, 0.0F);
    y = add_arithmetic(node, BinaryKind::add, y, c);
  }
  node.result(std::move(y));
}

}  // namespace octavo::graph
