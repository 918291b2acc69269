// SPDX-License-Identifier: Apache-2.0
// Greedy: where a sum is too large, its largest weight gives way first.
#include "jit/word_split.h"

#include <algorithm>

namespace octavo::jit {

namespace {
constexpr int slots_per_word = 2;
}

SplitChunk WordSplitter::split(const std::array<std::int8_t, chunk_bytes>& weights) {
  if (chunk_++ % residual_chunks == 0) used_ = {};
  slots_ = {};
  SplitChunk chunk;
  chunk.main = weights;
  for (std::int64_t first = 0; first < chunk_steps; first += depth_) {
    for (int half = 0; half < 2; ++half) {
      std::array<int, 2> sums{};
      for (std::int64_t step = first; step < first + depth_; ++step) {
        for (int byte = 0; byte < 2; ++byte) {
          const int w = weights[static_cast<std::size_t>(4 * step + 2 * half + byte)];
          sums[w < 0 ? 1 : 0] += std::abs(w);
        }
      }
      if (sums[0] > word_capacity) relieve(chunk, first, half, 1, sums[0] - word_capacity);
      if (sums[1] > word_capacity) relieve(chunk, first, half, -1, sums[1] - word_capacity);
    }
  }
  return chunk;
}

void WordSplitter::relieve(SplitChunk& chunk, std::int64_t first, int half, int sign, int excess) {
  while (excess > 0) {
    std::size_t largest = 0;
    int size = 0;
    for (std::int64_t step = first; step < first + depth_; ++step) {
      for (int byte = 0; byte < 2; ++byte) {
        const auto position = static_cast<std::size_t>(4 * step + 2 * half + byte);
        if (sign * chunk.main[position] > size) {
          size = sign * chunk.main[position];
          largest = position;
        }
      }
    }
    int amount = std::min(excess, size);
    const int placed = place(chunk, largest, sign, amount);
    if (placed != 0)
      amount = placed;
    else
      chunk.rest[largest] = static_cast<std::int8_t>(chunk.rest[largest] + sign * amount);
    chunk.main[largest] = static_cast<std::int8_t>(chunk.main[largest] - sign * amount);
    excess -= amount;
  }
}

int WordSplitter::place(SplitChunk& chunk, std::size_t position, int sign, int amount) {
  const std::size_t which = sign > 0 ? 0 : 1;
  const auto room = [&](std::size_t word) {
    return slots_[word] == slots_per_word ? 0 : std::min(amount, word_capacity - used_[word][which]);
  };
  std::size_t word = room(1) > room(0) ? 1 : 0;
  if (room(0) == room(1) && slots_[1] < slots_[0]) word = 1;
  const int taken = room(word);
  if (taken == 0) return 0;
  const auto slot = static_cast<std::size_t>(slots_per_word * static_cast<int>(word) + slots_[word]++);
  chunk.index[slot] = static_cast<std::uint8_t>(position);
  chunk.residual[slot] = static_cast<std::int8_t>(sign * taken);
  used_[word][which] += taken;
  return taken;
}

}  // namespace octavo::jit
