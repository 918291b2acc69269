// SPDX-License-Identifier: Apache-2.0
// Weights in the order in which the convolution kernel streams them. For each group and each block of output channels:
//   float bias[block], with a bias; float slopes[block], for PReLU; then for each window, contiguous:
//     float scales[block]
//     s32   compensation[block], for inputs of any sign: -128 * the sum of the window's weights
//     CorrectionList, in as much room as scales take, with a word depth (jit/word_split.h)
//     s8    weights[tap][k-step][vector of output channels][lane][4 input channels]
// With a word depth, each four k-steps (a chunk) are followed by u8 indices and s8 weights of the residual, of the same
// shape as a k-step.
// Channels that do not exist are zeros. Input channels are in the order of channel_at() (jit/window_layout.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "jit/conv_spec.h"
#include "jit/layer.h"

namespace octavo::jit {

/// Output channels of one kernel call.
struct ChannelBlock {
  std::int64_t group;
  std::int64_t first, channels;  ///< output channels of the layer
  std::int64_t column_vectors;
  std::size_t offset;  ///< of its packed weights, a multiple of 64
};

/// Where a window's corrections are: k-steps, with weights that found no place in their chunks.
struct CorrectionList {
  std::int64_t count, offset;  ///< offset in bytes, in the layer's corrections
};
/// A correction has a vector for this, then one vector of weights for each vector of output channels.
struct Correction {
  std::int32_t tap_row;  ///< row of the kernel
  std::int32_t offset;   ///< bytes from the first tap of that row, in the window's slice
};

/// The blocks of a layer: `column_vectors` wide, the last of each group as narrow as it can be.
class PackedLayout {
 public:
  PackedLayout(const ConvSpec& spec, std::int64_t column_vectors, std::int64_t word_depth = 0);

  [[nodiscard]] std::int64_t blocks() const { return spec_.groups * blocks_per_group_; }
  [[nodiscard]] ChannelBlock block(std::int64_t index) const;
  [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(spec_.groups * group_bytes_); }
  /// Of a block that is so many vectors wide.
  [[nodiscard]] std::int64_t block_bytes(std::int64_t column_vectors) const;

 private:
  [[nodiscard]] std::int64_t channels_of(std::int64_t block_in_group) const;

  ConvSpec spec_;
  std::int64_t column_vectors_, lanes_, word_depth_;
  std::int64_t channels_per_group_, blocks_per_group_, group_bytes_;
};

/// Packs one block; `to` points to its place and holds zeros. Weights have passed check_weights() (jit/reference.h).
void pack_block(const ConvSpec& spec, const ChannelBlock& block, const WindowedWeights& weights, std::byte* to);
/// The same with a word depth; what finds no place is appended to `corrections`.
void pack_block_by_words(const ConvSpec& spec, const ChannelBlock& block, const WindowedWeights& weights,
                         std::int64_t word_depth, std::byte* to, std::vector<std::byte>& corrections);

}  // namespace octavo::jit
