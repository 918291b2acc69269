// SPDX-License-Identifier: Apache-2.0
// Eltwise: sum, product or maximum of several values, then an activation.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/pointwise.h"
#include "runtime/steps/prelu.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

using graph::EltwiseKind;

OCTAVO_VECTORIZED void add_scaled(float coefficient, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] += coefficient * x[i];
}

OCTAVO_VECTORIZED void set_scaled(float coefficient, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = coefficient * x[i];
}

OCTAVO_VECTORIZED void multiply(const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] *= x[i];
}

/// NaN, once seen, stays.
OCTAVO_VECTORIZED void keep_greater(const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = ((y[i] >= x[i]) | (y[i] != y[i])) ? y[i] : x[i];
}

class EltwiseStep final : public Step {
 public:
  EltwiseStep(const graph::Eltwise& op, std::vector<Slot> inputs, Slot output, std::int64_t count,
              const AxisView& channels)
      : kind_(op.kind),
        coefficients_(op.coefficients),
        inputs_(std::move(inputs)),
        output_(output),
        count_(count),
        channels_(channels),
        activation_(function_of(op.activation)) {
    coefficients_.resize(inputs_.size(), 1.0F);
    if (activation_) kernel_ = pointwise_kernel(*activation_);
    if (op.activation.slopes) slopes_ = graph::to_float(*op.activation.slopes);
    info.algorithm = "loop";
  }

  void run(RunContext& context) const override {
    float* const y = context.values[output_];
    parallel_for(context.threads, count_, kPointwiseGrain, [&](int, std::int64_t begin, std::int64_t end) {
      // In pieces that stay in the first-level cache from the first operand to the activation.
      constexpr std::int64_t kPiece = 2048;
      for (std::int64_t first = begin; first < end; first += kPiece)
        run_piece(context, first, std::min(kPiece, end - first));
    });
    if (!slopes_.empty()) apply_prelu(channels_, slopes_.data(), y, y, context.threads);
  }

 private:
  void run_piece(const RunContext& context, std::int64_t first, std::int64_t count) const {
    float* const y = context.values[output_] + first;
    // The output may lie over input 0, so that one comes first.
    set_scaled(kind_ == EltwiseKind::sum ? coefficients_[0] : 1.0F, context.values[inputs_[0]] + first, y, count);
    for (std::size_t i = 1; i < inputs_.size(); ++i) {
      const float* const x = context.values[inputs_[i]] + first;
      switch (kind_) {
        case EltwiseKind::sum:
          add_scaled(coefficients_[i], x, y, count);
          break;
        case EltwiseKind::product:
          multiply(x, y, count);
          break;
        case EltwiseKind::max:
          keep_greater(x, y, count);
          break;
      }
    }
    if (activation_) kernel_(*activation_, y, y, count);
  }

  EltwiseKind kind_;
  std::vector<float> coefficients_;
  std::vector<Slot> inputs_;
  Slot output_;
  std::int64_t count_;
  AxisView channels_;
  std::optional<graph::Unary> activation_;
  PointwiseKernel kernel_ = nullptr;
  std::vector<float> slopes_;
};

}  // namespace

BuiltStep build_eltwise(const StepRequest& request) {
  const auto& op = std::get<graph::Eltwise>(request.node.op);
  const Layout layout = request.input_layouts[0];
  const Shape& shape = request.output_shape();
  BuiltStep built;
  built.step = std::make_unique<EltwiseStep>(op, request.inputs, request.outputs[0], graph::element_count(shape),
                                             view_from_channels(shape, layout));
  built.outputs = {layout};
  built.in_place = 0;
  return built;
}

}  // namespace octavo::runtime
