// SPDX-License-Identifier: Apache-2.0
// The cost of a Winograd plan in cycles of one core, as jit/plan.cpp has it for direct layers: both transforms, the
// products, the weights' way from the caches. Constants were measured (docs/kernels.md).
#include "jit/winograd_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "jit/iconv_block.h"
#include "jit/vector_unit.h"
#include "jit/winograd_layout.h"
#include "jit/word_split.h"

namespace octavo::jit {

namespace {

constexpr std::int64_t most_tiles = 128;  ///< of a work tile

struct OutputTile {
  std::int64_t h, w;
};

std::vector<OutputTile> allowed_tiles(WinogradLimit limit) {
  std::vector<OutputTile> tiles;
  if (limit >= WinogradLimit::tiles2x2) tiles.push_back({2, 2});
  if (limit >= WinogradLimit::tiles2x4) {
    tiles.push_back({2, 4});
    tiles.push_back({4, 2});
  }
  if (limit >= WinogradLimit::tiles4x4) tiles.push_back({4, 4});
  return tiles;
}

class WinogradCost {
 public:
  WinogradCost(const ConvSpec& spec, const Plan& plan, const Machine& machine, int threads)
      : spec_(spec), plan_(plan), machine_(machine), threads_(threads), layout_(spec, plan) {
    lanes_ = vector_facts(spec.isa).lanes;
    width_ = static_cast<double>(lanes_) / widest_lanes;
    out_vectors_ = (spec.out_channels / spec.groups + lanes_ - 1) / lanes_;
    const WindowRun& run = layout_.windows();
    steps_ = (run.full * window_bytes(run.channels) + window_bytes(run.tail_channels)) / 4;
  }

  [[nodiscard]] double cycles() const {
    const double work_tiles = static_cast<double>(layout_.grid().tiles());
    const double tiles = mean_tiles() * work_tiles;
    const double compute = work_tiles * multiply_cycles();
    const double streams = weight_cycles();
    const double item_cycles = work_tiles * blocks() * cycles_per_item;
    return mean_tiles() * quantized_tiles() * input_cycles() + join_cycles() +
           (tiles * output_cycles() + std::max(compute, streams) + not_overlapped * std::min(compute, streams) +
            item_cycles) *
               imbalance();
  }
  [[nodiscard]] const WinogradLayout& layout() const { return layout_; }
  [[nodiscard]] std::int64_t product_bytes() const { return layout_.product_bytes(block_channels()); }

 private:
  static constexpr double input_cycles_per_position = 7.0;   ///< of a vector of channels and Winograd tile
  static constexpr double output_cycles_per_position = 3.0;  ///< of a vector of output channels and Winograd tile
  static constexpr double cycles_per_output = 3.0;           ///< epilogue and store of a vector ...
  static constexpr double cycles_per_far_output = 11.0;      ///< ... into an output beyond L2
  static constexpr double cycles_per_pixel = 2.0;            ///< reading a vector of a pixel ...
  static constexpr double cycles_per_far_pixel = 8.0;        ///< ... of an input beyond L2, the first time
  static constexpr double cycles_per_dequantize = 2.0;       ///< of a vector of products and window
  static constexpr double cycles_per_product_store = 2.5;    ///< of a vector
  static constexpr double cycles_per_block = 30.0;           ///< loop ends, pipeline refill
  static constexpr double cycles_per_call = 70.0;            ///< of a kernel
  static constexpr double cycles_per_item = 150.0;           ///< a work tile and channel block
  static constexpr double cycles_per_join = 5000.0;          ///< of the threads, between quantizing and computing
  /// To read what a core wrote and to write it anew, sharing an L3, and not.
  static constexpr double near_bytes_per_cycle = 4.0, apart_bytes_per_cycle = 0.7;
  static constexpr double l2_bytes_per_cycle = 24.0;
  static constexpr double l3_bytes_per_cycle = 12.0;
  static constexpr double memory_bytes_per_cycle = 7.0;
  static constexpr double not_overlapped = 0.25;

