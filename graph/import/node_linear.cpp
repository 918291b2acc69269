// SPDX-License-Identifier: Apache-2.0
// Products of matrices: see graph/import/node_layers.h.
#include <fmt/core.h>

#include <utility>

#include "graph/import/node_layers.h"
#include "graph/transposed.h"

namespace octavo::graph {

ConstantPtr turned(const ConstantTensor& matrix, ImportBudget& budget) {
  budget.take(matrix.count());
  const std::int64_t rows = matrix.shape[0], columns = matrix.shape[1];
  const Data<float> numbers = to_floats(matrix);
  ConstantPtr plain =
      make_tensor(ElementType::float32, {columns, rows}, transposed<float>(numbers.values, rows, columns));
  if (!matrix.quantized) return plain;
  const QuantizedConstant& stored = *matrix.quantized;
  auto quantized = std::make_shared<QuantizedConstant>();
  quantized->q = transposed<std::int8_t>(stored.q.values, rows, columns);
  quantized->axis = 1 - stored.axis;
  quantized->block = stored.block;
  quantized->scales = stored.scales;
  if (stored.block != 0) {
    const std::int64_t blocks = (matrix.shape[static_cast<std::size_t>(stored.axis)] - 1) / stored.block + 1;
    quantized->scales = stored.axis == 0 ? transposed<float>(stored.scales, blocks, columns)
                                         : transposed<float>(stored.scales, rows, blocks);
  }
  auto result = std::make_shared<ConstantTensor>(*plain);
  result->quantized = std::move(quantized);
  return result;
}

ImportedValue add_linear(NodeBuilder& node, const ImportedValue& x, const ConstantTensor& weights, BlobPtr bias) {
  if (weights.shape[1] != x.shape.back()) {
    NodeBuilder::malformed(fmt::format("{} features meet a matrix for {}", x.shape.back(), weights.shape[1]));
  }
  Linear op;
  op.out_features = weights.shape[0];
  op.axis = x.shape.size() == 2 ? 1 : -1;
  op.weights = layer_weights(weights, !x.dequantized, op.window);
  op.bias = std::move(bias);
  return node.add(std::move(op), {node.unflattened(x)});
}

ImportedValue add_matrix_product(NodeBuilder& node, const ImportedValue& a, const ImportedValue& b) {
  if (a.shape.empty() || b.shape.empty()) NodeBuilder::malformed("a scalar is no matrix");
  if (b.is_constant() && !a.is_constant() && b.shape.size() == 2) {
    return add_linear(node, a, *turned(*b.constant, node.budget()), nullptr);
  }
  // A vector is a row on the left, a column on the right; its dimension of 1 goes afterwards.
  const bool row = a.shape.size() == 1, column = b.shape.size() == 1;
  const ImportedValue left = row ? node.add_reshape(a, {1, a.shape[0]}) : a;
  const ImportedValue right = column ? node.add_reshape(b, {b.shape[0], 1}) : b;
  ImportedValue y = node.add(MatMul{}, {left, right});
  if (!row && !column) return y;
  Shape shape = y.shape;
  if (column) shape.pop_back();
  if (row) shape.erase(shape.end() - (column ? 1 : 2));
  return node.add_reshape(y, shape);
}

}  // namespace octavo::graph
