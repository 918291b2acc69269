// SPDX-License-Identifier: Apache-2.0
// TensorFlow's products of matrices. A product by one constant matrix is a Linear layer, which octavo quantizes.
#include <fmt/core.h>

#include <utility>

#include "graph/check.h"
#include "graph/import/node_layers.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {
namespace {

/// The last two dimensions swapped.
ImportedValue turned_matrices(TensorflowNode& node, const ImportedValue& x) {
  std::vector<std::int64_t> order;
  for (std::size_t d = 0; d < x.shape.size(); ++d) order.push_back(static_cast<std::int64_t>(d));
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return node.permute(x, order);
}

/// A map's pixels as features, [N, H * W * C], by a constant matrix: the layer reads the map itself, [N, C, H, W], and
/// the matrix' rows are put into that order.
ImportedValue product_of_flattened(TensorflowNode& node, const ImportedValue& map, const ConstantTensor& matrix) {
  const Shape& shape = map.shape;
  const std::int64_t outs = matrix.shape[1];
  const ConstantPtr pixels = reshaped(matrix, {shape[2], shape[3], shape[1], outs});
  const ConstantPtr weights = permuted(*pixels, {3, 2, 0, 1}, node.budget());
  Linear op;
  op.out_features = outs;
  op.weights = to_blob(*reshaped(*weights, {outs, matrix.shape[0]}));
  return node.add(std::move(op), {map});
}

}  // namespace

void convert_tensorflow_einsum(TensorflowNode& node) {
  std::vector<ImportedValue> operands;
  for (std::size_t i = 0; i < node.input_count(); ++i) operands.push_back(node.in(i));
  node.result(add_einsum(node, node.attributes().text("equation", ""), operands));
}

void convert_tensorflow_matmul(TensorflowNode& node) {
  const bool batched = node.type() != "MatMul";
  const TensorflowAttributes& attributes = node.attributes();
  const bool turn_a = attributes.flag(batched ? "adj_x" : "transpose_a", false);
  const bool turn_b = attributes.flag(batched ? "adj_y" : "transpose_b", false);
  if (node.rank(0) < 2 || node.rank(1) < 2 || (!batched && (node.rank(0) != 2 || node.rank(1) != 2))) {
    TensorflowNode::malformed("its inputs are not matrices");
  }
  ImportedValue b = node.in(1);
  if (turn_b) b = turned_matrices(node, b);
  const auto& map = node.value(0).unflat;
  if (map && !turn_a && b.is_constant() && b.shape.size() == 2 && b.shape[1] > 0) {
    require(node.shape(0)[1] == b.shape[0], "{} features meet a matrix for {}", node.shape(0)[1], b.shape[0]);
    node.result(product_of_flattened(node, *map, *b.constant));
    return;
  }
  ImportedValue a = node.in(0);
  if (turn_a) a = turned_matrices(node, a);
  node.result(add_matrix_product(node, a, b));
}

}  // namespace octavo::graph
