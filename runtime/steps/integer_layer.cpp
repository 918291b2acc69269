// SPDX-License-Identifier: Apache-2.0
// A windowed integer layer as a step.
#include "runtime/steps/integer_layer.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#include "jit/layer.h"
#include "jit/noise_model.h"
#include "jit/plan.h"
#include "jit/tuning.h"
#include "jit/winograd_layout.h"
#include "octavo/isa.h"
#include "runtime/layer_walk.h"
#include "runtime/steps/pool_loop.h"

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

/// Which Winograd tile a layer is computed with; none for other algorithms.
jit::WinogradLimit tile_of(const jit::Plan& plan) {
  if (!plan.winograd()) return jit::WinogradLimit::none;
  if (plan.winograd_h != plan.winograd_w) return jit::WinogradLimit::tiles2x4;
  return plan.winograd_h == 2 ? jit::WinogradLimit::tiles2x2 : jit::WinogradLimit::tiles4x4;
}

/// The enumerations mirror each other; the library's public headers know nothing of jit.
jit::WinogradLimit largest_of(const AccuracyBudget& budget) { return static_cast<jit::WinogradLimit>(budget.largest); }
static_assert(static_cast<int>(jit::WinogradLimit::tiles4x4) == static_cast<int>(AccuracyBudget::Tile::tiles4x4));

/// The layer, computed by the fastest algorithm within the budget.
jit::Layer make_layer(const IntegerLayerRequest& request, const BuildContext& context) {
  const Floats bias(request.bias), slopes(request.slopes);
  const jit::WindowedWeights weights{request.weights->q.values, request.weights->scales.values, bias.view(),
                                     slopes.view()};
  jit::ConvSpec spec = request.spec;
  spec.winograd =
      jit::winograd_within(spec, weights, largest_of(context.accuracy), context.accuracy.signal_to_noise_db);
  const auto plan = [&] { return jit::tuned_plan(spec, context.machine, context.threads, &context.tuning); };
  spec.epilogue.max_pool = false;
  jit::Plan chosen = plan();
  if (request.spec.epilogue.max_pool && chosen.winograd()) {
    spec.epilogue.max_pool = true;
    chosen = plan();
  }
  return {spec, chosen, weights, *context.kernels};
}

/// The pooling that is wanted of the layer and that it does not do itself.
std::optional<PoolLoop> second_pass(const IntegerLayerRequest& request, const jit::Layer& layer) {
  const jit::ConvSpec& spec = layer.spec();
  if (request.spec.epilogue.max_pool == spec.epilogue.max_pool) return std::nullopt;
  const auto halved = [](std::int64_t size) { return PoolAxis{.in = size, .out = size / 2, .kernel = 2, .stride = 2}; };
  return PoolLoop(graph::PoolKind::max, halved(spec.out_h), halved(spec.out_w), request.images, spec.out_channels);
}

std::string reason_of(const jit::Layer& layer, double predicted_db, const AccuracyBudget& budget) {
  std::string reason =
      layer.spec().isa == Isa::reference ? "no machine code: plain scalar code, tile by tile" : layer.plan().reason;
  if (!jit::winograd_fits(layer.spec()) || budget.largest == AccuracyBudget::Tile::direct) return reason;
  if (std::isinf(budget.signal_to_noise_db)) return reason;
  return reason + fmt::format("; {:.1f} dB predicted, the budget of {:.1f} dB allows {}", predicted_db,
                              budget.signal_to_noise_db,
                              layer.spec().winograd == jit::WinogradLimit::none
                                  ? "no Winograd tile"
                                  : fmt::format("tiles up to {}", jit::winograd_limit_name(layer.spec().winograd)));
}

class IntegerStep final : public Step {
 public:
  IntegerStep(const IntegerLayerRequest& request, const BuildContext& context, Slot input, std::optional<Slot> residual,
              Slot output)
      : layer_(make_layer(request, context)),
        walk_(layer_, request.images, context.threads),
        pool_(second_pass(request, layer_)),
        output_bytes_(static_cast<std::size_t>(request.images * layer_.spec().out_h * layer_.spec().out_w *
                                               layer_.spec().dst_stride()) *
                      sizeof(float)),
        input_(input),
        residual_(residual),
        output_(output) {
    const jit::Plan& plan = layer_.plan();
    const std::string algorithm =
        plan.winograd() ? fmt::format("int8 Winograd {}x{} 3x3", plan.winograd_h, plan.winograd_w) : request.algorithm;
    const std::string pooling = !request.spec.epilogue.max_pool ? ""
                                : pool_                         ? ", then 2x2 maximum"
                                                                : " and 2x2 maximum";
    info.algorithm = algorithm + pooling + ", " + std::string(isa_name(layer_.spec().isa));
    info.predicted_db = jit::predicted_signal_to_noise(
        layer_.spec(), {request.weights->q.values, request.weights->scales.values, {}, {}}, tile_of(plan));
    info.reason = reason_of(layer_, info.predicted_db, context.accuracy);
  }

  void run(RunContext& context) const override {
    float* const output = context.values[output_];
    // Behind the walk's scratch, which ends at a cache line.
    auto* const unpooled = reinterpret_cast<float*>(context.scratch + walk_.scratch_bytes());
    walk_.run({context.values[input_], residual_ ? context.values[*residual_] : nullptr, pool_ ? unpooled : output,
               context.scratch, context.thread_scratch});
    if (pool_) pool_->run(unpooled, output, context.threads);
  }

  [[nodiscard]] const jit::ConvSpec* spec() const override { return &layer_.spec(); }
  [[nodiscard]] std::size_t scratch_bytes() const override {
    return walk_.scratch_bytes() + (pool_ ? output_bytes_ : 0);
  }
  [[nodiscard]] std::size_t thread_scratch_bytes() const override { return walk_.thread_scratch_bytes(); }
  [[nodiscard]] std::size_t weight_bytes() const override { return layer_.packed_bytes(); }
  [[nodiscard]] std::vector<std::shared_ptr<const jit::Kernel>> kernels() const override { return layer_.kernels(); }

 private:
  jit::Layer layer_;
  LayerWalk walk_;  ///< over layer_
  std::optional<PoolLoop> pool_;
  std::size_t output_bytes_;  ///< of the layer without pooling
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
