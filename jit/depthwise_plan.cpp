// SPDX-License-Identifier: Apache-2.0
// Tile and group step by a cost model, in cycles of one core for one channel vector; its constants were measured
// (docs/jit.md). A larger tile quantizes less of its field twice; a smaller one has finer windows. Overlapping groups
// (step 2) cost more to quantize and save dot products where taps would straddle groups. Cache sizes play no part:
// fields are read in order, and measured tiles that overflow L2 lose nothing.
#include "jit/depthwise_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "jit/depthwise_emitter.h"
#include "jit/depthwise_quantize_emitter.h"
#include "jit/depthwise_taps.h"
#include "jit/tile.h"
#include "jit/vector_unit.h"

namespace octavo::jit {
namespace {

constexpr double cycles_per_pixel = 4.6, cycles_per_overlapping_pixel = 5.2;  ///< quantizing a field pixel
constexpr double cycles_per_field_row = 12.0;                                 ///< units at the edges, loop ends
constexpr double cycles_per_output = 2.7;                                     ///< dequantize, epilogue, store
constexpr double cycles_per_call = 80.0;                                      ///< weights, scales
constexpr double cycles_per_quantize_call = 200.0;                            ///< shared by the vectors of a chunk
/// Of plans that cost within this the smallest tile wins: its windows represent their values better.
constexpr double indifferent = 1.03;
constexpr std::int64_t largest_side = 56;
constexpr std::int64_t block_outputs = 16;
constexpr std::int64_t most_unrolled_dots = 1200;  ///< of a register block; beyond, kernel rows are a loop

/// Field pixels inside the image along one axis, summed over the tiles.
std::int64_t inside_pixels(std::int64_t out, std::int64_t tile, std::int64_t stride, std::int64_t near,
                           std::int64_t field_stride, std::int64_t reach, std::int64_t step, std::int64_t extent) {
  std::int64_t pixels = 0;
  for (std::int64_t first = 0; first < out; first += tile) {
    const std::int64_t count = (std::min(tile, out - first) - 1) * field_stride + reach;
    pixels += inside_image(first * stride - near, count, step, extent).count;
  }
  return pixels;
}

double cycles(const ConvSpec& spec, const Plan& plan, int threads) {
  const TileGrid grid(spec, plan);
  const DepthwiseTaps taps(spec, plan.group_step);
  const auto rows =
      static_cast<double>(inside_pixels(spec.out_h, grid.tile_h, spec.stride_h, spec.pad_top, grid.field_stride_h,
                                        (spec.kernel_h - 1) * spec.dilation_h + 1, grid.step_h, spec.in_h));
  const auto columns =
      static_cast<double>(inside_pixels(spec.out_w, grid.tile_w, spec.stride_w, spec.pad_left, grid.field_stride_w,
                                        (spec.kernel_w - 1) * spec.dilation_w + 1, grid.step_w, spec.in_w));
  const double pixel = plan.group_step == group_bytes ? cycles_per_pixel : cycles_per_overlapping_pixel;
  const double output = static_cast<double>(spec.kernel_h) * taps.dots_per_row() + cycles_per_output;
  const auto tiles = static_cast<double>(grid.tiles());
  const std::int64_t lanes = vector_facts(spec.isa).lanes, vectors = (spec.out_channels + lanes - 1) / lanes;
  const double work = tiles * static_cast<double>((vectors + plan.column_vectors - 1) / plan.column_vectors);
  const double total = rows * columns * pixel + rows * static_cast<double>(grid.tiles_w) * cycles_per_field_row +
                       static_cast<double>(spec.out_h * spec.out_w) * output + tiles * cycles_per_call +
                       tiles * cycles_per_quantize_call / static_cast<double>(plan.column_vectors);
  const double idle = std::ceil(work / threads) * threads / work;  // threads that wait for the last tiles
  return total * idle;
}

/// Sides that cut `total` into equal parts: total, total / 2, total / 3, ... rounded up, none above largest_side.
std::vector<std::int64_t> sides(std::int64_t total, std::int64_t wanted) {
  if (wanted != 0) return {std::min(wanted, total)};
  std::vector<std::int64_t> sizes;
  for (std::int64_t parts = (total + largest_side - 1) / largest_side; parts <= total; ++parts) {
    const std::int64_t size = (total + parts - 1) / parts;
    if (sizes.empty() || size != sizes.back()) sizes.push_back(size);
    if (size <= 4) break;
  }
  return sizes;
}

std::vector<Plan> plans(const ConvSpec& spec) {
  const std::int64_t most = most_quantize_vectors(spec.isa);
  std::vector<Plan> plans;
  for (const std::int64_t height : sides(spec.out_h, spec.window.tile_h)) {
    for (const std::int64_t width : sides(spec.out_w, spec.window.tile_w)) {
      for (const std::int64_t step : {group_bytes / 2, group_bytes}) {
        Plan plan;
        plan.tile_h = height;
        plan.tile_w = width;
        plan.group_step = step;
        const DepthwiseTaps taps(spec, step);
        const double dots = block_outputs * static_cast<double>(spec.kernel_h) * taps.dots_per_row();
        plan.rows = dots > static_cast<double>(most_unrolled_dots) ? 1 : most_depthwise_rows(spec.isa);
        for (const std::int64_t vectors : {most, most / 2}) {
          plan.column_vectors = vectors;
          plans.push_back(plan);
        }
      }
    }
  }
  return plans;
}

std::string explain(const ConvSpec& spec, const PlanCandidate& candidate) {
  const Plan& plan = candidate.plan;
  return fmt::format(
      "depthwise, {}x{} outputs a tile (a window for each channel of it), groups of four columns every {}: {:.1f} dot "
      "products and {:.1f} cycles an output vector by the cost model",
      plan.tile_h, plan.tile_w, plan.group_step,
      static_cast<double>(spec.kernel_h) * DepthwiseTaps(spec, plan.group_step).dots_per_row(),
      candidate.cycles / static_cast<double>(spec.out_h * spec.out_w));
}

std::vector<PlanCandidate> depthwise_candidates(const ConvSpec& spec, const Machine& /*machine*/, int threads) {
  std::vector<PlanCandidate> candidates;
  for (const Plan& plan : plans(spec)) {
    PlanCandidate& candidate = candidates.emplace_back(PlanCandidate{plan, cycles(spec, plan, threads)});
    candidate.plan.reason = explain(spec, candidate);
  }
  return candidates;
}

PlanCandidate choose_depthwise(const ConvSpec& spec, const Machine& machine, int threads) {
  return cheapest_candidate(depthwise_candidates(spec, machine, threads), indifferent, true);
}

bool is_depthwise_plan(const ConvSpec& spec, const Plan& plan) {
  const std::vector<Plan> known = plans(spec);
  return std::any_of(known.begin(), known.end(), [&](const Plan& other) { return other.same_blocking(plan); });
}

}  // namespace

PlanFamily depthwise_family() { return {choose_depthwise, depthwise_candidates, is_depthwise_plan}; }

}  // namespace octavo::jit
