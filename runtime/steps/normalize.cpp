// SPDX-License-Identifier: Apache-2.0
// Normalize: each pixel, or each picture, divided by the root of its sum of squares. Channels-last.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/pointwise.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

/// In 16 sums side by side: vectors without a tail of rounding errors.
OCTAVO_VECTORIZED float square_sum(const float* x, std::int64_t count) {
  constexpr std::int64_t kLanes = 16;
  float sums[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += x[i + lane] * x[i + lane];
  }
  float sum = 0.0F;
  for (const float lane : sums) sum += lane;
  for (; i < count; ++i) sum += x[i] * x[i];
  return sum;
}

OCTAVO_VECTORIZED void scale_by(const float* x, float divisor, const float* factors, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] / divisor * factors[i];
}

class NormalizeStep final : public Step {
 public:
  NormalizeStep(const graph::Normalize& op, const Shape& shape, Slot input, Slot output)
      : epsilon_(op.epsilon),
        pixels_(shape[0] * shape[2] * shape[3]),
        channels_(shape[1]),
        pixels_in_one_(op.across_spatial ? shape[2] * shape[3] : 1),
        input_(input),
        output_(output) {
    const auto& given = op.factor->f32.values;
    factors_.assign(given.begin(), given.end());
    if (factors_.size() == 1) factors_.assign(static_cast<std::size_t>(channels_), given[0]);
    info.algorithm = "loop";
  }

  void run(RunContext& context) const override {
    const float* const x = context.values[input_];
    float* const y = context.values[output_];
    const std::int64_t size = pixels_in_one_ * channels_;
    parallel_for(context.threads, pixels_ / pixels_in_one_, std::max<std::int64_t>(kPointwiseGrain / size, 1),
                 [&](int, std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin; i < end; ++i) {
                     const float norm = std::sqrt(sum(x + i * size) + epsilon_);
                     for (std::int64_t pixel = 0; pixel < pixels_in_one_; ++pixel) {
                       const std::int64_t at = i * size + pixel * channels_;
                       scale_by(x + at, norm, factors_.data(), y + at, channels_);
                     }
                   }
                 });
  }
  [[nodiscard]] std::size_t weight_bytes() const override { return factors_.size() * sizeof(float); }

 private:
  /// A picture's pixels are added in double.
  [[nodiscard]] float sum(const float* x) const {
    if (pixels_in_one_ == 1) return square_sum(x, channels_);
    double total = 0;
    for (std::int64_t pixel = 0; pixel < pixels_in_one_; ++pixel) {
      total += static_cast<double>(square_sum(x + pixel * channels_, channels_));
    }
    return static_cast<float>(total);
  }

  float epsilon_;
  std::int64_t pixels_, channels_, pixels_in_one_;
  std::vector<float> factors_;
  Slot input_, output_;
};

}  // namespace

BuiltStep build_normalize(const StepRequest& request) {
  BuiltStep built;
  built.step = std::make_unique<NormalizeStep>(std::get<graph::Normalize>(request.node.op), request.input_shape(),
                                               request.inputs[0], request.outputs[0]);
  built.outputs = {Layout::nhwc};
  built.in_place = 0;
  return built;
}

}  // namespace octavo::runtime
