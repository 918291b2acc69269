// SPDX-License-Identifier: Apache-2.0
// A family of plans: one way to compute a layer (direct, depthwise, ...), with a cost model of its own. jit/plan.cpp
// takes the cheapest choice of all families that can compute a spec.
#pragma once

#include <cstdint>
#include <vector>

#include "jit/conv_spec.h"
#include "jit/plan.h"

namespace octavo::jit {

/// All functions take a valid spec that the family can compute.
struct PlanFamily {
  /// The family's best, with its reason.
  PlanCandidate (*choose)(const ConvSpec& spec, const Machine& machine, int threads);
  /// All its plans in any order, with their reasons.
  std::vector<PlanCandidate> (*candidates)(const ConvSpec& spec, const Machine& machine, int threads);
  /// Whether candidates() gives this plan, on whatever machine.
  bool (*contains)(const ConvSpec& spec, const Plan& plan);
};

/// The cheapest of at least one candidate; where a smaller tile (a smaller window) represents its values better, the
/// smallest tile of those that cost at most `indifferent` times the least, and the cheapest of those.
[[nodiscard]] PlanCandidate cheapest_candidate(const std::vector<PlanCandidate>& candidates, double indifferent,
                                               bool prefer_small_tiles);

/// How many plans are looked at.
enum class Breadth {
  planner,  ///< what the model can tell apart: the largest register blocks, the order that fits the tiles
  tuner,    ///< also what only measuring tells: smaller register blocks, both orders
};

struct RegisterBlock {
  std::int64_t rows, column_vectors;
};
/// What fits the registers, for each number of column vectors the largest first.
[[nodiscard]] std::vector<RegisterBlock> register_blocks(const ConvSpec& spec, Breadth breadth);

/// Plan::word_depth before the weights are known. Without VNNI sums of 16-bit words are worth their larger weights
/// unless weights are used once.
[[nodiscard]] std::int64_t planned_word_depth(const ConvSpec& spec);

/// Lanes of the vectors that the cost models' constants were measured with.
constexpr double widest_lanes = 16.0;

/// Cycles of a dot product of two vectors, with or without 16-bit sums (Plan::word_depth).
[[nodiscard]] double cycles_per_dot(Isa isa, std::int64_t word_depth);

/// Sizes of at most `largest` that cut `total` into equal parts, but for the last: total / n, rounded up.
[[nodiscard]] std::vector<std::int64_t> balanced_sizes(std::int64_t total, std::int64_t largest);

}  // namespace octavo::jit
