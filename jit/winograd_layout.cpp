// SPDX-License-Identifier: Apache-2.0
// Strides that keep neighbouring slices out of each other's cache sets, and the cut into tiles.
#include "jit/winograd_layout.h"

#include <algorithm>
#include <limits>

#include "jit/aligned_bytes.h"

namespace octavo::jit {

namespace {

/// An odd number of cache lines: slices that far apart spread over all sets of a cache.
std::int64_t odd_lines(std::int64_t bytes) {
  const auto line = static_cast<std::int64_t>(cache_line);
  const std::int64_t lines = (bytes + line - 1) / line;
  return (lines | 1) * line;
}

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// The grid of work tiles over whole Winograd tiles.
TileGrid whole_tiles(const ConvSpec& spec, const Plan& plan, const WinogradCut& down, const WinogradCut& across) {
  ConvSpec outputs = spec;
  outputs.out_h = down.tiles() * plan.winograd_h;
  outputs.out_w = across.tiles() * plan.winograd_w;
  Plan whole = plan;
  whole.tile_h = divide_up(plan.tile_h, plan.winograd_h) * plan.winograd_h;
  whole.tile_w = divide_up(plan.tile_w, plan.winograd_w) * plan.winograd_w;
  return {outputs, whole};
}

}  // namespace

WinogradCut::WinogradCut(std::int64_t outputs, std::int64_t dilation, std::int64_t outputs_of_tile)
    : outputs_(outputs),
      dilation_(dilation),
      outputs_of_tile_(outputs_of_tile),
      longer_(outputs % dilation),
      shorter_(outputs < dilation ? 0 : dilation - longer_),
      tiles_of_longer_(divide_up(outputs / dilation + 1, outputs_of_tile)),
      tiles_of_shorter_(divide_up(outputs / dilation, outputs_of_tile)) {}

OutputRun WinogradCut::outputs_of(std::int64_t tile) const {
  const std::int64_t of_longer = longer_ * tiles_of_longer_, behind = tile - of_longer;
  const bool longer = tile < of_longer;
  const std::int64_t phase = longer ? tile / tiles_of_longer_ : longer_ + behind / tiles_of_shorter_;
  const std::int64_t in_phase = longer ? tile % tiles_of_longer_ : behind % tiles_of_shorter_;
  const std::int64_t first = phase + in_phase * outputs_of_tile_ * dilation_;
  return {first, std::min(divide_up(outputs_ - first, dilation_), outputs_of_tile_), dilation_};
}

std::set<std::int64_t> WinogradCut::output_counts() const {
  std::set<std::int64_t> counts = {outputs_of(0).count, outputs_of(tiles() - 1).count};
  if (longer_ != 0) counts.insert(outputs_of(tiles_of_longer_ - 1).count);
  return counts;
}

bool winograd_fits(const ConvSpec& spec) {
  if (spec.kernel_h != 3 || spec.kernel_w != 3 || spec.stride_h != 1 || spec.stride_w != 1) return false;
  if (spec.depthwise() || spec.window.tile_h != 0 || spec.window.tile_w != 0) return false;
  if (spec.epilogue.max_pool && (spec.dilation_h != 1 || spec.dilation_w != 1)) return false;
  // A tile's outputs are stored by offsets from the first.
  const std::int64_t rows = 4 * spec.dilation_h, pixel = spec.dst_stride() * static_cast<std::int64_t>(sizeof(float));
  return (spec.dst_w() + spec.dilation_w) * pixel <= std::numeric_limits<std::int32_t>::max() / rows;
}

WinogradLayout::WinogradLayout(const ConvSpec& spec, const Plan& plan)
    : down_(plan.winograd_h),
      across_(plan.winograd_w),
      cut_down_(spec.out_h, spec.dilation_h, plan.winograd_h),
      cut_across_(spec.out_w, spec.dilation_w, plan.winograd_w),
      grid_(whole_tiles(spec, plan, cut_down_, cut_across_)),
      windows_(spec),
      tile_bytes_(odd_lines(positions() * position_bytes())) {}

std::int64_t WinogradLayout::product_tile_bytes(std::int64_t block_channels) const {
  return odd_lines(positions() * block_channels * static_cast<std::int64_t>(sizeof(float)));
}

std::int64_t WinogradLayout::pixel_table_bytes() const {
  return static_cast<std::int64_t>(
      round_up_to_line(static_cast<std::size_t>(full_tiles() * positions()) * sizeof(const float*)));
}

ConvSpec WinogradLayout::position_spec(const ConvSpec& spec) const {
  ConvSpec position;
  position.in_channels = spec.in_channels;
  position.out_channels = spec.out_channels;
  position.groups = spec.groups;
  position.in_w = position.out_w = full_tiles();
  position.window.channels = spec.window.channels;
  position.isa = spec.isa;
  return position;
}

}  // namespace octavo::jit
