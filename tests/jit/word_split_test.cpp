// SPDX-License-Identifier: Apache-2.0
// Splitting keeps every weight and never lets a 16-bit sum overflow, whatever the input.
#include "jit/word_split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

namespace octavo::jit {
namespace {

using Weights = std::array<std::int8_t, chunk_bytes>;

/// Weights by magnitude of each sign: what a sum reaches with activations of 255 where they help it and 0 elsewhere.
struct Extent {
  int positive = 0, negative = 0;
  void add(int weight) { (weight < 0 ? negative : positive) += std::abs(weight); }
  [[nodiscard]] bool fits_16_bits() const { return 255 * positive <= 32767 && 255 * negative <= 32768; }
};

template <class Draw>
void expect_split(const Draw& draw) {
  for (const std::int64_t depth : {1, 2, 4}) {
    WordSplitter splitter(depth);
    splitter.start_tap();
    std::array<Extent, 2> residual{};
    for (std::int64_t n = 0; n < 400; ++n) {
      if (n % residual_chunks == 0) residual = {};
      Weights weights{};
      for (auto& w : weights) w = static_cast<std::int8_t>(draw());
      const SplitChunk split = splitter.split(weights);
      std::array<int, chunk_bytes> sums{};
      for (std::size_t i = 0; i < weights.size(); ++i) sums[i] = split.main[i] + split.rest[i];
      for (std::size_t j = 0; j < split.index.size(); ++j) {
        ASSERT_LT(split.index[j], chunk_bytes);
        sums[split.index[j]] += split.residual[j];
        residual[j / 2].add(split.residual[j]);
      }
      for (std::size_t i = 0; i < weights.size(); ++i) ASSERT_EQ(sums[i], weights[i]);
      for (const Extent& word : residual) ASSERT_TRUE(word.fits_16_bits());
      for (std::int64_t first = 0; first < chunk_steps; first += depth) {
        for (std::int64_t half = 0; half < 2; ++half) {
          Extent word;
          for (std::int64_t step = first; step < first + depth; ++step)
            for (std::int64_t byte = 0; byte < 2; ++byte)
              word.add(split.main[static_cast<std::size_t>(4 * step + 2 * half + byte)]);
          ASSERT_TRUE(word.fits_16_bits());
        }
      }
    }
  }
}

TEST(WordSplit, KeepsEveryWeightAndNeverOverflows) {
  std::mt19937 random(1);
  for (const float deviation : {5.0F, 20.0F, 40.0F, 80.0F, 1000.0F}) {
    std::normal_distribution<float> normal(0.0F, deviation);
    expect_split([&] { return std::clamp(normal(random), -127.0F, 127.0F); });
  }
  expect_split([] { return 127.0F; });
  expect_split([] { return -127.0F; });
}

TEST(WordSplit, SmallWeightsStayWhereTheyAre) {
  WordSplitter splitter(4);
  splitter.start_tap();
  Weights weights{};
  weights.fill(16);
  const SplitChunk split = splitter.split(weights);
  EXPECT_EQ(split.main, weights);
  EXPECT_EQ(split.rest, Weights{});
  for (const std::int8_t w : split.residual) EXPECT_EQ(w, 0);
}

TEST(WordSplit, ALargeWeightGivesWayToTheResidual) {
  WordSplitter splitter(1);
  splitter.start_tap();
  Weights weights{};
  weights[0] = 127;
  weights[1] = 100;
  const SplitChunk split = splitter.split(weights);
  EXPECT_EQ(split.main[0], 28);
  EXPECT_EQ(split.rest, Weights{});
  EXPECT_EQ(*std::max_element(split.residual.begin(), split.residual.end()), 99);
}

}  // namespace
}  // namespace octavo::jit
