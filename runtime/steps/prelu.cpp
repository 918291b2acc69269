// SPDX-License-Identifier: Apache-2.0
// PRelu: a leaky ReLU with a slope for each channel.
#include "runtime/steps/prelu.h"

#include <algorithm>
#include <vector>

#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/pointwise.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

/// One run of channels, a slope each.
OCTAVO_VECTORIZED void leak_channels(const float* slopes, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] < 0.0F ? slopes[i] * x[i] : x[i];
}

/// One channel's run of pixels.
OCTAVO_VECTORIZED void leak_pixels(float slope, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] < 0.0F ? slope * x[i] : x[i];
}

class PReluStep final : public Step {
 public:
  PReluStep(const AxisView& view, std::vector<float> slopes, Slot input, Slot output)
      : view_(view), slopes_(std::move(slopes)), input_(input), output_(output) {
    info.algorithm = "loop";
  }
  void run(RunContext& context) const override {
    apply_prelu(view_, slopes_.data(), context.values[input_], context.values[output_], context.threads);
  }
  [[nodiscard]] std::size_t weight_bytes() const override { return slopes_.size() * sizeof(float); }

 private:
  AxisView view_;
  std::vector<float> slopes_;
  Slot input_, output_;
};

}  // namespace

void apply_prelu(const AxisView& view, const float* slopes, const float* x, float* y, int threads) {
  if (view.inner == 1) {
    const std::int64_t grain = std::max<std::int64_t>(kPointwiseGrain / view.axis, 1);
    parallel_for(threads, view.outer, grain, [&](int, std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row)
        leak_channels(slopes, x + row * view.axis, y + row * view.axis, view.axis);
    });
    return;
  }
  const std::int64_t grain = std::max<std::int64_t>(kPointwiseGrain / view.inner, 1);
  parallel_for(threads, view.outer * view.axis, grain, [&](int, std::int64_t begin, std::int64_t end) {
    for (std::int64_t run = begin; run < end; ++run)
      leak_pixels(slopes[run % view.axis], x + run * view.inner, y + run * view.inner, view.inner);
  });
}

BuiltStep build_prelu(const StepRequest& request) {
  const auto& op = std::get<graph::PRelu>(request.node.op);
  const Layout layout = request.input_layouts[0];
  const AxisView view = view_from_channels(request.input_shape(), layout);
  std::vector<float> slopes = graph::to_float(*op.slopes);
  if (slopes.size() == 1) slopes.assign(static_cast<std::size_t>(view.axis), slopes[0]);
  BuiltStep built;
  built.step = std::make_unique<PReluStep>(view, std::move(slopes), request.inputs[0], request.outputs[0]);
  built.outputs = {layout};
  built.in_place = 0;
  return built;
}

}  // namespace octavo::runtime
