// SPDX-License-Identifier: Apache-2.0
// Unary: a function of each number.
#include <cmath>
#include <cstdint>

#include "graph/blob.h"
#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/pointwise.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

using graph::Unary;
using graph::UnaryKind;

OCTAVO_VECTORIZED void run_relu(const Unary& op, const float* x, float* y, std::int64_t count) {
  const float slope = op.alpha;
  if (slope == 0.0F) {  // NaN stays NaN, -Inf becomes 0
    for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] < 0.0F ? 0.0F : x[i];
  } else {
    for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] < 0.0F ? slope * x[i] : x[i];
  }
}

OCTAVO_VECTORIZED void run_relu6(const Unary&, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float low = x[i] < 0.0F ? 0.0F : x[i];
    y[i] = low > 6.0F ? 6.0F : low;
  }
}

void run_sigmoid(const Unary&, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = 1.0F / (1.0F + std::exp(-x[i]));
}

void run_tanh(const Unary&, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = std::tanh(x[i]);
}

void run_elu(const Unary& op, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] < 0.0F ? op.alpha * std::expm1(x[i]) : x[i];
}

OCTAVO_VECTORIZED void run_abs(const Unary&, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = std::fabs(x[i]);
}

OCTAVO_VECTORIZED void run_threshold(const Unary& op, const float* x, float* y, std::int64_t count) {
  const float limit = op.alpha;
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] > limit ? 1.0F : 0.0F;
}

OCTAVO_VECTORIZED void run_affine(const Unary& op, const float* x, float* y, std::int64_t count) {
  const float shift = op.alpha, scale = op.beta;
  for (std::int64_t i = 0; i < count; ++i) y[i] = shift + scale * x[i];
}

OCTAVO_VECTORIZED void run_square(const Unary& op, const float* x, float* y, std::int64_t count) {
  const float shift = op.alpha, scale = op.beta;
  for (std::int64_t i = 0; i < count; ++i) {
    const float base = shift + scale * x[i];
    y[i] = base * base;
  }
}

OCTAVO_VECTORIZED void run_square_root(const Unary& op, const float* x, float* y, std::int64_t count) {
  const float shift = op.alpha, scale = op.beta;
  for (std::int64_t i = 0; i < count; ++i) y[i] = std::sqrt(shift + scale * x[i]);
}

void run_power(const Unary& op, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = std::pow(op.alpha + op.beta * x[i], op.gamma);
}

/// Base -1 stands for e, as in Caffe.
float log_of_base(float base) { return base == -1.0F ? 1.0F : std::log(base); }

void run_exp(const Unary& op, const float* x, float* y, std::int64_t count) {
  const float log_base = log_of_base(op.alpha);
  for (std::int64_t i = 0; i < count; ++i) y[i] = std::exp(log_base * (op.beta + op.gamma * x[i]));
}

void run_log(const Unary& op, const float* x, float* y, std::int64_t count) {
  const float log_base = log_of_base(op.alpha);
  for (std::int64_t i = 0; i < count; ++i) y[i] = std::log(op.beta + op.gamma * x[i]) / log_base;
}

PointwiseKernel power_kernel(float power) {
  if (power == 1.0F) return run_affine;
  if (power == 2.0F) return run_square;
  if (power == 0.5F) return run_square_root;
  return run_power;
}

class UnaryStep final : public Step {
 public:
  UnaryStep(const Unary& op, Slot input, Slot output, std::int64_t count)
      : op_(op), kernel_(pointwise_kernel(op)), input_(input), output_(output), count_(count) {
    info.algorithm = "loop";
  }

  void run(RunContext& context) const override {
    const float* x = context.values[input_];
    float* y = context.values[output_];
    parallel_for(context.threads, count_, kPointwiseGrain,
                 [&](int, std::int64_t begin, std::int64_t end) { kernel_(op_, x + begin, y + begin, end - begin); });
  }

 private:
  Unary op_;
  PointwiseKernel kernel_;
  Slot input_, output_;
  std::int64_t count_;
};

}  // namespace

PointwiseKernel pointwise_kernel(const Unary& op) {
  switch (op.kind) {
    case UnaryKind::relu:
      return run_relu;
    case UnaryKind::relu6:
      return run_relu6;
    case UnaryKind::sigmoid:
      return run_sigmoid;
    case UnaryKind::tanh:
      return run_tanh;
    case UnaryKind::elu:
      return run_elu;
    case UnaryKind::abs:
      return run_abs;
    case UnaryKind::power:
      return power_kernel(op.gamma);
    case UnaryKind::exp:
      return run_exp;
    case UnaryKind::log:
      return run_log;
    case UnaryKind::threshold:
      return run_threshold;
    default:
      return math_kernel(op.kind);
  }
}

std::optional<graph::Unary> function_of(const graph::Activation& activation) {
  using graph::UnaryKind;
  using jit::ActivationKind;
  switch (activation.kind) {
    case ActivationKind::none:
    case ActivationKind::prelu:
      return std::nullopt;
    case ActivationKind::relu:
      return graph::Unary{.kind = UnaryKind::relu};
    case ActivationKind::leaky_relu:
      return graph::Unary{.kind = UnaryKind::relu, .alpha = activation.slope};
    case ActivationKind::relu6:
      return graph::Unary{.kind = UnaryKind::relu6};
    case ActivationKind::sigmoid:
      return graph::Unary{.kind = UnaryKind::sigmoid};
    case ActivationKind::tanh:
      return graph::Unary{.kind = UnaryKind::tanh};
  }
  return std::nullopt;
}

BuiltStep build_unary(const StepRequest& request) {
  const auto& op = std::get<Unary>(request.node.op);
  BuiltStep built;
  built.step = std::make_unique<UnaryStep>(op, request.inputs[0], request.outputs[0],
                                           graph::element_count(request.input_shape()));
  built.outputs = {request.input_layouts[0]};
  built.in_place = 0;
  return built;
}

}  // namespace octavo::runtime