  [[nodiscard]] bool far(std::int64_t pixels, std::int64_t stride) const {
    return pixels * stride * 4 > machine_.l2_bytes;
  }
  [[nodiscard]] std::int64_t block_channels() const { return std::min(plan_.column_vectors, out_vectors_) * lanes_; }
  [[nodiscard]] double blocks() const {
    return static_cast<double>(spec_.groups * ((out_vectors_ + plan_.column_vectors - 1) / plan_.column_vectors));
  }
  /// Winograd tiles of a mean work tile: those at the edges have fewer.
  [[nodiscard]] double mean_tiles() const {
    const std::int64_t all = layout_.cut_down().tiles() * layout_.cut_across().tiles();
    return static_cast<double>(all) / static_cast<double>(layout_.grid().tiles());
  }

  /// Work tiles that are quantized, by the busiest thread, times threads. With channel blocks outermost threads share
  /// the windows of a work tile; otherwise each that computes blocks of it quantizes it for itself.
  [[nodiscard]] double quantized_tiles() const {
    const std::int64_t tiles = layout_.grid().tiles();
    const auto busiest = [&](std::int64_t items) { return (items + threads_ - 1) / threads_ * threads_; };
    if (plan_.order == WorkOrder::channel_outer) {
      const std::int64_t parts = spec_.groups * layout_.windows().windows();
      return static_cast<double>(busiest(tiles * parts)) / static_cast<double>(parts);
    }
    const bool cut_twice = threads_ > 2 && tiles % threads_ != 0;
    return static_cast<double>(busiest(tiles) + (cut_twice ? threads_ : 0));
  }
  /// With channel blocks outermost threads wait for each other, and read what the others quantized.
  [[nodiscard]] double join_cycles() const {
    if (plan_.order == WorkOrder::tile_outer || threads_ == 1) return 0.0;
    const auto bytes = static_cast<double>(layout_.scratch_bytes() * layout_.grid().tiles());
    const auto near = static_cast<double>(std::min<std::int64_t>(threads_, machine_.sharing_l3));
    return cycles_per_join * threads_ +
           bytes * ((near - 1.0) / near_bytes_per_cycle + (threads_ - near) / apart_bytes_per_cycle);
  }
  /// Of a Winograd tile, all channels.
  [[nodiscard]] double input_cycles() const {
    const std::int64_t vectors = spec_.groups * ((spec_.channels_per_group() + lanes_ - 1) / lanes_);
    const auto positions = static_cast<double>(layout_.positions());
    const double pixels = far(spec_.in_h * spec_.in_w, spec_.src_stride())
                              ? cycles_per_far_pixel * static_cast<double>(plan_.winograd_h * plan_.winograd_w)
                              : cycles_per_pixel * positions;
    return width_ * static_cast<double>(vectors) * (input_cycles_per_position * positions + pixels);
  }
  /// Pooling does not count: a layer's tile, and with it its numbers, must not hang on what follows it.
  [[nodiscard]] double output_cycles() const {
    const bool far_output = far(spec_.out_h * spec_.out_w, spec_.dst_stride());
    const double outputs = static_cast<double>(plan_.winograd_h * plan_.winograd_w) *
                           (far_output ? cycles_per_far_output : cycles_per_output);
    const double a_vector = output_cycles_per_position * static_cast<double>(layout_.positions()) + outputs;
    return width_ * static_cast<double>(spec_.groups * out_vectors_) * a_vector + blocks() * cycles_per_call / 2;
  }
  /// Of a mean work tile, all positions and channel blocks.
  [[nodiscard]] double multiply_cycles() const {
    const std::int64_t tiles = layout_.full_tiles();
    double cycles = cycles_per_call;
    for (const PixelRun& run : balanced_runs(tiles, plan_.rows))
      cycles += static_cast<double>(run.count) * block_cycles(run.length);
    return cycles * static_cast<double>(layout_.positions()) * blocks() * mean_tiles() / static_cast<double>(tiles);
  }
  [[nodiscard]] double block_cycles(std::int64_t rows) const {
    const std::int64_t vectors = std::min(plan_.column_vectors, out_vectors_);
    const double dots = width_ * static_cast<double>(rows * vectors);
    // The slab of weights that one position needs is read again for every block of rows: from L1 if it fits.
    const bool slab_in_l1 = steps_ * 4 * vectors * lanes_ <= machine_.l1d_bytes * 3 / 4;
    const double streamed = slab_in_l1 ? 0.0 : static_cast<double>(vectors * lanes_ * 4) / l2_bytes_per_cycle;
    const double multiply = dots * cycles_per_dot(spec_.isa, plan_.word_depth);
    const double step = std::max({multiply, width_ * static_cast<double>(rows + vectors), 4.0, streamed});
    return static_cast<double>(steps_) * step +
           dots *
               (static_cast<double>(layout_.windows().windows()) * cycles_per_dequantize + cycles_per_product_store) +
           cycles_per_block;
  }
  /// All weights come once for every work tile, or a block's once when channel blocks are outermost and it stays in L2.
  [[nodiscard]] double weight_cycles() const {
    const double all = static_cast<double>(layout_.positions() * spec_.groups * out_vectors_ * lanes_ * steps_ * 4);
    const double rate = all > static_cast<double>(machine_.l3_bytes) / 2 ? memory_bytes_per_cycle : l3_bytes_per_cycle;
    const double block = all / blocks();
    const double room =
        static_cast<double>(machine_.l2_bytes) * 7 / 8 - static_cast<double>(layout_.scratch_bytes() + product_bytes());
    const bool tile_outer = plan_.order == WorkOrder::tile_outer;
    const double times = (tile_outer ? all : block) <= room ? 1.0 : static_cast<double>(layout_.grid().tiles());
    return all * times / rate + quantized_cycles();
  }
  /// With channel blocks outermost, the quantized work tiles of the whole image come again for each block. (So does a
  /// single one in any order.)
  [[nodiscard]] double quantized_cycles() const {
    if (plan_.order == WorkOrder::tile_outer || layout_.grid().tiles() == 1) return 0.0;
    const double bytes = static_cast<double>(layout_.scratch_bytes() * layout_.grid().tiles());
    if (bytes <= static_cast<double>(machine_.l2_bytes) / 2) return 0.0;
    return bytes * (blocks() + 1.0) / l3_bytes_per_cycle;
  }
  /// How much longer the busiest thread works than the mean one.
  [[nodiscard]] double imbalance() const {
    const double items = static_cast<double>(layout_.grid().tiles()) * blocks();
    const double rounds = static_cast<double>((static_cast<std::int64_t>(items) + threads_ - 1) / threads_);
    return rounds * threads_ / items;
  }

