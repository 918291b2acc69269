// SPDX-License-Identifier: Apache-2.0
// A layer is one of a few engines: convolution, depthwise or Winograd by machine code, or the scalar reference.
#include "jit/layer.h"

#include "jit/aligned_bytes.h"
#include "jit/depthwise_engine.h"
#include "jit/engine.h"
#include "jit/iconv_engine.h"
#include "jit/reference.h"
#include "jit/tile.h"
#include "jit/winograd_engine.h"
#include "jit/winograd_reference.h"
#include "jit/word_depth.h"
#include "octavo/error.h"

namespace octavo::jit {

namespace {

class ReferenceEngine final : public Engine {
 public:
  ReferenceEngine(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights)
      : spec_(spec), plan_(plan), weights_(make_reference_weights(spec, weights)) {}

  [[nodiscard]] std::int64_t tiles() const noexcept override { return TileGrid(spec_, plan_).tiles(); }
  [[nodiscard]] std::int64_t channel_blocks() const noexcept override { return 1; }
  [[nodiscard]] std::size_t scratch_bytes() const noexcept override {
    return round_up_to_line(reference_scratch_bytes(spec_, plan_));
  }
  [[nodiscard]] std::size_t packed_bytes() const noexcept override {
    return weights_.q.size() + sizeof(float) * (weights_.scales.size() + weights_.bias.size() + weights_.slopes.size());
  }
  void quantize(std::int64_t tile, PartRange /*parts*/, const float* image, std::byte* scratch,
                std::byte* /*workspace*/) const noexcept override {
    reference_quantize_tile(spec_, plan_, tile, image, scratch);
  }
  void compute(std::int64_t tile, std::int64_t /*block*/, const std::byte* scratch, const float* residual, float* dst,
               std::byte* /*workspace*/) const noexcept override {
    reference_compute_tile(spec_, plan_, weights_, tile, 0, spec_.out_channels, scratch, residual, dst);
  }
  [[nodiscard]] std::vector<std::shared_ptr<const Kernel>> kernels() const override { return {}; }

 private:
  ConvSpec spec_;
  Plan plan_;
  ReferenceWeights weights_;
};

void check_tiles(const ConvSpec& spec, const Plan& plan) {
  if (plan.tile_h < 1 || plan.tile_w < 1 || plan.rows < 1 || plan.column_vectors < 1)
    throw Error(ErrorKind::invalid_argument, "the plan has a tile or register block of no pixels", spec.name());
}

std::unique_ptr<Engine> make_engine(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights,
                                    KernelCache& cache) {
  spec.validate();
  check_tiles(spec, plan);
  if (plan.winograd()) {
    if (spec.isa == Isa::reference) return make_winograd_reference(spec, plan, weights);
    return make_winograd_engine(spec, plan, weights, cache);
  }
  if (spec.epilogue.max_pool)
    throw Error(ErrorKind::invalid_argument, "only Winograd layers pool, and the plan is none of them", spec.name());
  if (spec.isa == Isa::reference) return std::make_unique<ReferenceEngine>(spec, plan, weights);
  if (spec.depthwise() && plan.group_step != 0) return make_depthwise_engine(spec, plan, weights, cache);
  return make_iconv_engine(spec, plan, weights, cache);
}

}  // namespace

struct Layer::State {
  ConvSpec spec;
  Plan plan;
  std::unique_ptr<const Engine> engine;
};

Layer::Layer(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights, KernelCache& cache) {
  const Plan settled = settle_word_depth(spec, plan, weights);
  auto engine = make_engine(spec, settled, weights, cache);
  state_ = std::make_unique<State>(State{spec, settled, std::move(engine)});
}
Layer::~Layer() = default;
Layer::Layer(Layer&&) noexcept = default;
Layer& Layer::operator=(Layer&&) noexcept = default;

const ConvSpec& Layer::spec() const noexcept { return state_->spec; }
const Plan& Layer::plan() const noexcept { return state_->plan; }
std::int64_t Layer::tiles() const noexcept { return state_->engine->tiles(); }
std::int64_t Layer::channel_blocks() const noexcept { return state_->engine->channel_blocks(); }
std::size_t Layer::scratch_bytes() const noexcept { return state_->engine->scratch_bytes(); }
std::size_t Layer::packed_bytes() const noexcept { return state_->engine->packed_bytes(); }
std::size_t Layer::workspace_bytes() const noexcept { return state_->engine->workspace_bytes(); }
std::int64_t Layer::quantize_parts() const noexcept { return state_->engine->quantize_parts(); }
void Layer::quantize(std::int64_t tile, PartRange parts, const float* image, std::byte* scratch,
                     std::byte* workspace) const noexcept {
  state_->engine->quantize(tile, parts, image, scratch, workspace);
}
void Layer::quantize(std::int64_t tile, const float* image, std::byte* scratch, std::byte* workspace) const noexcept {
  quantize(tile, {0, quantize_parts()}, image, scratch, workspace);
}
void Layer::compute(std::int64_t tile, std::int64_t channel_block, const std::byte* scratch, const float* residual,
                    float* dst, std::byte* workspace) const noexcept {
  state_->engine->compute(tile, channel_block, scratch, residual, dst, workspace);
}
std::vector<std::shared_ptr<const Kernel>> Layer::kernels() const { return state_->engine->kernels(); }

}  // namespace octavo::jit
