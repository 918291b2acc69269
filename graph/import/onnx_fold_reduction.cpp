// SPDX-License-Identifier: Apache-2.0
// Folding of reductions: exporters multiply dimensions, and sum or compare them.
#include "graph/import/onnx_fold.h"
#include "graph/import/onnx_operators.h"

namespace octavo::graph {
namespace {

std::optional<ReductionKind> folded_kind(const std::string& type) {
  if (type == "ReduceProd") return ReductionKind::product;
  if (type == "ReduceSum") return ReductionKind::sum;
  if (type == "ReduceMean") return ReductionKind::mean;
  if (type == "ReduceMax") return ReductionKind::max;
  if (type == "ReduceMin") return ReductionKind::min;
  return std::nullopt;
}

}  // namespace

ConstantPtr fold_onnx_reduction(const OnnxNode& node, ImportBudget& budget) {
  const std::optional<ReductionKind> kind = folded_kind(node.type());
  if (!kind) return nullptr;
  return reduced(*kind, node.constant(0, "input"), onnx_reduction(node), budget);
}

}  // namespace octavo::graph
