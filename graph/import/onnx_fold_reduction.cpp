// SPDX-License-Identifier: Apache-2.0
// Folding of reductions: exporters multiply dimensions, and sum or compare them.
#include <algorithm>
#include <limits>

#include "graph/check.h"
#include "graph/import/onnx_fold.h"
#include "graph/import/onnx_operators.h"

namespace octavo::graph {
namespace {

using Combine = double (*)(double, double);

struct Rule {
  double first;
  Combine combine;
};

std::optional<Rule> rule_of(const std::string& type) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (type == "ReduceProd") return Rule{1, [](double a, double b) { return a * b; }};
  if (type == "ReduceSum" || type == "ReduceMean") return Rule{0, [](double a, double b) { return a + b; }};
  if (type == "ReduceMax") return Rule{-kInfinity, [](double a, double b) { return std::max(a, b); }};
  if (type == "ReduceMin") return Rule{kInfinity, [](double a, double b) { return std::min(a, b); }};
  return std::nullopt;
}

}  // namespace

OnnxTensorPtr fold_onnx_reduction(const OnnxNode& node, OnnxBudget& budget) {
  const std::optional<Rule> rule = rule_of(node.type());
  if (!rule) return nullptr;
  const OnnxTensor& x = node.constant(0, "input");
  const OnnxReduction reduction = onnx_reduction(node);
  budget.take(x.count());
  std::vector<double> values(static_cast<std::size_t>(element_count(reduction.kept)), rule->first);
  for (std::int64_t i = 0; i < x.count(); ++i) {
    // The place of element i when the reduced dimensions count 1.
    std::int64_t rest = i, at = 0, stride = 1;
    for (std::size_t d = x.shape.size(); d-- > 0;) {
      if (reduction.kept[d] == x.shape[d]) {
        at += rest % x.shape[d] * stride;
        stride *= x.shape[d];
      }
      rest /= x.shape[d];
    }
    double& value = values[static_cast<std::size_t>(at)];
    value = rule->combine(value, x.real(static_cast<std::size_t>(i)));
  }
  if (node.type() == "ReduceMean" && !values.empty()) {
    const double each = static_cast<double>(x.count()) / static_cast<double>(values.size());
    for (double& value : values) value /= each;
  }
  return tensor_of(x.type, reduction.shape, values);
}

}  // namespace octavo::graph
