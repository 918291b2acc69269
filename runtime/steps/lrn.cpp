// SPDX-License-Identifier: Apache-2.0
// Lrn: local response normalisation, across channels or within one.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "runtime/memory_plan.h"
#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/pointwise.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

/// y = x / (k + factor * sum)^beta, a pixel's channels. The usual exponents need no logarithm.
OCTAVO_VECTORIZED void normalise(const float* x, const float* sums, float factor, float k, float beta, float* y,
                                 std::int64_t count) {
  if (beta == 0.75F) {
    for (std::int64_t i = 0; i < count; ++i) {
      const float root = std::sqrt(k + factor * sums[i]);
      y[i] = x[i] / (root * std::sqrt(root));
    }
  } else if (beta == 0.5F) {
    for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] / std::sqrt(k + factor * sums[i]);
  } else if (beta == 1.0F) {
    for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] / (k + factor * sums[i]);
  } else {
    for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] / std::pow(k + factor * sums[i], beta);
  }
}

OCTAVO_VECTORIZED void add_squares(const float* x, float* sums, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) sums[i] += x[i] * x[i];
}

OCTAVO_VECTORIZED void add(const float* x, float* sums, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) sums[i] += x[i];
}

class LrnStep final : public Step {
 public:
  LrnStep(const graph::Lrn& op, const Shape& shape, Slot input, Slot output)
      : op_(op),
        height_(shape[2]),
        width_(shape[3]),
        pixels_(shape[0] * shape[2] * shape[3]),
        channels_(shape[1]),
        input_(input),
        output_(output) {
    info.algorithm = "channels-last loop";
  }

  void run(RunContext& context) const override {
    const float* const x = context.values[input_];
    float* const y = context.values[output_];
    const std::int64_t grain = std::max<std::int64_t>(kPointwiseGrain / (channels_ * op_.size), 1);
    parallel_for(context.threads, pixels_, grain, [&](int thread, std::int64_t begin, std::int64_t end) {
      auto* const scratch = reinterpret_cast<float*>(context.thread_scratch.of(thread));
      for (std::int64_t pixel = begin; pixel < end; ++pixel) {
        if (op_.across_channels) {
          across_channels(x + pixel * channels_, scratch, y + pixel * channels_);
        } else {
          within_channels(x, pixel, scratch, y);
        }
      }
    });
  }
  [[nodiscard]] std::size_t thread_scratch_bytes() const override {
    return static_cast<std::size_t>(2 * channels_ + op_.size) * sizeof(float);
  }

 private:
  void across_channels(const float* x, float* scratch, float* y) const {
    const std::int64_t reach = op_.size / 2;
    float* const sums = scratch;
    float* const squares = scratch + channels_;  // of channels -reach .. channels + reach: zeros outside
    std::fill(scratch, scratch + 2 * channels_ + op_.size, 0.0F);
    add_squares(x, squares + reach, channels_);
    for (std::int64_t shift = 0; shift < op_.size; ++shift) add(squares + shift, sums, channels_);
    normalise(x, sums, op_.alpha / static_cast<float>(op_.size), op_.k, op_.beta, y, channels_);
  }

  void within_channels(const float* x, std::int64_t pixel, float* sums, float* y) const {
    const std::int64_t reach = op_.size / 2, image = pixel / (height_ * width_) * height_;
    const std::int64_t row = pixel / width_ % height_, column = pixel % width_;
    std::fill(sums, sums + channels_, 0.0F);
    for (std::int64_t r = std::max<std::int64_t>(row - reach, 0); r <= std::min(row + reach, height_ - 1); ++r)
      for (std::int64_t c = std::max<std::int64_t>(column - reach, 0); c <= std::min(column + reach, width_ - 1); ++c)
        add_squares(x + ((image + r) * width_ + c) * channels_, sums, channels_);
    normalise(x + pixel * channels_, sums, op_.alpha / static_cast<float>(op_.size * op_.size), op_.k, op_.beta,
              y + pixel * channels_, channels_);
  }

  graph::Lrn op_;
  std::int64_t height_, width_, pixels_, channels_;
  Slot input_, output_;
};

}  // namespace

BuiltStep build_lrn(const StepRequest& request) {
  const auto& op = std::get<graph::Lrn>(request.node.op);
  BuiltStep built;
  built.step = std::make_unique<LrnStep>(op, request.input_shape(), request.inputs[0], request.outputs[0]);
  built.outputs = {Layout::nhwc};
  return built;
}

}  // namespace octavo::runtime
