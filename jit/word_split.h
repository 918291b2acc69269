// SPDX-License-Identifier: Apache-2.0
// Exact dot products by vpmaddubsw, which adds two products u8 * s8 in saturating 16 bits: any 16-bit sum of products
// is right for every input exactly when its positive weights add up to 128 at most, and its negative ones too (255 *
// 128 < 2^15). Weights are known when a layer is built, so each lane's are split until all of its sums obey that:
//
//   a chunk is 16 input channels of a tap, four k-steps; `depth` k-steps of it share a 16-bit sum;
//   main       what stays where it is
//   residual   up to four weights (or parts of them), each with the channel that it belongs to: an extra step for which
//              the lane picks its activations itself (vpshufb), summed over `residual_chunks` chunks
//   rest       what found no place, nearly always nothing: goes a slower way (jit/pack_weights.h)
//
// main + residual + rest = the weights, always.
#pragma once

#include <array>
#include <cstdint>

namespace octavo::jit {

constexpr std::int64_t chunk_bytes = 16;     ///< input channels of a chunk
constexpr std::int64_t chunk_steps = 4;      ///< k-steps of a chunk
constexpr std::int64_t residual_chunks = 2;  ///< that share the residual's 16-bit sum
/// What a 16-bit sum may hold of either sign.
constexpr int word_capacity = 128;

/// Rows of weights, a vector for each vector of output channels, that the k-steps of a tap take: of a whole chunk its
/// four k-steps, the residual's indices and its weights; a rest of less than a chunk has no residual and is not split.
[[nodiscard]] constexpr std::int64_t weight_rows(std::int64_t steps, std::int64_t depth) {
  return depth == 0 ? steps : steps + 2 * (steps / chunk_steps);
}

struct SplitChunk {
  std::array<std::int8_t, chunk_bytes> main{}, rest{};
  std::array<std::uint8_t, 4> index{};
  std::array<std::int8_t, 4> residual{};
};

/// Splits the chunks of one lane (an output channel), one after the other.
class WordSplitter {
 public:
  /// `depth`: 1, 2 or 4.
  explicit WordSplitter(std::int64_t depth) : depth_(depth) {}

  /// The next chunk is the first of a tap.
  void start_tap() { chunk_ = 0; }
  [[nodiscard]] SplitChunk split(const std::array<std::int8_t, chunk_bytes>& weights);

 private:
  /// Takes `excess` off the weights of `sign` that share a sum: those of word `half` of the k-steps from `first` on.
  void relieve(SplitChunk& chunk, std::int64_t first, int half, int sign, int excess);
  /// Gives up to `amount` of a weight a place in the residual; returns how much.
  int place(SplitChunk& chunk, std::size_t position, int sign, int amount);

  std::int64_t depth_, chunk_ = 0;
  std::array<std::array<int, 2>, 2> used_{};  ///< of the residual's sum: [word][0: positive, 1: negative]
  std::array<int, 2> slots_{};                ///< taken in this chunk, of the two that each word has
};

}  // namespace octavo::jit
