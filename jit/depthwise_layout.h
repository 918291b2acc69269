// SPDX-License-Identifier: Apache-2.0
// Where things lie in a depthwise layer: the contract between its two kernels, its weights and its scratch.
//
// Channels go in vectors of `lanes`, vectors in chunks; channels know nothing of each other, so a work tile is the
// outputs of one chunk over a rectangle. A tile's scratch, for each channel vector of the chunk:
//   groups [field rows][units][lanes] dwords: the quantized field as groups of four columns (jit/depthwise_taps.h);
//   unit u of a row holds group u - lead (where groups overlap, unit 0 is a by-product that nothing reads)
// and then, behind all of them, activation scales [vectors of the chunk][lanes] fp32: every channel of a tile is a
// window. Weights, for each channel vector: [kernel rows][TapGroup::index][lanes] dwords.
#pragma once

#include <cstddef>
#include <cstdint>

#include "jit/conv_spec.h"
#include "jit/depthwise_taps.h"
#include "jit/plan.h"
#include "jit/tile.h"

namespace octavo::jit {

struct DepthwiseLayout {
  /// Throws Error(unsupported) for a field too large to address.
  DepthwiseLayout(const ConvSpec& spec, const Plan& plan);

  TileGrid grid;
  DepthwiseTaps taps;
  std::int64_t lanes;                           ///< channels of a vector
  std::int64_t channel_vectors;                 ///< the last may be partly filled
  std::int64_t chunk_vectors;                   ///< of a full chunk: the plan's column_vectors
  std::int64_t chunks;                          ///< the last may have fewer vectors
  std::int64_t lead;                            ///< units before group 0
  std::int64_t units;                           ///< of a field row of a full tile
  std::int64_t vector_bytes;                    ///< of a register
  std::int64_t row_bytes;                       ///< of the groups of a field row
  std::int64_t field_bytes;                     ///< of the groups of a channel vector; an odd number of lines
  std::int64_t weight_row_bytes, weight_bytes;  ///< of a kernel row, of a channel vector

  [[nodiscard]] std::int64_t units_of(std::int64_t columns) const { return taps.groups(columns) + lead; }
  [[nodiscard]] std::size_t scales_offset() const { return static_cast<std::size_t>(chunk_vectors * field_bytes); }
  [[nodiscard]] std::size_t scratch_bytes() const {
    return scales_offset() + static_cast<std::size_t>(chunk_vectors * vector_bytes);
  }
};

}  // namespace octavo::jit
