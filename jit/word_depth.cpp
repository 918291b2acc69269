// SPDX-License-Identifier: Apache-2.0
// Splits a few blocks of output channels at every depth, and counts.
#include "jit/word_depth.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "jit/gathered_taps.h"
#include "jit/pack_weights.h"
#include "jit/reference.h"
#include "jit/vector_unit.h"
#include "jit/window_layout.h"
#include "jit/word_split.h"

namespace octavo::jit {

namespace {

constexpr std::int64_t sampled_blocks = 4;
/// In multiplications of a vector, which is what bounds such kernels: of a chunk, and of a correction or another single
/// dot product by words (nine instructions).
constexpr double cost_of_single_dot = 4.5;
double cost_of_chunk(std::int64_t depth) {
  return static_cast<double>(chunk_steps + 1) + static_cast<double>(chunk_steps) / static_cast<double>(depth) +
         1.0 / static_cast<double>(residual_chunks);
}

/// Corrections for each chunk that the kernel goes through.
double corrections_per_chunk(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights,
                             std::int64_t depth) {
  const PackedLayout layout(spec, plan.column_vectors, depth);
  const WindowRun run(spec);
  const std::int64_t lanes = vector_facts(spec.isa).lanes, samples = std::min(sampled_blocks, layout.blocks());
  std::vector<std::byte> corrections, packed;
  std::int64_t rows = 0;
  for (std::int64_t i = 0; i < samples; ++i) {
    const ChannelBlock block = layout.block(i * layout.blocks() / samples);
    const std::size_t before = corrections.size();
    packed.assign(static_cast<std::size_t>(layout.block_bytes(block.column_vectors)), std::byte{0});
    pack_block_by_words(spec, block, weights, depth, packed.data(), corrections);
    rows += static_cast<std::int64_t>(corrections.size() - before) / ((1 + block.column_vectors) * lanes * 4);
  }
  const std::int64_t chunks =
      spec.kernel_h * spec.kernel_w *
      (run.full * (window_bytes(run.channels) / chunk_bytes) + window_bytes(run.tail_channels) / chunk_bytes);
  return static_cast<double>(rows) / static_cast<double>(std::max<std::int64_t>(1, samples * chunks));
}

/// Of a product whose weights lie as they are packed.
Plan settle(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights) {
  Plan settled = plan;
  settled.word_depth = 0;
  double least = static_cast<double>(chunk_steps) * cost_of_single_dot, corrections = 0;
  for (const std::int64_t depth : {4, 2, 1}) {
    const double share = corrections_per_chunk(spec, plan, weights, depth);
    const double cost = cost_of_chunk(depth) + share * cost_of_single_dot;
    if (cost >= least) continue;
    least = cost;
    corrections = share;
    settled.word_depth = depth;
  }
  settled.reason += settled.word_depth == 0
                        ? "; its weights are too large for 16-bit sums"
                        : fmt::format("; 16-bit sums {} deep, which {:.1f}% of k-steps need a correction for",
                                      settled.word_depth, 100.0 * corrections / static_cast<double>(chunk_steps));
  return settled;
}

}  // namespace

Plan settle_word_depth(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights) {
  check_gathered(spec, plan);
  if (plan.word_depth != Plan::depth_of_weights) return plan;
  spec.validate();
  check_weights(spec, weights);
  if (!plan.gathered) return settle(spec, plan, weights);
  const std::vector<std::int8_t> q = gathered_weights(spec, weights);
  return settle(gathered_product(spec), plan, {q, weights.scales, weights.bias, weights.slopes});
}

}  // namespace octavo::jit
