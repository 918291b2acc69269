// SPDX-License-Identifier: Apache-2.0
// Reduction: every dimension from an axis on becomes one number.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/pointwise.h"

namespace octavo::runtime {
namespace {

using graph::ReductionKind;

/// Sums in double, so that long rows keep fp32's precision whatever their order.
template <class Term>
double sum_of(const float* x, std::int64_t count, Term term) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += term(static_cast<double>(x[i]));
  return sum;
}

/// NaN, once seen, stays.
template <class Better>
double extreme_of(const float* x, std::int64_t count, Better better) {
  float best = x[0];
  for (std::int64_t i = 1; i < count; ++i) {
    if (better(x[i], best) || std::isnan(x[i])) best = x[i];
    if (std::isnan(best)) break;
  }
  return static_cast<double>(best);
}

double product_of(const float* x, std::int64_t count) {
  double product = 1;
  for (std::int64_t i = 0; i < count; ++i) product *= static_cast<double>(x[i]);
  return product;
}

/// The greatest is taken out first, so that no exponential overflows.
double log_sum_exp_of(const float* x, std::int64_t count) {
  const double greatest = extreme_of(x, count, [](float a, float b) { return a > b; });
  if (!std::isfinite(greatest)) return greatest;
  return greatest + std::log(sum_of(x, count, [&](double v) { return std::exp(v - greatest); }));
}

double reduce(ReductionKind kind, const float* x, std::int64_t count) {
  switch (kind) {
    case ReductionKind::sum:
      return sum_of(x, count, [](double v) { return v; });
    case ReductionKind::abs_sum:
      return sum_of(x, count, [](double v) { return std::fabs(v); });
    case ReductionKind::square_sum:
      return sum_of(x, count, [](double v) { return v * v; });
    case ReductionKind::mean:
      return sum_of(x, count, [](double v) { return v; }) / static_cast<double>(count);
    case ReductionKind::max:
      return extreme_of(x, count, [](float a, float b) { return a > b; });
    case ReductionKind::min:
      return extreme_of(x, count, [](float a, float b) { return a < b; });
    case ReductionKind::product:
      return product_of(x, count);
    case ReductionKind::log_sum_exp:
      return log_sum_exp_of(x, count);
  }
  return 0;
}

class ReductionStep final : public Step {
 public:
  ReductionStep(const StepRequest& request, const graph::Reduction& op, std::int64_t rows, std::int64_t row)
      : op_(op), input_(request.inputs[0]), output_(request.outputs[0]), rows_(rows), row_(row) {
    info.algorithm = "loop";
  }

  void run(RunContext& context) const override {
    const float* x = context.values[input_];
    float* y = context.values[output_];
    const std::int64_t grain = std::max<std::int64_t>(kPointwiseGrain / std::max<std::int64_t>(row_, 1), 1);
    parallel_for(context.threads, rows_, grain, [&](int, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        y[i] = static_cast<float>(static_cast<double>(op_.coefficient) * reduce(op_.kind, x + i * row_, row_));
      }
    });
  }

 private:
  graph::Reduction op_;
  Slot input_, output_;
  std::int64_t rows_, row_;
};

}  // namespace

BuiltStep build_reduction(const StepRequest& request) {
  const auto& op = std::get<graph::Reduction>(request.node.op);
  const AxisView view = view_from_axis(request.input_shape(), op.axis, Layout::plain);
  BuiltStep built;
  built.step = std::make_unique<ReductionStep>(request, op, view.outer, view.axis * view.inner);
  built.outputs = {Layout::plain};
  return built;
}

}  // namespace octavo::runtime
