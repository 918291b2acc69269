// SPDX-License-Identifier: Apache-2.0
// The blocking chosen for a spec, and why. A pure function of (spec, machine, thread count): cheap to test and to
// print.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jit/conv_spec.h"

namespace octavo::jit {

/// What a plan needs to know of the machine.
struct Machine {
  std::int64_t l1d_bytes = 32 * 1024, l2_bytes = 1024 * 1024, l3_bytes = 32 * 1024 * 1024;
  /// Hardware threads that reach one L3. 1 in a small virtual machine: its host may move it to cores that share none.
  std::int64_t sharing_l3 = 16;
  std::string cpu_name;
  /// Reads CPUID and sysfs; falls back to the defaults above where they do not tell.
  static Machine detect();
};

/// How the work of a layer is walked (jit/layer.h).
enum class WorkOrder {
  tile_outer,  ///< a thread quantizes a tile into its own scratch and computes all channel blocks while it is in cache
  channel_outer,  ///< all tiles are quantized first (shared scratch); then (channel block, tile) items, weights staying
                  ///< in cache
};

/// Pixels of a register block: that many rows and columns of the output.
struct PixelBlock {
  std::int64_t rows, columns;
};

struct Plan {
  static constexpr std::int64_t depth_of_weights = -1;

  /// Output pixels of a work tile; of the quantization window too, unless scale_per_pixel or Winograd.
  std::int64_t tile_h = 1, tile_w = 1;
  bool scale_per_pixel = false;     ///< pointwise layers: each pixel of the work tile is a window of its own
  bool gathered = false;            ///< the taps of an output lie in a row (jit/gathered_taps.h)
  std::int64_t rows = 7;            ///< register block: output pixels ...
  std::int64_t column_vectors = 2;  ///< ... by vectors of output channels; a channel block is column_vectors wide
  WorkOrder order = WorkOrder::tile_outer;
  /// Depthwise: columns from a group of four bytes to the next (jit/depthwise_taps.h). `rows` then counts rows of four
  /// output pixels, and a work tile has column_vectors vectors of channels. 0: not the depthwise kernels.
  std::int64_t group_step = 0;
  /// Winograd: output pixels of a Winograd tile, 2 or 4 each way (jit/winograd_layout.h). A work tile is a rectangle of
  /// them, whatever outputs of a dilated layer they hold; `rows` counts them. 0: not the Winograd kernels.
  std::int64_t winograd_h = 0, winograd_w = 0;
  /// ISAs without VNNI: k-steps that share a 16-bit sum (jit/word_split.h): 1, 2 or 4. 0: none, dot products go by the
  /// unit's own. depth_of_weights: the layer settles it when it sees the weights (jit/word_depth.h).
  std::int64_t word_depth = 0;
  std::string reason;  ///< in a sentence, for `octavo info` and `octavo dump`

  [[nodiscard]] bool winograd() const { return winograd_h != 0; }
  /// How `rows` pixels lie in the tile: along a row of it, or over several rows of a narrow one.
  [[nodiscard]] PixelBlock pixel_block() const;
  /// Everything that shapes the code or the packed weights, in words (not the reason).
  [[nodiscard]] std::string name() const;
  /// The plan of that name(), without a reason; nothing when the text is not the name of a plan.
  [[nodiscard]] static std::optional<Plan> parse(std::string_view name);
  /// Equal in all but the reason: equal names.
  [[nodiscard]] bool same_blocking(const Plan& other) const;
};

/// A plan, and what the cost model expects of it: cycles of one core for one image, times the loss where the work does
/// not divide among the threads.
struct PlanCandidate {
  Plan plan;
  double cycles;
};

/// The planner's choice. Throws Error: invalid_argument (an invalid spec), unsupported (one that pools where Winograd
/// does not apply, or is not allowed).
[[nodiscard]] Plan make_plan(const ConvSpec& spec, const Machine& machine, int threads);

/// Every plan that may be worth measuring: make_plan()'s choice first, the others by predicted cycles; each says why.
/// There may be thousands, and the model is wrong by a tenth: the first few hundred are those to look at.
[[nodiscard]] std::vector<PlanCandidate> plan_candidates(const ConvSpec& spec, const Machine& machine, int threads);

/// Whether plan_candidates() gives this plan for this (valid) spec on some machine: what a plan from a file has to be.
[[nodiscard]] bool is_candidate(const ConvSpec& spec, const Plan& plan);

}  // namespace octavo::jit
