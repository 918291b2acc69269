// SPDX-License-Identifier: Apache-2.0
// Strides that keep neighbouring slices out of each other's cache sets.
#include "jit/winograd_layout.h"

#include "jit/aligned_bytes.h"

namespace octavo::jit {

namespace {

/// An odd number of cache lines: slices that far apart spread over all sets of a cache.
std::int64_t odd_lines(std::int64_t bytes) {
  const auto line = static_cast<std::int64_t>(cache_line);
  const std::int64_t lines = (bytes + line - 1) / line;
  return (lines | 1) * line;
}

}  // namespace

bool winograd_fits(const ConvSpec& spec) {
  return spec.kernel_h == 3 && spec.kernel_w == 3 && spec.stride_h == 1 && spec.stride_w == 1 && spec.dilation_h == 1 &&
         spec.dilation_w == 1 && !spec.depthwise() && spec.window.tile_h == 0 && spec.window.tile_w == 0;
}

WinogradLayout::WinogradLayout(const ConvSpec& spec, const Plan& plan)
    : down_(plan.winograd_h),
      across_(plan.winograd_w),
      grid_(spec, plan),
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
