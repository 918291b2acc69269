// SPDX-License-Identifier: Apache-2.0
// What the families' cost models share: how dot products and register blocks fit an instruction set, and how a choice
// is made between candidates.
#include "jit/plan_family.h"

#include <algorithm>

#include "jit/iconv_block.h"
#include "jit/vector_unit.h"
#include "jit/window_layout.h"
#include "jit/word_split.h"

namespace octavo::jit {

std::int64_t planned_word_depth(const ConvSpec& spec) {
  const bool one_pixel = spec.out_h * spec.out_w == 1;
  return vector_facts(spec.isa).vnni || one_pixel || window_bytes(spec.window_channels()) < chunk_bytes
             ? 0
             : Plan::depth_of_weights;
}

double cycles_per_dot(Isa isa, std::int64_t word_depth) {
  // By words of chunks (4 + 1 products and 2.5 widenings for 4 k-steps), or one by one.
  constexpr double cycles_per_split_dot = 1.9, cycles_per_exact_dot = 4.5;
  if (vector_facts(isa).vnni) return 1.0;
  return word_depth != 0 ? cycles_per_split_dot : cycles_per_exact_dot;
}

std::vector<RegisterBlock> register_blocks(const ConvSpec& spec, Breadth breadth) {
  constexpr std::int64_t most_streamed_vectors = 8, smaller_blocks = 3;
  // For a single pixel, whose weights are used once: 256 bytes a k-step are what the hardware prefetcher follows best.
  constexpr std::int64_t streamed_vectors = 4;
  const bool by_words = planned_word_depth(spec) != 0;
  const std::int64_t most_vectors = by_words ? 4 : 6;
  const bool one_window = WindowRun(spec).windows() == 1, measured = breadth == Breadth::tuner;
  const VectorFacts facts = vector_facts(spec.isa);
  const std::int64_t vectors = (spec.out_channels / spec.groups + facts.lanes - 1) / facts.lanes;
  const auto fits = [&](std::int64_t rows, std::int64_t v) {
    return iconv_registers(spec.isa, rows, v, one_window, by_words) <= facts.registers;
  };
  std::vector<RegisterBlock> blocks;
  if (spec.out_h * spec.out_w == 1) {
    const std::int64_t most = std::min(measured ? most_streamed_vectors : streamed_vectors, vectors);
    for (std::int64_t v = measured ? 1 : most; v <= most; ++v)
      if (v <= streamed_vectors || fits(1, v)) blocks.push_back({1, v});
    return blocks;
  }
  for (std::int64_t v = 1; v <= std::min(vectors, most_vectors); ++v) {
    std::int64_t rows = facts.registers;
    while (rows > 1 && !fits(rows, v)) --rows;
    if (!fits(rows, v)) break;
    const std::int64_t least = measured ? std::max<std::int64_t>(1, rows - smaller_blocks) : rows;
    for (; rows >= least; --rows) blocks.push_back({rows, v});
  }
  return blocks;
}

std::vector<std::int64_t> balanced_sizes(std::int64_t total, std::int64_t largest) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t parts = (total + largest - 1) / largest; parts <= total; ++parts) {
    const std::int64_t size = (total + parts - 1) / parts;
    if (sizes.empty() || sizes.back() != size) sizes.push_back(size);
    if (size == 1) break;
    // The next smaller size is the one worth looking at next.
    parts = std::max(parts, (total + size - 2) / (size - 1) - 1);
  }
  return sizes;
}

PlanCandidate cheapest_candidate(const std::vector<PlanCandidate>& candidates, double indifferent_to,
                                 bool prefer_small_tiles) {
  const auto cheaper = [](const PlanCandidate& a, const PlanCandidate& b) { return a.cycles < b.cycles; };
  const PlanCandidate* chosen = &*std::min_element(candidates.begin(), candidates.end(), cheaper);
  if (!prefer_small_tiles) return *chosen;
  const double most = chosen->cycles * indifferent_to;
  const auto area = [](const PlanCandidate& c) { return c.plan.tile_h * c.plan.tile_w; };
  for (const PlanCandidate& candidate : candidates) {
    if (candidate.cycles > most) continue;
    if (area(candidate) < area(*chosen) || (area(candidate) == area(*chosen) && cheaper(candidate, *chosen)))
      chosen = &candidate;
  }
  return *chosen;
}

}  // namespace octavo::jit
