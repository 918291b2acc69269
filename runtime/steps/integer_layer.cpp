// SPDX-License-Identifier: Apache-2.0
// A windowed integer layer as a step.
//
// tile_outer: a thread quantizes a tile into a scratch of its own and computes all its channel blocks while it is in
// cache. channel_outer: a pass quantizes all tiles of a few images, then threads share (channel block, tile) items,
// blocks outermost, so that a block's weights stay in cache over all tiles of the pass.
#include "runtime/steps/integer_layer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "jit/layer.h"
#include "jit/plan.h"
#include "octavo/isa.h"
#include "runtime/parallel.h"

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
          jit::make_plan(request.spec, context.machine, context.threads),
          {request.weights->q.values, request.weights->scales.values, bias.view(), slopes.view()},
          *context.kernels};
}

class IntegerStep final : public Step {
 public:
  IntegerStep(const IntegerLayerRequest& request, const BuildContext& context, Slot input, std::optional<Slot> residual,
              Slot output)
      : layer_(make_layer(request, context)),
        images_(request.images),
        threads_(context.threads),
        input_(input),
        residual_(residual),
        output_(output) {
    const jit::ConvSpec& spec = layer_.spec();
    image_floats_ = spec.in_h * spec.in_w * spec.in_channels;
    output_floats_ = spec.out_h * spec.out_w * spec.out_channels;
    images_of_pass_ = choose_images_of_pass();
    info.algorithm = request.algorithm + ", " + std::string(isa_name(spec.isa));
    info.reason =
        layer_.spec().isa == Isa::reference ? "no machine code: plain scalar code, tile by tile" : layer_.plan().reason;
  }

  void run(RunContext& context) const override {
    if (layer_.plan().order == jit::WorkOrder::tile_outer) {
      run_tile_outer(context);
    } else {
      for (std::int64_t first = 0; first < images_; first += images_of_pass_)
        run_channel_outer(context, first, std::min(images_of_pass_, images_ - first));
    }
  }

  [[nodiscard]] std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(scratches()) * layer_.scratch_bytes() +
           static_cast<std::size_t>(threads_) * layer_.workspace_bytes();
  }
  [[nodiscard]] std::size_t weight_bytes() const override { return layer_.packed_bytes(); }
  [[nodiscard]] std::vector<std::shared_ptr<const jit::Kernel>> kernels() const override { return layer_.kernels(); }

 private:
  /// As many images as keep the quantized tiles of a pass within what a core's caches hold together, but at least one.
  [[nodiscard]] std::int64_t choose_images_of_pass() const {
    constexpr std::int64_t kPassBytes = std::int64_t{4} << 20;
    const std::int64_t image_bytes = layer_.tiles() * static_cast<std::int64_t>(layer_.scratch_bytes());
    return std::clamp<std::int64_t>(kPassBytes / std::max<std::int64_t>(image_bytes, 1), 1, images_);
  }

  /// Tiles that are quantized at the same time: a thread's own, or all of a pass.
  [[nodiscard]] std::int64_t scratches() const {
    return layer_.plan().order == jit::WorkOrder::tile_outer ? threads_ : images_of_pass_ * layer_.tiles();
  }
  [[nodiscard]] std::byte* workspace_of(const RunContext& context, int thread) const {
    return context.scratch + static_cast<std::size_t>(scratches()) * layer_.scratch_bytes() +
           static_cast<std::size_t>(thread) * layer_.workspace_bytes();
  }

  void run_tile_outer(const RunContext& context) const {
    const std::int64_t tiles = layer_.tiles(), blocks = layer_.channel_blocks();
    parallel_for(context.threads, images_ * tiles, 1, [&](int thread, std::int64_t begin, std::int64_t end) {
      std::byte* const scratch = context.scratch + static_cast<std::size_t>(thread) * layer_.scratch_bytes();
      for (std::int64_t item = begin; item < end; ++item) {
        const std::int64_t image = item / tiles, tile = item % tiles;
        layer_.quantize(tile, context.values[input_] + image * image_floats_, scratch, workspace_of(context, thread));
        for (std::int64_t block = 0; block < blocks; ++block) compute(context, thread, image, tile, block, scratch);
      }
    });
  }

  void run_channel_outer(const RunContext& context, std::int64_t first_image, std::int64_t images) const {
    const std::int64_t tiles = layer_.tiles(), work = images * tiles;
    const auto scratch_of = [&](std::int64_t item) {
      return context.scratch + static_cast<std::size_t>(item) * layer_.scratch_bytes();
    };
    parallel_for(context.threads, work, 1, [&](int thread, std::int64_t begin, std::int64_t end) {
      for (std::int64_t item = begin; item < end; ++item) {
        const float* const image = context.values[input_] + (first_image + item / tiles) * image_floats_;
        layer_.quantize(item % tiles, image, scratch_of(item), workspace_of(context, thread));
      }
    });
    parallel_for(context.threads, layer_.channel_blocks() * work, 1, [&](int thread, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t block = i / work, item = i % work;
        compute(context, thread, first_image + item / tiles, item % tiles, block, scratch_of(item));
      }
    });
  }

  void compute(const RunContext& context, int thread, std::int64_t image, std::int64_t tile, std::int64_t block,
               const std::byte* scratch) const {
    const float* const residual = residual_ ? context.values[*residual_] + image * output_floats_ : nullptr;
    layer_.compute(tile, block, scratch, residual, context.values[output_] + image * output_floats_,
                   workspace_of(context, thread));
  }

  jit::Layer layer_;
  std::int64_t images_, image_floats_ = 0, output_floats_ = 0, images_of_pass_ = 1;
  int threads_;
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
