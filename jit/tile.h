// SPDX-License-Identifier: Apache-2.0
// The cut of a layer's output into work tiles, and the part of the input that each tile reads (its field).
//
// The field is the rectangle of input pixels that the tile's outputs touch, clipped outputs excluded: a tile at the
// right or bottom edge has fewer outputs and a smaller field, and the maximum of a window is taken over that smaller
// field. The field may reach outside the image (padding): such pixels are zero and do not count.
// Along an axis where the kernel has one tap, the pixels that the stride skips are left out of the field, so a strided
// 1x1 convolution is a dense one over its field.
#pragma once

#include <cstdint>

#include "jit/conv_spec.h"
#include "jit/plan.h"

namespace octavo::jit {

/// One tile. Rows and columns of the output, then of the field.
struct Tile {
  std::int64_t row = 0, column = 0;                ///< its first output pixel
  std::int64_t rows = 0, columns = 0;              ///< its output pixels, clipped at the image's edges
  std::int64_t field_top = 0, field_left = 0;      ///< input pixel of field (0, 0); negative in the padding
  std::int64_t field_rows = 0, field_columns = 0;  ///< field pixels
};

/// All tiles of a layer.
/// Field row r lies on image row field_top + r * step_h; tap ky of tile output row y reads field row
/// y * field_stride_h + ky * dilation_h. Columns likewise.
struct TileGrid {
  TileGrid(const ConvSpec& spec, const Plan& plan);

  std::int64_t tile_h, tile_w;                  ///< outputs of a full tile: the plan's, at most the whole output
  std::int64_t tiles_h, tiles_w;                ///< tiles down and across; tile index = row of tiles * tiles_w + column
  std::int64_t step_h, step_w;                  ///< image pixels from a field pixel to the next: 1, or the stride
  std::int64_t field_stride_h, field_stride_w;  ///< field pixels from an output to the next: the stride, or 1
  std::int64_t field_h, field_w;                ///< field of a full tile, the largest there is

  [[nodiscard]] std::int64_t tiles() const { return tiles_h * tiles_w; }
  [[nodiscard]] Tile tile(std::int64_t index) const;

 private:
  std::int64_t out_h_, out_w_, stride_h_, stride_w_, pad_top_, pad_left_, reach_h_, reach_w_;
};

/// Field pixels along an axis: those before the image, and those inside it.
struct FieldSpan {
  std::int64_t before, count;
};
/// Of `count` field pixels, `step` apart, from image pixel `first` on, in an image of `extent` pixels.
[[nodiscard]] FieldSpan inside_image(std::int64_t first, std::int64_t count, std::int64_t step, std::int64_t extent);

}  // namespace octavo::jit
