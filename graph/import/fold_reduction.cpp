// SPDX-License-Identifier: Apache-2.0
// Folding of reductions.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "graph/check.h"
#include "graph/import/fold.h"

namespace octavo::graph {
namespace {

/// Where a reduction begins, and what it does with each number.
struct ReductionRule {
  double first;
  double (*step)(double, double);
};

ReductionRule reduction_rule(ReductionKind kind) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  switch (kind) {
    case ReductionKind::product:
      return {1, [](double a, double b) { return a * b; }};
    case ReductionKind::abs_sum:
      return {0, [](double a, double b) { return a + std::fabs(b); }};
    case ReductionKind::square_sum:
      return {0, [](double a, double b) { return a + b * b; }};
    case ReductionKind::max:
      return {-kInfinity, [](double a, double b) { return a > b || std::isnan(a) ? a : b; }};
    case ReductionKind::min:
      return {kInfinity, [](double a, double b) { return a < b || std::isnan(a) ? a : b; }};
    case ReductionKind::log_sum_exp:
      return {-kInfinity, [](double a, double b) {
                const double high = std::max(a, b);
                return std::isinf(high) ? high : high + std::log(std::exp(a - high) + std::exp(b - high));
              }};
    case ReductionKind::sum:
    case ReductionKind::mean:
      break;
  }
  return {0, [](double a, double b) { return a + b; }};
}

}  // namespace

ReducedAxes reduced_axes(const Shape& x, std::vector<std::int64_t> axes, bool keep) {
  ReducedAxes over;
  std::sort(axes.begin(), axes.end());
  over.axes = std::move(axes);
  for (std::size_t d = 0; d < x.size(); ++d) {
    const bool reduced = std::binary_search(over.axes.begin(), over.axes.end(), static_cast<std::int64_t>(d));
    over.kept.push_back(reduced ? 1 : x[d]);
    if (!reduced || keep) over.shape.push_back(over.kept.back());
  }
  return over;
}

ConstantPtr reduced(ReductionKind kind, const ConstantTensor& x, const ReducedAxes& over, ImportBudget& budget) {
  const ReductionRule rule = reduction_rule(kind);
  budget.take(x.count());
  budget.take(element_count(over.kept));
  std::vector<double> values(static_cast<std::size_t>(element_count(over.kept)), rule.first);
  for (std::int64_t i = 0; i < x.count(); ++i) {
    // The place of element i when the reduced dimensions count 1.
    std::int64_t rest = i, at = 0, stride = 1;
    for (std::size_t d = x.shape.size(); d-- > 0;) {
      if (over.kept[d] == x.shape[d]) {
        at += rest % x.shape[d] * stride;
        stride *= x.shape[d];
      }
      rest /= x.shape[d];
    }
    double& value = values[static_cast<std::size_t>(at)];
    value = rule.step(value, x.real(static_cast<std::size_t>(i)));
  }
  if (kind == ReductionKind::mean && !values.empty()) {
    const double each = static_cast<double>(x.count()) / static_cast<double>(values.size());
    for (double& value : values) value /= each;
  }
  return tensor_of(x.type, over.shape, values);
}

}  // namespace octavo::graph
