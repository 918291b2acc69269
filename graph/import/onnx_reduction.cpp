// SPDX-License-Identifier: Apache-2.0
// Reductions over any axes, as permutation, reduction of the last dimensions, and reshape; ArgMax and ArgMin.
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

bool contains(const std::vector<std::int64_t>& list, std::int64_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

OnnxReduction onnx_reduction(const OnnxNode& node) {
  OnnxReduction reduction;
  const std::int64_t rank = node.rank();
  std::vector<std::int64_t> axes;
  if (node.opset() < axes_as_input(node.type())) {
    axes = node.attributes().integers("axes");
    if (axes.empty() && node.type() == "MeanVarianceNormalization") axes = {0, 2, 3};
  } else {
    axes = node.integers(1, "axes").value_or(std::vector<std::int64_t>{});
  }
  reduction.axes = onnx_axes(axes, rank);
  if (axes.empty() && !node.attributes().flag("noop_with_empty_axes", false)) {
    for (std::int64_t d = 0; d < rank; ++d) reduction.axes.push_back(d);
  }
  std::sort(reduction.axes.begin(), reduction.axes.end());
  const bool keep = node.attributes().flag("keepdims", true);
  for (std::int64_t d = 0; d < rank; ++d) {
    const bool reduced = contains(reduction.axes, d);
    const std::int64_t size = node.shape()[static_cast<std::size_t>(d)];
    reduction.kept.push_back(reduced ? 1 : size);
    if (!reduced || keep) reduction.shape.push_back(reduction.kept.back());
  }
  return reduction;
}

OnnxValue onnx_reduce(OnnxNode& node, ReductionKind kind, const OnnxValue& x, const OnnxReduction& reduction) {
  const auto rank = static_cast<std::int64_t>(x.shape.size());
  if (rank == 0) return node.add_reshape(node.add(Reduction{.kind = kind, .axis = 0}, {x}), {});
  // The mean of each channel's map is a pool, which takes the map as convolutions leave it.
  if (kind == ReductionKind::mean && rank == 4 && reduction.axes == std::vector<std::int64_t>{2, 3}) {
    return node.add_reshape(node.add(Pool{.kind = PoolKind::average, .global = true}, {x}), reduction.shape);
  }
  std::vector<std::int64_t> order;
  for (std::int64_t d = 0; d < rank; ++d) {
    if (!contains(reduction.axes, d)) order.push_back(d);
  }
  const auto kept = static_cast<std::int64_t>(order.size());
  order.insert(order.end(), reduction.axes.begin(), reduction.axes.end());
  OnnxValue y = node.add_permute(x, order);
  if (kept == rank) {  // of nothing: each number by itself
    y = node.add_reshape(y, [&] {
      Shape longer = y.shape;
      longer.push_back(1);
      return longer;
    }());
  }
  y = node.add(Reduction{.kind = kind, .axis = kept}, {y});
  return node.add_reshape(y, reduction.shape);
}

void convert_onnx_reduce(OnnxNode& node) {
  const OnnxReduction reduction = onnx_reduction(node);
  OnnxValue y = node.input();
  const bool nothing = reduction.axes.empty() && node.attributes().flag("noop_with_empty_axes", false);
  const std::string& type = node.type();
  if (!nothing || type == "ReduceL1" || type == "ReduceSumSquare" || type == "ReduceL2") {
    y = onnx_reduce(node, kind_of(type), y, reduction);
  }
  if (type == "ReduceL2") y = node.add_unary(UnaryKind::power, y, 0.0F, 1.0F, 0.5F);
  if (type == "ReduceLogSum") y = node.add_unary(UnaryKind::log, y, -1.0F, 0.0F, 1.0F);
  node.result(std::move(y));
}

void convert_onnx_arg(OnnxNode& node) {
  const OnnxValue& x = node.input();
  if (x.shape.empty()) OnnxNode::malformed("its input is a scalar");
  ArgMax op;
  op.has_axis = true;
  op.axis = OnnxNode::axis(node.attributes().integer("axis", 0), node.rank());
  op.first = !node.attributes().flag("select_last_index", false);
  OnnxValue y = node.type() == "ArgMin" ? node.add_affine(x, -1.0F, 0.0F) : x;
  y = node.add(op, {y});
  if (!node.attributes().flag("keepdims", true)) {
    Shape shape = y.shape;
    shape.erase(shape.begin() + op.axis);
    y = node.add_reshape(y, shape);
  }
  y.type = OnnxType::int64;
  node.result(std::move(y));
}

}  // namespace octavo::graph
