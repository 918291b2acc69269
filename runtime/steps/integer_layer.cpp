// SPDX-License-Identifier: Apache-2.0
// A windowed integer layer as a step.
#include "runtime/steps/integer_layer.h"

#include <utility>
#include <vector>

#include "jit/layer.h"
#include "jit/tuning.h"
#include "octavo/isa.h"
#include "runtime/layer_walk.h"

namespace octavo::runtime {
namespace {

/// A blob's numbers without a copy where they are fp32, and what holds them otherwise.
class Floats {
 public:
  explicit Floats(const graph::BlobPtr& blob) {
    if (!blob) return;
    if (blob->quantized()) held_ = graph::to_float(*blob);
    view_ = blob->quantized() ? std::span<const float>(held_) : blob->f32.values;
  }
  [[nodiscard]] std::span<const float> view() const { return view_; }

 private:
  std::vector<float> held_;
  std::span<const float> view_;
};

jit::Layer make_layer(const IntegerLayerRequest& request, const BuildContext& context) {
  const Floats bias(request.bias), slopes(request.slopes);
  return {request.spec,
          jit::tuned_plan(request.spec, context.machine, context.threads, &context.tuning),
          {request.weights->q.values, request.weights->scales.values, bias.view(), slopes.view()},
          *context.kernels};
}

class IntegerStep final : public Step {
 public:
  IntegerStep(const IntegerLayerRequest& request, const BuildContext& context, Slot input, std::optional<Slot> residual,
              Slot output)
      : layer_(make_layer(request, context)),
        walk_(layer_, request.images, context.threads),
        input_(input),
        residual_(residual),
        output_(output) {
    info.algorithm = request.algorithm + ", " + std::string(isa_name(layer_.spec().isa));
    info.reason =
        layer_.spec().isa == Isa::reference ? "no machine code: plain scalar code, tile by tile" : layer_.plan().reason;
  }

  void run(RunContext& context) const override {
    walk_.run({context.values[input_], residual_ ? context.values[*residual_] : nullptr, context.values[output_],
               context.scratch});
  }

  [[nodiscard]] const jit::ConvSpec* spec() const override { return &layer_.spec(); }
  [[nodiscard]] std::size_t scratch_bytes() const override { return walk_.scratch_bytes(); }
  [[nodiscard]] std::size_t weight_bytes() const override { return layer_.packed_bytes(); }
  [[nodiscard]] std::vector<std::shared_ptr<const jit::Kernel>> kernels() const override { return layer_.kernels(); }

 private:
  jit::Layer layer_;
  LayerWalk walk_;  ///< over layer_
  Slot input_;
  std::optional<Slot> residual_;
  Slot output_;
};

}  // namespace

std::unique_ptr<Step> make_integer_step(const IntegerLayerRequest& request, const BuildContext& context, Slot input,
                                        std::optional<Slot> residual, Slot output) {
  return std::make_unique<IntegerStep>(request, context, input, residual, output);
}

}  // namespace octavo::runtime
