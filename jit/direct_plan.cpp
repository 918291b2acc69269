// SPDX-License-Identifier: Apache-2.0
// A plan is the cheapest of many candidates under a small cost model, in cycles of one core. The model knows the rate
// of dot products and of loads, what each window and each output costs besides, and where weights come from; its
// constants were measured (docs/kernels.md).
#include "jit/direct_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "jit/gathered_taps.h"
#include "jit/iconv_block.h"
#include "jit/tile.h"
#include "jit/vector_unit.h"
#include "jit/window_layout.h"
#include "jit/word_split.h"

namespace octavo::jit {

namespace {

constexpr std::int64_t largest_window_tile = 256;  ///< output pixels
/// The same for pictures, whose values range alike everywhere.
constexpr std::int64_t largest_picture_tile = 2048, picture_channels = 4;
constexpr std::int64_t largest_pixel_tile = 224;  ///< with one scale a pixel, where the tile does not limit accuracy

class DirectCost {
 public:
  DirectCost(const ConvSpec& spec, const Machine& machine, int threads)
      : spec_(spec), machine_(machine), threads_(threads), run_(spec), in_place_(spec, planned_word_depth(spec)) {
    if (taps_can_be_gathered(spec)) {
      const ConvSpec product = gathered_product(spec);
      gathered_ = Product(product, planned_word_depth(product));
    }
    lanes_ = vector_facts(spec.isa).lanes;
    width_ = lanes_ / widest_lanes;
    out_vectors_ = (spec.out_channels / spec.groups + lanes_ - 1) / lanes_;
  }

  /// Cycles for one image, of one core, times the loss where the work does not divide among the threads.
  [[nodiscard]] double cycles(const Plan& plan) const {
    const TileGrid grid(spec_, plan);
    const double tiles = static_cast<double>(grid.tiles());
    const double area = static_cast<double>(spec_.out_h * spec_.out_w) /
                        (tiles * static_cast<double>(grid.tile_h * grid.tile_w));  // of a mean tile
    const double compute = tiles * area * compute_cycles(plan, grid);
    const double streams = std::max(weight_cycles(plan, grid), write_cycles(grid));
    return quantized_tiles(plan, grid) * quantize_cycles(plan, grid) +
           (std::max(compute, streams) + not_overlapped * std::min(compute, streams)) * imbalance(plan, grid);
  }
  [[nodiscard]] std::int64_t steps(const Plan& plan) const { return product(plan).steps; }  ///< k-steps of an output
  [[nodiscard]] std::int64_t word_depth(const Plan& plan) const { return product(plan).word_depth; }
  [[nodiscard]] std::int64_t scratch_bytes(const Plan& plan) const {
    const TileGrid grid(spec_, plan);
    if (plan.gathered) return GatheredLayout(spec_, grid.tile_h, grid.field_h, grid.field_w).taps;
    return ScratchLayout(run_, grid.field_h, grid.field_w, plan.scale_per_pixel).bytes;
  }

 private:
  /// What the products are made of.
  struct Product {
    Product() = default;
    Product(const ConvSpec& spec, std::int64_t depth) : word_depth(depth) {
      const WindowRun run(spec);
      steps =
          spec.kernel_h * spec.kernel_w * (run.full * window_bytes(run.channels) + window_bytes(run.tail_channels)) / 4;
    }
    std::int64_t steps = 0, word_depth = 0;
  };

  static constexpr double cycles_per_dequantize = 2.0;     ///< of a vector and window
  static constexpr double cycles_per_output = 5.0;         ///< epilogue and store of a vector
  static constexpr double cycles_per_run = 5.0;            ///< of neighbouring output vectors of a pixel ...
  static constexpr double cycles_per_far_run = 30.0;       ///< ... which are parts of a pixel, in an output beyond L2
  static constexpr double cycles_per_block = 30.0;         ///< loop ends, pipeline refill
  static constexpr double cycles_per_quantize = 6.0;       ///< of a vector of channels and field pixel ...
  static constexpr double cycles_per_far_quantize = 14.0;  ///< ... and when the input does not come from L2
  static constexpr double cycles_per_gathered_tap = 1.0;   ///< copied for a column and row of the kernel
  static constexpr double cycles_per_batch = 60.0;         ///< scales of up to 16 windows
  static constexpr double cycles_per_call = 150.0;         ///< of a kernel
  /// Writing an output that does not stay in L2: its bytes, and each row of a tile, which begins somewhere new.
  static constexpr double far_write_bytes_per_cycle = 6.0, cycles_per_far_row = 450.0;
  static constexpr double l2_bytes_per_cycle = 24.0;
  static constexpr double l3_bytes_per_cycle = 16.0;
  static constexpr double memory_bytes_per_cycle = 8.0;
  static constexpr double not_overlapped = 0.25;  ///< of the time that computing and streaming share

