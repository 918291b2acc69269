// SPDX-License-Identifier: Apache-2.0
// A fp32 layer with weights on oneDNN.
#include "runtime/steps/onednn_layer.h"

#include <cstring>
#include <utility>

#include "runtime/parallel.h"
#include "runtime/steps/pointwise.h"
#include "runtime/steps/prelu.h"

namespace octavo::runtime {
namespace {

class OnednnStep final : public Step {
 public:
  OnednnStep(OnednnLayer layer, Slot output, std::int64_t count, const AxisView& channels)
      : layer_(std::move(layer)), output_(output), count_(count), channels_(channels) {
    info.algorithm = "oneDNN " + layer_.implementation;
    if (layer_.function) kernel_ = pointwise_kernel(*layer_.function);
    info.reason = "fp32 layer: oneDNN's own choice for channels-last activations";
  }

  void run(RunContext& context) const override {
    float* const y = context.values[output_];
    if (layer_.residual && context.values[*layer_.residual] != y) copy(context, context.values[*layer_.residual], y);
    layer_.call.run(context);
    if (kernel_ != nullptr) apply_function(context, y);
    if (!layer_.slopes.empty()) apply_prelu(channels_, layer_.slopes.data(), y, y, context.threads);
  }
  [[nodiscard]] std::size_t scratch_bytes() const override { return layer_.call.scratch_bytes(); }
  [[nodiscard]] std::size_t weight_bytes() const override { return layer_.call.weight_bytes(); }
  [[nodiscard]] std::unique_ptr<StepState> make_state() const override { return layer_.call.make_state(); }

 private:
  void apply_function(const RunContext& context, float* y) const {
    parallel_for(context.threads, count_, kPointwiseGrain, [&](int, std::int64_t begin, std::int64_t end) {
      kernel_(*layer_.function, y + begin, y + begin, end - begin);
    });
  }

  void copy(const RunContext& context, const float* x, float* y) const {
    parallel_for(context.threads, count_, kPointwiseGrain, [&](int, std::int64_t begin, std::int64_t end) {
      std::memcpy(y + begin, x + begin, static_cast<std::size_t>(end - begin) * sizeof(float));
    });
  }

  OnednnLayer layer_;
  PointwiseKernel kernel_ = nullptr;
  Slot output_;
  std::int64_t count_;
  AxisView channels_;
};

}  // namespace

BuiltStep make_onednn_step(const StepRequest& request, OnednnLayer layer, Layout layout, const AxisView& channels) {
  const Shape& shape = request.output_shape();
  BuiltStep built;
  if (layer.residual) built.in_place = 1;
  built.step =
      std::make_unique<OnednnStep>(std::move(layer), request.outputs[0], graph::element_count(shape), channels);
  built.outputs = {layout};
  return built;
}

}  // namespace octavo::runtime
