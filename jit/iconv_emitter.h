// SPDX-License-Identifier: Apache-2.0
// The integer convolution: u8 field x s8 weights -> s32, dequantized window by window into fp32 accumulators that stay
// in registers, then the epilogue and the store. One emitter for every kernel size, stride, dilation and window; a 1x1
// convolution or a Linear is the case of one tap.
//
// Register block: `rows` output pixels x `column_vectors` vectors of output channels. One k-step (four input channels
// of a tap) loads a vector of weights for each column vector, broadcasts four bytes for each pixel, and issues a dot
// product for each pair.
//
// With a word_depth, k-steps go in chunks of four (jit/word_split.h), weights come from memory as they are used, and
// the fp32 sums wait in the frame.
//
// Loops, from outside in: blocks of pixels of the tile; windows; taps and k-steps (the inner ones unrolled).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jit/conv_spec.h"
#include "jit/kernel.h"
#include "jit/window_layout.h"

namespace octavo::jit {

/// All that shapes the code of one kernel.
struct IconvKernel {
  Isa isa;
  bool nonnegative_input;
  Epilogue epilogue;
  WindowRun windows;
  std::int64_t kernel_h, kernel_w, dilation_h, dilation_w;
  std::int64_t stride_h, stride_w;         ///< of the field: field pixels from an output to the next
  std::int64_t tile_rows, tile_columns;    ///< output pixels
  std::int64_t field_rows, field_columns;  ///< of the tile
  std::int64_t block_rows, block_columns;  ///< the largest register block, in output pixels
  std::int64_t column_vectors;
  std::int64_t channels;     ///< output channels that exist, of column_vectors * lanes
  std::int64_t pixel_bytes;  ///< of the field, from a pixel to the next; 0: as dense as the window is wide
  std::int64_t slice_bytes;  ///< from a window's slice of the field to the next; 0: one slice ends there
  bool scale_per_pixel;
  std::int64_t scale_pixel_bytes, scale_window_bytes;  ///< from a pixel's or window's scale to the next
  std::int64_t word_depth;                             ///< Plan::word_depth, settled
  std::int64_t dst_row_bytes, dst_pixel_bytes;         ///< of the residual too
  bool ask_for_outputs;  ///< fetches a block's output lines when it begins: worth it where they are far, work is long
  /// Bytes of weights, behind this block's, to be fetched into L2 meanwhile: those of the next call. Not with a
  /// residual.
  std::int64_t weights_ahead = 0;

  [[nodiscard]] std::string name() const;
};

/// The kernel's argument. A block of packed weights is described in jit/pack_weights.h.
struct IconvArgs {
  const std::uint8_t* field;     ///< the group's slices
  const float* scales;           ///< the group's
  const std::byte* weights;      ///< the channel block
  const float* residual;         ///< at the tile's first output pixel and the block's first channel; null without
  float* dst;                    ///< likewise
  const std::byte* corrections;  ///< the layer's (jit/pack_weights.h), with a word_depth
};

[[nodiscard]] KernelImage emit_iconv(const IconvKernel& kernel);

}  // namespace octavo::jit