  const ConvSpec& spec_;
  const Plan& plan_;
  const Machine& machine_;
  int threads_;
  WinogradLayout layout_;
  std::int64_t lanes_ = 0, out_vectors_ = 0, steps_ = 0;
  double width_ = 1.0;  ///< of a vector, in those that the constants were measured with
};

/// Without VNNI, 16-bit sums as deep as nearly all transformed weights allow (jit/word_split.h), unless weights are
/// used once.
std::int64_t word_depth(const ConvSpec& position) {
  constexpr std::int64_t depth = 2;
  const bool used_once = position.out_w == 1;
  const bool narrow = window_bytes(position.window_channels()) < chunk_bytes;
  return vector_facts(position.isa).vnni || used_once || narrow ? 0 : depth;
}

/// Every combination of Winograd tile, work tile and register block; the order is left as it comes.
std::vector<Plan> plans_of(const ConvSpec& spec, Breadth breadth) {
  std::vector<Plan> plans;
  for (const OutputTile& tile : allowed_tiles(spec.winograd)) {
    const std::int64_t down = WinogradCut(spec.out_h, spec.dilation_h, tile.h).tiles();
    const std::int64_t across = WinogradCut(spec.out_w, spec.dilation_w, tile.w).tiles();
    // Wide work tiles first, which win where the cost is the same: threads then share an image by rows, whatever the
    // layer, and find what they read next in their own caches.
    for (const std::int64_t columns : balanced_sizes(across, most_tiles)) {
      for (const std::int64_t rows : balanced_sizes(down, most_tiles)) {
        if (rows * columns > most_tiles) continue;
        Plan plan;
        plan.winograd_h = tile.h;
        plan.winograd_w = tile.w;
        plan.tile_h = rows * tile.h;
        plan.tile_w = columns * tile.w;
        const ConvSpec position = WinogradLayout(spec, plan).position_spec(spec);
        plan.word_depth = word_depth(position);
        for (const RegisterBlock& block : register_blocks(position, breadth)) {
          plan.rows = block.rows;
          plan.column_vectors = block.column_vectors;
          plans.push_back(plan);
        }
      }
    }
  }
  return plans;
}

std::string explain(const ConvSpec& spec, const PlanCandidate& candidate, const WinogradCost& cost) {
  const Plan& plan = candidate.plan;
  const double products = 9.0 * static_cast<double>(spec.out_h * spec.out_w * spec.out_channels) *
                          static_cast<double>(spec.channels_per_group());
  return fmt::format(
      "Winograd {}x{}: {} products for {} outputs{}; {} Winograd tiles a work tile ({} KB quantized, {} KB of "
      "products), "
      "{} tiles x {} vectors in registers, {}: {:.0f}% of what the dot product rate allows a direct layer, by the cost "
      "model",
      plan.winograd_h, plan.winograd_w, cost.layout().positions(), plan.winograd_h * plan.winograd_w,
      spec.dilation_h == 1 && spec.dilation_w == 1 ? ""
                                                   : fmt::format(", {}x{} apart", spec.dilation_h, spec.dilation_w),
      cost.layout().full_tiles(), (cost.layout().scratch_bytes() + 1023) / 1024, (cost.product_bytes() + 1023) / 1024,
      plan.rows, plan.column_vectors, plan.order == WorkOrder::tile_outer ? "tile by tile" : "channel blocks outermost",
      100.0 * products * cycles_per_dot(spec.isa, plan.word_depth) / (4.0 * widest_lanes) / candidate.cycles);
}

std::vector<PlanCandidate> candidates_of(const ConvSpec& spec, const Machine& machine, int threads, Breadth breadth) {
  std::vector<PlanCandidate> candidates;
  for (Plan& plan : plans_of(spec, breadth)) {
    for (const WorkOrder order : {WorkOrder::tile_outer, WorkOrder::channel_outer}) {
      plan.order = order;
      candidates.push_back({plan, WinogradCost(spec, plan, machine, threads).cycles()});
    }
  }
  return candidates;
}

void give_reason(const ConvSpec& spec, PlanCandidate& candidate, const Machine& machine, int threads) {
  candidate.plan.reason = explain(spec, candidate, WinogradCost(spec, candidate.plan, machine, threads));
}

PlanCandidate choose_winograd(const ConvSpec& spec, const Machine& machine, int threads) {
  PlanCandidate best = cheapest_candidate(candidates_of(spec, machine, threads, Breadth::planner), 1.0, false);
  give_reason(spec, best, machine, threads);
  return best;
}

std::vector<PlanCandidate> winograd_candidates(const ConvSpec& spec, const Machine& machine, int threads) {
  std::vector<PlanCandidate> all = candidates_of(spec, machine, threads, Breadth::tuner);
  for (PlanCandidate& candidate : all) give_reason(spec, candidate, machine, threads);
  return all;
}

bool is_winograd_plan(const ConvSpec& spec, const Plan& plan) {
  if (!plan.winograd() || spec.winograd == WinogradLimit::none || !winograd_fits(spec)) return false;
  const std::vector<Plan> known = plans_of(spec, Breadth::tuner);
  Plan in_any_order = plan;
  in_any_order.order = Plan{}.order;
  return std::any_of(known.begin(), known.end(), [&](const Plan& other) { return other.same_blocking(in_any_order); });
}

}  // namespace

PlanFamily winograd_family() { return {choose_winograd, winograd_candidates, is_winograd_plan}; }

}  // namespace octavo::jit
