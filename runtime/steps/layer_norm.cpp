// SPDX-License-Identifier: Apache-2.0
// LayerNorm: every row is brought to mean 0 and variance 1 (or to a mean square of 1), then scaled.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "graph/axes.h"
#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/pointwise.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

constexpr std::int64_t kLanes = 16;

/// Sum of (x - shift)^2, or of x - shift: in 16 sums side by side, which the compiler keeps in one register.
template <bool kSquared>
[[gnu::always_inline]] inline double sum_of(const float* x, float shift, std::int64_t count) {
  std::array<float, kLanes> sums{};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const float value = x[i + lane] - shift;
      sums[static_cast<std::size_t>(lane)] += kSquared ? value * value : value;
    }
  }
  double sum = 0;
  for (const float part : sums) sum += static_cast<double>(part);
  for (; i < count; ++i) {
    const float value = x[i] - shift;
    sum += static_cast<double>(kSquared ? value * value : value);
  }
  return sum;
}

OCTAVO_VECTORIZED void normalize(const float* x, const float* factor, const float* offset, bool centered, float epsilon,
                                 float* y, std::int64_t count) {
  const auto size = static_cast<double>(count);
  const auto mean = static_cast<float>(centered ? sum_of<false>(x, 0.0F, count) / size : 0.0);
  const double variance = sum_of<true>(x, mean, count) / size;
  const auto inverse = static_cast<float>(1.0 / std::sqrt(variance + static_cast<double>(epsilon)));
  for (std::int64_t i = 0; i < count; ++i) y[i] = (x[i] - mean) * inverse * factor[i] + offset[i];
}

class LayerNormStep final : public Step {
 public:
  LayerNormStep(const graph::LayerNorm& op, std::int64_t rows, std::int64_t row, Slot input, Slot output)
      : centered_(op.centered),
        epsilon_(op.epsilon),
        factor_(op.factor ? graph::to_float(*op.factor) : std::vector<float>(static_cast<std::size_t>(row), 1.0F)),
        offset_(op.offset ? graph::to_float(*op.offset) : std::vector<float>(static_cast<std::size_t>(row), 0.0F)),
        rows_(rows),
        row_(row),
        input_(input),
        output_(output) {
    info.algorithm = "loop";
  }

  void run(RunContext& context) const override {
    const float* const x = context.values[input_];
    float* const y = context.values[output_];
    const std::int64_t grain = std::max<std::int64_t>(kPointwiseGrain / (4 * row_), 1);
    parallel_for(context.threads, rows_, grain, [&](int, std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        normalize(x + r * row_, factor_.data(), offset_.data(), centered_, epsilon_, y + r * row_, row_);
      }
    });
  }
  [[nodiscard]] std::size_t weight_bytes() const override { return (factor_.size() + offset_.size()) * sizeof(float); }

 private:
  bool centered_;
  float epsilon_;
  std::vector<float> factor_, offset_;
  std::int64_t rows_, row_;
  Slot input_, output_;
};

}  // namespace

BuiltStep build_layer_norm(const StepRequest& request) {
  const auto& op = std::get<graph::LayerNorm>(request.node.op);
  const AxisView view = view_from_axis(request.input_shape(), op.axis, Layout::plain);
  BuiltStep built;
  built.step =
      std::make_unique<LayerNormStep>(op, view.outer, view.axis * view.inner, request.inputs[0], request.outputs[0]);
  built.outputs = {Layout::plain};
  built.in_place = 0;
  return built;
}

}  // namespace octavo::runtime
