// SPDX-License-Identifier: Apache-2.0
// Reductions over any axes; ArgMax and ArgMin.
#include <algorithm>
#include <map>
#include <string_view>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/onnx_fold.h"
#include "graph/import/onnx_operators.h"

namespace octavo::graph {
namespace {

/// From which operator set on the axes are an input.
std::int64_t axes_as_input(std::string_view type) {
  if (type == "ReduceSum") return 13;
  return type == "MeanVarianceNormalization" ? 1000 : 18;
}

ReductionKind kind_of(std::string_view type) {
  static const std::map<std::string_view, ReductionKind> table{
      {"ReduceL1", ReductionKind::abs_sum}, {"ReduceL2", ReductionKind::square_sum},
      {"ReduceLogSum", ReductionKind::sum}, {"ReduceLogSumExp", ReductionKind::log_sum_exp},
      {"ReduceMax", ReductionKind::max},    {"ReduceMean", ReductionKind::mean},
      {"ReduceMin", ReductionKind::min},    {"ReduceProd", ReductionKind::product},
      {"ReduceSum", ReductionKind::sum},    {"ReduceSumSquare", ReductionKind::square_sum},
  };
  return table.at(type);
}

}  // namespace

ReducedAxes onnx_reduction(const OnnxNode& node) {
  std::vector<std::int64_t> axes;
  if (node.opset() < axes_as_input(node.type())) {
    axes = node.attributes().integers("axes");
    if (axes.empty() && node.type() == "MeanVarianceNormalization") axes = {0, 2, 3};
  } else {
    axes = node.integers(1, "axes").value_or(std::vector<std::int64_t>{});
  }
  const bool all = axes.empty() && !node.attributes().flag("noop_with_empty_axes", false);
  axes = canonical_axes(axes, node.rank());
  if (all) {
    for (std::int64_t d = 0; d < node.rank(); ++d) axes.push_back(d);
  }
  return reduced_axes(node.shape(), std::move(axes), node.attributes().flag("keepdims", true));
}

void convert_onnx_reduce(OnnxNode& node) {
  const ReducedAxes reduction = onnx_reduction(node);
  ImportedValue y = node.input();
  const bool nothing = reduction.axes.empty() && node.attributes().flag("noop_with_empty_axes", false);
  const std::string& type = node.type();
  if (!nothing || type == "ReduceL1" || type == "ReduceSumSquare" || type == "ReduceL2") {
    y = add_reduction(node, kind_of(type), y, reduction);
  }
  if (type == "ReduceL2") y = node.add_unary(UnaryKind::power, y, 0.0F, 1.0F, 0.5F);
  if (type == "ReduceLogSum") y = node.add_unary(UnaryKind::log, y, -1.0F, 0.0F, 1.0F);
  node.result(std::move(y));
}

void convert_onnx_arg(OnnxNode& node) {
  const ImportedValue& x = node.input();
  if (x.shape.empty()) OnnxNode::malformed("its input is a scalar");
  ArgMax op;
  op.has_axis = true;
  op.axis = OnnxNode::axis(node.attributes().integer("axis", 0), node.rank());
  op.first = !node.attributes().flag("select_last_index", false);
  ImportedValue y = node.type() == "ArgMin" ? node.add_affine(x, -1.0F, 0.0F) : x;
  y = node.add(op, {y});
  if (!node.attributes().flag("keepdims", true)) {
    Shape shape = y.shape;
    shape.erase(shape.begin() + op.axis);
    y = node.add_reshape(y, shape);
  }
  y.type = ElementType::int64;
  node.result(std::move(y));
}

}  // namespace octavo::graph