  /// How much longer the busiest thread works than the mean one: channel blocks of tiles are shared (in either order).
  [[nodiscard]] double imbalance(const Plan& plan, const TileGrid& grid) const {
    const std::int64_t blocks = spec_.groups * ((out_vectors_ + plan.column_vectors - 1) / plan.column_vectors);
    const std::int64_t items = grid.tiles() * blocks;
    return static_cast<double>((items + threads_ - 1) / threads_ * threads_) / static_cast<double>(items);
  }
  /// Tiles that are quantized, by the busiest thread, times threads.
  [[nodiscard]] double quantized_tiles(const Plan& plan, const TileGrid& grid) const {
    const std::int64_t rounds = (grid.tiles() + threads_ - 1) / threads_;
    // A share that begins and ends within a tile quantizes one more than its length says.
    const bool cut_twice = plan.order == WorkOrder::tile_outer && threads_ > 2 && grid.tiles() % threads_ != 0;
    return static_cast<double>((rounds + (cut_twice ? 1 : 0)) * threads_);
  }
  [[nodiscard]] const Product& product(const Plan& plan) const { return plan.gathered ? gathered_ : in_place_; }
  [[nodiscard]] std::int64_t weight_bytes(const Plan& plan) const {
    return spec_.groups * out_vectors_ * lanes_ * steps(plan) * 4;
  }
  [[nodiscard]] bool far(std::int64_t bytes) const { return bytes > machine_.l2_bytes; }
  [[nodiscard]] std::int64_t in_bytes() const { return spec_.in_h * spec_.in_w * spec_.src_stride() * 4; }
  [[nodiscard]] std::int64_t out_bytes() const { return spec_.out_h * spec_.out_w * spec_.dst_stride() * 4; }
  [[nodiscard]] double compute_cycles(const Plan& plan, const TileGrid& grid) const {
    Plan tile = plan;
    tile.tile_h = grid.tile_h;
    tile.tile_w = grid.tile_w;
    const PixelBlock block = tile.pixel_block();
    double cycles = 0;
    const auto blocks_of = [&](std::int64_t vectors, double times) {
      for (const PixelRun& down : balanced_runs(grid.tile_h, block.rows))
        for (const PixelRun& across : balanced_runs(grid.tile_w, block.columns))
          cycles += times * static_cast<double>(down.count * across.count) *
                    block_cycles(down.length * across.length, vectors, product(plan));
      cycles += times * cycles_per_call;
    };
    blocks_of(plan.column_vectors, static_cast<double>(spec_.groups * (out_vectors_ / plan.column_vectors)));
    if (out_vectors_ % plan.column_vectors != 0)
      blocks_of(out_vectors_ % plan.column_vectors, static_cast<double>(spec_.groups));
    return cycles;
  }
  [[nodiscard]] double block_cycles(std::int64_t pixels, std::int64_t vectors, const Product& product) const {
    const double accumulators = width_ * static_cast<double>(pixels * vectors);
    const double dots = accumulators * cycles_per_dot(spec_.isa, product.word_depth);
    const bool scattered = far(out_bytes()) && vectors * lanes_ < spec_.out_channels;
    const double streamed = static_cast<double>(vectors * lanes_ * 4) / l2_bytes_per_cycle;
    // A dot product's latency is four; loads are one a cycle.
    const double step = std::max({dots, width_ * loads(pixels, vectors, product), 4.0, streamed});
    return static_cast<double>(product.steps) * step +
           accumulators * (static_cast<double>(run_.windows()) * cycles_per_dequantize + cycles_per_output) +
           static_cast<double>(pixels) * (scattered ? cycles_per_far_run : cycles_per_run) + cycles_per_block;
  }
  /// Of a k-step. By words, of a chunk's four steps and the residual: weights anew for every pixel unless they are of
  /// one vector, which the registers hold.
  [[nodiscard]] double loads(std::int64_t pixels, std::int64_t vectors, const Product& product) const {
    if (product.word_depth == 0) return static_cast<double>(pixels + vectors);
    const std::int64_t weights = static_cast<std::int64_t>(chunk_steps + 2) * vectors * (vectors == 1 ? 1 : pixels);
    return static_cast<double>(weights + (chunk_steps + 1) * pixels) / static_cast<double>(chunk_steps);
  }
  [[nodiscard]] double quantize_cycles(const Plan& plan, const TileGrid& grid) const {
    const double pixels = static_cast<double>(grid.field_h * grid.field_w);
    const double cycles_per_vector = far(in_bytes()) ? cycles_per_far_quantize : cycles_per_quantize;
    if (plan.gathered) {
      // A row's last vector is not full, and what is outside the image is filled by a vector, too.
      const double row = static_cast<double>(grid.field_w * spec_.in_channels) / static_cast<double>(lanes_) + 2.0;
      const double taps = static_cast<double>(grid.tile_h * grid.field_w * spec_.kernel_h);
      return static_cast<double>(grid.field_h) * row * width_ * cycles_per_vector + taps * cycles_per_gathered_tap +
             cycles_per_batch + cycles_per_call;
    }
    const double windows = static_cast<double>(run_.groups * run_.windows());
    const double vectors = static_cast<double>((run_.channels + lanes_ - 1) / lanes_) * windows;
    const double batches = (plan.scale_per_pixel ? pixels : 1.0) * windows / static_cast<double>(lanes_) + 1.0;
    return pixels * vectors * width_ * cycles_per_vector + batches * cycles_per_batch + cycles_per_call;
  }
  [[nodiscard]] double write_cycles(const TileGrid& grid) const {
    if (!far(out_bytes())) return 0.0;
    // Tiles as wide as the output follow each other in memory.
    const double rows = grid.tiles_w == 1 ? 0.0 : static_cast<double>(grid.tiles_w * spec_.out_h);
    return static_cast<double>(out_bytes()) / far_write_bytes_per_cycle + rows * cycles_per_far_row;
  }
  /// Weights beyond L2 come anew for every tile, or once when channel blocks are outermost and a block stays in L2.
  [[nodiscard]] double weight_cycles(const Plan& plan, const TileGrid& grid) const {
    const double rate = weight_bytes(plan) > machine_.l3_bytes / 2 ? memory_bytes_per_cycle : l3_bytes_per_cycle;
    const std::int64_t block_bytes = std::min(plan.column_vectors, out_vectors_) * lanes_ * steps(plan) * 4;
    const std::int64_t kept = plan.order == WorkOrder::channel_outer ? block_bytes : weight_bytes(plan);
    const bool stay = kept + scratch_bytes(plan) <= machine_.l2_bytes * 7 / 8;
    return (stay ? 1.0 : static_cast<double>(grid.tiles())) * static_cast<double>(weight_bytes(plan)) / rate;
  }

