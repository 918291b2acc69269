// SPDX-License-Identifier: Apache-2.0
// Where quantized channels lie: the order of channels within a window, and the slices of a tile's scratch. The quantize
// emitter writes this layout, the convolution emitters read it, and weights are packed to match.
//
// A tile's scratch is u8 q[group][window][field row][field column][window bytes]: a window's slice is contiguous, so
// its rows do not collide in the cache's sets as rows that are all channels apart would. Then come the scales:
// float[group][window][1, or field pixels with one scale a pixel].
#pragma once

#include <cstddef>
#include <cstdint>

#include "jit/conv_spec.h"
#include "jit/plan.h"
#include "jit/tile.h"

namespace octavo::jit {

/// Bytes of one pixel of a window: its channels, filled up to the four that a dot product takes at once.
[[nodiscard]] constexpr std::int64_t window_bytes(std::int64_t channels) { return (channels + 3) / 4 * 4; }

/// The channel of the window that byte `position` of a pixel holds; >= channels in the filling. Whole groups of four
/// registers are in the order in which the ISA packs them, the rest is in order.
[[nodiscard]] std::int64_t channel_at(Isa isa, std::int64_t channels, std::int64_t position);

/// The windows of a layer, as the emitters loop over them: `full` windows of `channels` in each of `groups` groups,
/// then one of `tail_channels` (0: none).
struct WindowRun {
  std::int64_t groups, full, channels, tail_channels;

  explicit WindowRun(const ConvSpec& spec);
  [[nodiscard]] std::int64_t windows() const { return full + (tail_channels != 0 ? 1 : 0); }  ///< of a group
};

/// The scratch of tiles with a field of rows x columns pixels.
struct ScratchLayout {
  std::int64_t slice_bytes;        ///< of a full window
  std::int64_t group_bytes;        ///< all slices of a group
  std::int64_t scales_per_window;  ///< 1, or the pixels of the field
  std::int64_t bytes, scales;      ///< of the whole tile

  ScratchLayout(const WindowRun& run, std::int64_t rows, std::int64_t columns, bool scale_per_pixel);
};

}  // namespace octavo::jit
