// SPDX-License-Identifier: Apache-2.0
// Layers of one to three input channels (pictures): a dot product takes four bytes at once, and a pixel does not fill
// them. So the bytes that an output reads are gathered into a row, column of taps by column of taps, and the k-steps
// cut across them: 7 instead of 9 for 3x3 taps of 3 channels, 37 instead of 49 for 7x7.
//
// A tile's scratch is u8 taps[tile row][field column][kernel row][channel]: from there, an output pixel's taps are
// kernel columns * kernel rows * channels bytes in a row, and the next pixel's begin stride_w columns on. The product
// is then that of a 1x1 convolution, whose channels are the taps. The numbers are the same to the last bit, for a
// window's integers add up in any order.
#pragma once

#include <cstdint>
#include <vector>

#include "jit/conv_spec.h"
#include "jit/layer.h"
#include "jit/plan.h"

namespace octavo::jit {

/// Whether taps can be gathered, and make fewer k-steps: one group of less than four dense channels in one window, no
/// gaps between the columns of taps, offsets that fit an instruction.
[[nodiscard]] bool taps_can_be_gathered(const ConvSpec& spec);
/// Throws Error(invalid_argument) for a plan that gathers what cannot be.
void check_gathered(const ConvSpec& spec, const Plan& plan);

/// The product over gathered taps: a 1x1 convolution of kernel_h * kernel_w * in_channels channels in one window.
[[nodiscard]] ConvSpec gathered_product(const ConvSpec& spec);

/// The layer's q for gathered_product(): [out_channels][taps], so ordered that packed weights meet their taps.
[[nodiscard]] std::vector<std::int8_t> gathered_weights(const ConvSpec& spec, const WindowedWeights& weights);

/// Bytes of a column of taps.
[[nodiscard]] constexpr std::int64_t gathered_column(std::int64_t kernel_rows, std::int64_t channels) {
  return kernel_rows * channels;
}

/// What a tile needs, in bytes; each part has a vector of room behind it, for loads and stores that reach over.
struct GatheredLayout {
  std::int64_t taps;   ///< in scratch
  std::int64_t bytes;  ///< quantized pixels of the field, which are gathered; 0 where they are the taps: of one row

  GatheredLayout(const ConvSpec& spec, std::int64_t tile_rows, std::int64_t field_rows, std::int64_t field_columns);
};

}  // namespace octavo::jit
