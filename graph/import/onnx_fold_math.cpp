// SPDX-License-Identifier: Apache-2.0
// Folding of arithmetic, element by element.
#include "graph/import/onnx_fold.h"
#include "graph/import/onnx_operators.h"

namespace octavo::graph {

ConstantPtr fold_onnx_math(const OnnxNode& node, ImportBudget& budget) {
  const std::string& type = node.type();
  if (type == "Where") {
    return selected(node.constant(0, "condition"), node.constant(1, "input"), node.constant(2, "input"), budget);
  }
  if (const std::optional<Unary> function = onnx_function(node)) {
    ConstantPtr result = mapped(*function, node.constant(0, "input"), budget);
    return onnx_gives_truth(type) ? cast_to(*result, ElementType::boolean, budget) : result;
  }
  const std::optional<BinaryKind> kind = onnx_binary_kind(node);
  if (!kind || type == "Mean") return nullptr;
  ConstantPtr result = node.input(0).constant;
  for (std::size_t i = 1; i < node.input_count(); ++i) {
    result = combined(*kind, *result, node.constant(i, "input"), budget);
  }
  return result;
}

}  // namespace octavo::graph
