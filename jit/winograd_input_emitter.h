// SPDX-License-Identifier: Apache-2.0
// The first step of a Winograd layer, for one window of channels and a run of Winograd tiles: fields of fp32 pixels ->
// transformed, u8, with a scale for each position (jit/winograd_layout.h). Arithmetic: jit/winograd_reference.h.
//
// Tile by tile: a vector of channels after the other is transformed into a staging buffer that stays in L1; then the
// maxima of as many positions as a register has lanes become scales at once; then each position's bytes are made.
// Pixels are given by their addresses, so that those outside the image are zeros from elsewhere: no border variants.
#pragma once

#include <cstdint>
#include <string>

#include "jit/kernel.h"
#include "octavo/isa.h"

namespace octavo::jit {

/// All that shapes the code of one kernel.
struct WinogradInputKernel {
  Isa isa;
  std::int64_t tile_h, tile_w;              ///< outputs of a Winograd tile
  std::int64_t channels;                    ///< of the window
  std::int64_t position_bytes, tile_bytes;  ///< of q, from a position or Winograd tile to the next
  std::int64_t scale_tile_bytes;            ///< from a Winograd tile's scales to the next
  std::int64_t prefetch_bytes;              ///< from a pixel to one that is worth fetching into L1 now

  [[nodiscard]] std::string name() const;
};

/// The kernel's argument. A table of pixels is const float* [(tile_h + 2) * (tile_w + 2)].
struct WinogradInputArgs {
  std::int64_t tiles;          ///< at least one
  const float* const* pixels;  ///< tables of all Winograd tiles; each pixel at the image's first channel
  std::int64_t channel_bytes;  ///< from a pixel's first channel to the window's
  std::uint8_t* q;             ///< the window's, of the first Winograd tile
  float* scales;               ///< likewise
  std::byte* staging;          ///< winograd_staging_bytes(), 64-byte aligned
};

[[nodiscard]] KernelImage emit_winograd_input(const WinogradInputKernel& kernel);

[[nodiscard]] std::int64_t winograd_staging_bytes(const WinogradInputKernel& kernel);

}  // namespace octavo::jit
