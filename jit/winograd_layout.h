// SPDX-License-Identifier: Apache-2.0
// Winograd convolution F(h x w, 3 x 3): where the numbers of a work tile lie between its three steps.
//
// A work tile is a rectangle of Winograd tiles of h x w outputs, each computed from (h + 2) x (w + 2) inputs through
// positions() = (h + 2) * (w + 2) independent products over the input channels:
//   quantize: fields -> transformed, u8 with a scale for each Winograd tile, position and window of channels  (scratch)
//   compute:  for each position, products of u8 tiles x s8 weights, dequantized to fp32                     (workspace)
//             products -> outputs, then the epilogue
// Scratch:   u8    q[group][Winograd tile][position][window][window_slice_bytes()], tile_bytes() from tile to tile
//            float scales[group][window][Winograd tile][scales_per_tile()]
//            A position's windows lie side by side: were they a stride apart, a processor that foresees strides would
//            fetch as far again behind the last one, where nothing is, or another thread's numbers.
// Workspace of quantize: const float* pixels[Winograd tile][position], then the staging buffer
//           of compute:  float products[Winograd tile][position][block channels], product_tile_bytes() from a tile to
//                        the next
// A work tile at an edge, which has fewer Winograd tiles, leaves gaps: offsets are those of a full one.
//
// Dilation: outputs that are the dilation apart read the same pixels as each other and as no others, so they are a
// plain layer of their own. A Winograd tile is made of such outputs (a phase), and tiles of one phase follow those of
// the phase before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>

#include "jit/conv_spec.h"
#include "jit/plan.h"
#include "jit/tile.h"
#include "jit/window_layout.h"
#include "jit/winograd_axis.h"

namespace octavo::jit {

/// Whether a layer can be computed this way: 3x3, stride 1, not depthwise, no window shape asked for; dilated only
/// without pooling, whose squares are of neighbours.
[[nodiscard]] bool winograd_fits(const ConvSpec& spec);

/// The outputs of a Winograd tile along an axis: first, first + step, ...
struct OutputRun {
  std::int64_t first, count, step;
  /// Inputs that they read, `step` apart too, the first at first - padding.
  [[nodiscard]] std::int64_t inputs() const { return count + WinogradAxis::taps - 1; }
};

/// An axis of outputs, cut into Winograd tiles.
class WinogradCut {
 public:
  WinogradCut(std::int64_t outputs, std::int64_t dilation, std::int64_t outputs_of_tile);

  [[nodiscard]] std::int64_t tiles() const { return longer_ * tiles_of_longer_ + shorter_ * tiles_of_shorter_; }
  /// At least one; the last tile of a phase may have fewer than the others.
  [[nodiscard]] OutputRun outputs_of(std::int64_t tile) const;
  /// How many outputs tiles have, each number once: at most three.
  [[nodiscard]] std::set<std::int64_t> output_counts() const;

 private:
  std::int64_t outputs_, dilation_, outputs_of_tile_;
  std::int64_t longer_, shorter_;  ///< phases, the first of which may have an output more
  std::int64_t tiles_of_longer_, tiles_of_shorter_;
};

class WinogradLayout {
 public:
  /// For a spec that fits and a plan with Winograd tiles.
  WinogradLayout(const ConvSpec& spec, const Plan& plan);

  [[nodiscard]] const WinogradAxis& down() const { return down_; }
  [[nodiscard]] const WinogradAxis& across() const { return across_; }
  [[nodiscard]] std::int64_t positions() const { return down_.positions() * across_.positions(); }
  [[nodiscard]] const WinogradCut& cut_down() const { return cut_down_; }
  [[nodiscard]] const WinogradCut& cut_across() const { return cut_across_; }
  /// Work tiles, in outputs of whole Winograd tiles that follow each other: row r of it is in Winograd tile r /
  /// down().outputs(). (Its fields mean nothing.)
  [[nodiscard]] const TileGrid& grid() const { return grid_; }
  [[nodiscard]] const WindowRun& windows() const { return windows_; }

  /// Winograd tiles of a work tile of that many rows and columns.
  [[nodiscard]] std::int64_t tile_rows(std::int64_t rows) const { return rows / down_.outputs(); }
  [[nodiscard]] std::int64_t tile_columns(std::int64_t columns) const { return columns / across_.outputs(); }
  [[nodiscard]] std::int64_t tiles_of(const Tile& tile) const {
    return tile_rows(tile.rows) * tile_columns(tile.columns);
  }
  /// The Winograd tiles of a work tile, row by row: visit(outputs down, outputs across).
  template <class Visit>
  void for_each_tile(const Tile& tile, const Visit& visit) const {
    for (std::int64_t row = 0; row < tile_rows(tile.rows); ++row) {
      const OutputRun down = cut_down_.outputs_of(tile.row / down_.outputs() + row);
      for (std::int64_t column = 0; column < tile_columns(tile.columns); ++column)
        visit(down, cut_across_.outputs_of(tile.column / across_.outputs() + column));
    }
  }
  /// Of a full work tile.
  [[nodiscard]] std::int64_t full_tiles() const { return tile_rows(grid_.tile_h) * tile_columns(grid_.tile_w); }

  // Scratch, in bytes.
  [[nodiscard]] std::int64_t window_slice_bytes() const { return window_bytes(windows_.channels); }
  [[nodiscard]] std::int64_t position_bytes() const { return windows_.windows() * window_slice_bytes(); }
  [[nodiscard]] std::int64_t tile_bytes() const { return tile_bytes_; }
  [[nodiscard]] std::int64_t group_bytes() const { return full_tiles() * tile_bytes_; }
  [[nodiscard]] std::int64_t scales_per_tile() const { return (positions() + 15) / 16 * 16; }
  [[nodiscard]] std::int64_t scale_tile_bytes() const { return scales_per_tile() * 4; }
  [[nodiscard]] std::int64_t scale_window_bytes() const { return full_tiles() * scale_tile_bytes(); }
  [[nodiscard]] std::int64_t scale_group_bytes() const { return windows_.windows() * scale_window_bytes(); }
  [[nodiscard]] std::int64_t scales_offset() const { return windows_.groups * group_bytes(); }
  [[nodiscard]] std::int64_t scratch_bytes() const { return scales_offset() + windows_.groups * scale_group_bytes(); }

  // Workspace, in bytes, for blocks of that many channels.
  [[nodiscard]] std::int64_t product_tile_bytes(std::int64_t block_channels) const;
  [[nodiscard]] std::int64_t product_bytes(std::int64_t block_channels) const {
    return full_tiles() * product_tile_bytes(block_channels);
  }
  [[nodiscard]] std::int64_t pixel_table_bytes() const;

  /// The layer of a single position: a 1x1 convolution over Winograd tiles, inputs of any sign, no epilogue.
  [[nodiscard]] ConvSpec position_spec(const ConvSpec& spec) const;

 private:
  WinogradAxis down_, across_;
  WinogradCut cut_down_, cut_across_;
  TileGrid grid_;
  WindowRun windows_;
  std::int64_t tile_bytes_;
};

}  // namespace octavo::jit
