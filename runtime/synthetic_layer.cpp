// SPDX-License-Identifier: Apache-2.0
#include "runtime/synthetic_layer.h"

#include <algorithm>
#include <random>
#include <span>

namespace octavo::runtime {
namespace {

std::size_t float_bytes(std::int64_t floats) { return sizeof(float) * static_cast<std::size_t>(floats); }

std::int64_t output_floats(const jit::ConvSpec& spec) { return spec.dst_h() * spec.dst_w() * spec.dst_stride(); }

void fill(const jit::AlignedBytes& bytes, bool nonnegative) {
  std::minstd_rand random(1);
  const std::span<float> values(reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float));
  constexpr float half = 0.5F * static_cast<float>(std::minstd_rand::max());
  for (float& value : values) {
    value = static_cast<float>(random()) / half - 1.0F;  // half of them below 0, as before a ReLU
    if (nonnegative) value = std::max(value, 0.0F);
  }
}

}  // namespace

SyntheticLayer::SyntheticLayer(const jit::ConvSpec& spec)
    : spec_(spec),
      q_(static_cast<std::size_t>(spec.out_channels * spec.channels_per_group() * spec.kernel_h * spec.kernel_w)),
      scales_(static_cast<std::size_t>(spec.out_channels * spec.windows()), 0x1p-10F),
      bias_(static_cast<std::size_t>(spec.epilogue.bias ? spec.out_channels : 0), 0.5F),
      slopes_(static_cast<std::size_t>(spec.epilogue.activation == jit::ActivationKind::prelu ? spec.out_channels : 0),
              0.25F),
      image_(float_bytes(spec.in_h * spec.in_w * spec.src_stride())),
      residual_(float_bytes(spec.epilogue.residual ? output_floats(spec) : 0)),
      output_(float_bytes(output_floats(spec))) {
  std::minstd_rand random(2);
  // Nearly normal, as the weights of trained layers are: ISAs without VNNI care.
  constexpr float deviation = 38.0F, largest = 127.0F;
  std::normal_distribution<float> weight(0.0F, deviation);
  for (auto& value : q_) value = static_cast<std::int8_t>(std::clamp(weight(random), -largest, largest));
  fill(image_, spec.nonnegative_input);
  fill(residual_, false);
}

LayerBuffers SyntheticLayer::buffers() const {
  return {.input = reinterpret_cast<const float*>(image_.data()),
          .residual = residual_.size() == 0 ? nullptr : reinterpret_cast<const float*>(residual_.data()),
          .output = reinterpret_cast<float*>(output_.data()),
          .scratch = nullptr,
          .thread_scratch = {}};
}

PlannedLayer::PlannedLayer(const SyntheticLayer& synthetic, const jit::Plan& plan, int threads, jit::KernelCache& cache)
    : layer_(synthetic.spec(), plan, synthetic.weights(), cache),
      walk_(layer_, 1, threads),
      scratch_(walk_.scratch_bytes()),
      thread_scratch_(static_cast<std::size_t>(threads) * walk_.thread_scratch_bytes()),
      buffers_(synthetic.buffers()) {
  buffers_.scratch = scratch_.data();
  buffers_.thread_scratch = {thread_scratch_.data(), walk_.thread_scratch_bytes()};
}

void PlannedLayer::quantize() const noexcept {
  std::byte* const workspace = thread_scratch_.data();
  const bool tile_outer = layer_.plan().order == jit::WorkOrder::tile_outer;
  for (std::int64_t tile = 0; tile < layer_.tiles(); ++tile) {
    std::byte* const scratch = tile_outer ? workspace + layer_.workspace_bytes()
                                          : scratch_.data() + static_cast<std::size_t>(tile) * layer_.scratch_bytes();
    layer_.quantize(tile, buffers_.input, scratch, workspace);
  }
}

}  // namespace octavo::runtime