  const ConvSpec& spec_;
  const Machine& machine_;
  std::int64_t threads_;
  WindowRun run_;
  Product in_place_, gathered_;  ///< over pixels as they lie, or over gathered taps
  std::int64_t lanes_, out_vectors_;
  double width_;  ///< of a vector, in those that the constants were measured with: what costs a cycle there
};

bool scale_per_pixel(const ConvSpec& spec) {
  const bool one_tap = spec.kernel_h == 1 && spec.kernel_w == 1;
  const bool inside = spec.pad_top == 0 && spec.pad_left == 0 && (spec.out_h - 1) * spec.stride_h < spec.in_h &&
                      (spec.out_w - 1) * spec.stride_w < spec.in_w;
  const bool of_pixels = spec.window.tile_h <= 1 && spec.window.tile_w <= 1;
  return one_tap && inside && of_pixels;
}

std::vector<PixelBlock> tile_candidates(const ConvSpec& spec, bool per_pixel) {
  if (!per_pixel && spec.window.tile_h != 0 && spec.window.tile_w != 0)
    return {{std::min(spec.window.tile_h, spec.out_h), std::min(spec.window.tile_w, spec.out_w)}};
  const bool picture = spec.channels_per_group() <= picture_channels && spec.groups == 1;
  const std::int64_t largest = per_pixel ? largest_pixel_tile : (picture ? largest_picture_tile : largest_window_tile);
  std::vector<std::int64_t> heights{std::min(spec.window.tile_h, spec.out_h)};
  std::vector<std::int64_t> widths{std::min(spec.window.tile_w, spec.out_w)};
  if (per_pixel || spec.window.tile_h == 0) heights = balanced_sizes(spec.out_h, largest);
  if (per_pixel || spec.window.tile_w == 0) widths = balanced_sizes(spec.out_w, largest);
  std::vector<PixelBlock> tiles;
  for (const std::int64_t h : heights)
    for (const std::int64_t w : widths)
      if (h * w <= largest) tiles.push_back({h, w});
  if (tiles.empty()) tiles.push_back({heights.back(), widths.back()});
  return tiles;
}

WorkOrder choose_order(const DirectCost& model, Plan plan, std::int64_t tiles, const Machine& machine, int threads) {
  if (tiles < threads) return WorkOrder::channel_outer;
  if (model.scratch_bytes(plan) * tiles > machine.l2_bytes / 2) return WorkOrder::tile_outer;
  plan.order = WorkOrder::tile_outer;
  const double tile_outer = model.cycles(plan);
  plan.order = WorkOrder::channel_outer;
  return model.cycles(plan) < tile_outer ? WorkOrder::channel_outer : WorkOrder::tile_outer;
}

std::string explain(const ConvSpec& spec, const DirectCost& model, const PlanCandidate& candidate) {
  const Plan& plan = candidate.plan;
  const double products = static_cast<double>(spec.out_h * spec.out_w * spec.out_channels * spec.channels_per_group()) *
                          static_cast<double>(spec.kernel_h * spec.kernel_w);
  return fmt::format(
      "{}x{} outputs a tile ({}, {} KB quantized), {} pixels x {} vectors in registers, {}: {:.0f}% of the dot product "
      "rate by the cost model{}",
      plan.tile_h, plan.tile_w, plan.scale_per_pixel ? "a scale for each pixel" : "one window",
      (model.scratch_bytes(plan) + 1023) / 1024, plan.rows, plan.column_vectors,
      plan.order == WorkOrder::tile_outer ? "tile by tile"
                                          : "channel blocks outermost, since weights outweigh the input",
      100.0 * products * cycles_per_dot(spec.isa, model.word_depth(plan)) / (4.0 * widest_lanes) / candidate.cycles,
      plan.gathered
          ? fmt::format("; taps gathered, {} k-steps an output instead of {}", model.steps(plan), model.steps({}))
          : "");
}

/// Every combination of tile and register block; the order is left as it comes.
void add_plans(const ConvSpec& spec, const ConvSpec& product, Breadth breadth, Plan plan, std::vector<Plan>& plans) {
  plan.word_depth = planned_word_depth(product);
  for (const PixelBlock& tile : tile_candidates(spec, plan.scale_per_pixel)) {
    for (const RegisterBlock& block : register_blocks(product, breadth)) {
      plan.tile_h = tile.rows;
      plan.tile_w = tile.columns;
      plan.rows = block.rows;
      plan.column_vectors = block.column_vectors;
      plans.push_back(plan);
    }
  }
}

std::vector<Plan> direct_plans(const ConvSpec& spec, Breadth breadth) {
  std::vector<Plan> plans;
  Plan form;
  form.scale_per_pixel = scale_per_pixel(spec);
  add_plans(spec, spec, breadth, form, plans);
  if (taps_can_be_gathered(spec)) {
    form.gathered = true;
    add_plans(spec, gathered_product(spec), breadth, form, plans);
  }
  return plans;
}

PlanCandidate choose_direct(const ConvSpec& spec, const Machine& machine, int threads) {
  const DirectCost model(spec, machine, threads);
  std::vector<PlanCandidate> candidates;
  for (Plan& plan : direct_plans(spec, Breadth::planner)) {
    plan.order = choose_order(model, plan, TileGrid(spec, plan).tiles(), machine, threads);
    candidates.push_back({plan, model.cycles(plan)});
  }
  // A window that is smaller represents its values better; of plans that cost within this the smallest tile wins.
  constexpr double indifferent = 1.01;
  PlanCandidate chosen = cheapest_candidate(candidates, indifferent, !scale_per_pixel(spec));
  chosen.plan.reason = explain(spec, model, chosen);
  return chosen;
}

std::vector<PlanCandidate> direct_candidates(const ConvSpec& spec, const Machine& machine, int threads) {
  const DirectCost model(spec, machine, threads);
  std::vector<PlanCandidate> candidates;
  for (Plan& plan : direct_plans(spec, Breadth::tuner)) {
    for (const WorkOrder order : {WorkOrder::tile_outer, WorkOrder::channel_outer}) {
      plan.order = order;
      PlanCandidate& candidate = candidates.emplace_back(PlanCandidate{plan, model.cycles(plan)});
      candidate.plan.reason = explain(spec, model, candidate);
    }
  }
  return candidates;
}

bool is_direct_plan(const ConvSpec& spec, const Plan& plan) {
  const std::vector<Plan> plans = direct_plans(spec, Breadth::tuner);
  Plan in_any_order = plan;
  in_any_order.order = Plan{}.order;
  return std::any_of(plans.begin(), plans.end(), [&](const Plan& known) { return known.same_blocking(in_any_order); });
}

}  // namespace

PlanFamily direct_family() { return {choose_direct, direct_candidates, is_direct_plan}; }

}  // namespace octavo::jit
