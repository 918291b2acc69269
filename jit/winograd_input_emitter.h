// SPDX-License-Identifier: Apache-2.0
// The first step of a Winograd layer, for one Winograd tile and group: the field of fp32 pixels -> transformed, u8, with
// a scale for each position and window of channels (jit/winograd_layout.h). Arithmetic: jit/winograd_reference.h.
//
// Window by window: a vector of channels after the other is transformed into a staging buffer that stays in L1; then
// the maxima of as many positions as a register has lanes become scales at once; then each position's bytes are made.
// Pixels are given by their addresses, so that those outside the image are zeros from elsewhere: no border variants.
#pragma once

#include <cstdint>
#include <string>

#include "jit/kernel.h"
#include "jit/window_layout.h"

namespace octavo::jit {

/// All that shapes the code of one kernel.
struct WinogradInputKernel {
  Isa isa;
  std::int64_t tile_h, tile_w;                                 ///< outputs of a Winograd tile
  WindowRun windows;                                           ///< of a group
  std::int64_t position_bytes, slice_bytes;                    ///< of q, from a position or window to the next
  std::int64_t scale_window_bytes;                             ///< from a window's scales to the next

  [[nodiscard]] std::string name() const;
};

/// The kernel's argument.
struct WinogradInputArgs {
  const float* const* pixels;  ///< [(tile_h + 2) * (tile_w + 2)], each at the image's first channel
  std::int64_t group_bytes;    ///< from a pixel's first channel to the group's
  std::uint8_t* q;             ///< first position, first window, this Winograd tile
  std::uint8_t* q_tail;        ///< likewise of the tail window
  float* scales;               ///< first window's, of this Winograd tile
  std::byte* staging;          ///< winograd_staging_bytes(), 64-byte aligned
};

[[nodiscard]] KernelImage emit_winograd_input(const WinogradInputKernel& kernel);

[[nodiscard]] std::int64_t winograd_staging_bytes(const WinogradInputKernel& kernel);

}  // namespace octavo::jit
