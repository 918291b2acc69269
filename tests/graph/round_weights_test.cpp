// SPDX-License-Identifier: Apache-2.0
#include "graph/round_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

/// The rule, word by word: a scale a window, quotients rounded half to even.
void expect_rule(const Blob& weights, std::int64_t window, ScaleFormat format) {
  const BlobPtr rounded = round_weights(weights, window, format);
  const std::int64_t outs = weights.shape[0];
  const std::int64_t ins = weights.shape[1];
  const std::int64_t taps = element_count(weights.shape) / outs / ins;
  const std::int64_t windows = (ins + window - 1) / window;
  ASSERT_EQ(rounded->scales.values.size(), static_cast<std::size_t>(outs * windows));
  ASSERT_EQ(rounded->shape, weights.shape);
  EXPECT_EQ(rounded->window, window);
  for (std::int64_t out = 0; out < outs; ++out)
    for (std::int64_t w = 0; w < windows; ++w) {
      const std::int64_t begin = w * window;
      const std::int64_t end = std::min(ins, begin + window);
      float largest = 0.0F;
      for (std::int64_t i = (out * ins + begin) * taps; i < (out * ins + end) * taps; ++i)
        largest = std::max(largest, std::abs(weights.f32.values[static_cast<std::size_t>(i)]));
      const float scale = rounded->scales.values[static_cast<std::size_t>(out * windows + w)];
      EXPECT_EQ(scale, format == ScaleFormat::fp32 ? largest / 127.0F : bf16_rounded_up(largest / 127.0F));
      for (std::int64_t i = (out * ins + begin) * taps; i < (out * ins + end) * taps; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const float quotient = scale == 0.0F ? 0.0F : weights.f32.values[at] / scale;
        ASSERT_EQ(rounded->q.values[at], static_cast<std::int8_t>(std::nearbyint(quotient))) << "weight " << i;
      }
    }
}

TEST(RoundWeights, PropertyFollowsTheRuleForEveryWindow) {
  std::uint32_t seed = 1;
  for (const Shape& shape : {Shape{5, 70, 3, 3}, Shape{3, 1, 3, 3}, Shape{2, 130}, Shape{4, 64, 1, 1}, Shape{1, 1}})
    for (const std::int64_t window : {16, 32, 64, 128})
      for (const ScaleFormat format : {ScaleFormat::fp32, ScaleFormat::bf16_up}) {
        expect_rule(*random_blob(shape, ++seed), std::min(window, shape[1]), format);
        expect_rule(*random_blob(shape, ++seed, -1e-20F, 1e-20F), std::min(window, shape[1]), format);
        expect_rule(*random_blob(shape, ++seed, 1e30F, 3e38F), std::min(window, shape[1]), format);
      }
}

TEST(RoundWeights, TiesGoToTheEvenNumber) {
  // scale 1: the largest is 127.
  const BlobPtr rounded =
      round_weights(*make_blob({1, 8}, {127, 0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 126.5F}), 8, ScaleFormat::fp32);
  EXPECT_THAT(rounded->scales.values, ElementsAre(1.0F));
  EXPECT_THAT(rounded->q.values, ElementsAre(127, 0, 2, 2, 0, -2, -2, 126));
}

TEST(RoundWeights, AWindowOfZerosHasScaleZero) {
  const BlobPtr rounded = round_weights(*make_blob({1, 4}, {0, -0.0F, 1, -1}), 2, ScaleFormat::bf16_up);
  EXPECT_EQ(rounded->scales.values[0], 0.0F);
  EXPECT_GT(rounded->scales.values[1], 0.0F);
  EXPECT_THAT(rounded->q.values.subspan(0, 2), Each(0));
}

TEST(RoundWeights, DenormalWindowsCountAsZeros) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  for (const ScaleFormat format : {ScaleFormat::fp32, ScaleFormat::bf16_up}) {
    const BlobPtr rounded = round_weights(*make_blob({1, 2}, {190 * tiny, -tiny}), 2, format);
    EXPECT_THAT(rounded->scales.values, ElementsAre(0.0F));
    EXPECT_THAT(rounded->q.values, Each(0));
  }
}

TEST(RoundWeights, PropertyStaysWithin127) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    const float magnitude = std::ldexp(1.0F, static_cast<int>(seed) - 117);
    const BlobPtr weights = random_blob({1, 64}, seed, -magnitude, magnitude);
    for (const ScaleFormat format : {ScaleFormat::fp32, ScaleFormat::bf16_up}) {
      const BlobPtr rounded = round_weights(*weights, 64, format);
      const auto [low, high] = std::minmax_element(rounded->q.values.begin(), rounded->q.values.end());
      EXPECT_GE(*low, -127) << "magnitude 2^" << static_cast<int>(seed) - 117;
      EXPECT_GT(std::max(-*low, +*high), 120) << "the range is used";
    }
  }
}

TEST(RoundWeights, PropertyIsOffByHalfAScaleAtMost) {
  const BlobPtr weights = random_blob({7, 100, 3, 3}, 5);
  const BlobPtr rounded = round_weights(*weights, 64, ScaleFormat::bf16_up);
  const std::vector<float> real = to_float(*rounded);
  for (std::size_t i = 0; i < real.size(); ++i) {
    const std::size_t channel = i / 9 % 100;
    const float scale = rounded->scales.values[i / 900 * 2 + channel / 64];
    ASSERT_LE(std::abs(real[i] - weights->f32.values[i]), 0.5001F * scale);
  }
}

TEST(RoundWeights, RefusesWeightsThatAreNotFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    EXPECT_THAT(error_of([&] {
                  return round_weights(*make_blob({2, 2}, {1, 2, 3, bad}), 2, ScaleFormat::fp32);
                }),
                HasSubstr("weights of output 1 are not all finite"));
  }
}

TEST(Bf16RoundedUp, IsTheNextNumberOf16BitsThatIsNotBelow) {
  for (float value = 1e-37F; value < 1e37F; value *= 1.37F) {
    const float up = bf16_rounded_up(value);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(up) & 0xffffU, 0U);
    EXPECT_GE(up, value);
    EXPECT_LT(std::bit_cast<float>(std::bit_cast<std::uint32_t>(up) - 0x10000U), value);
    EXPECT_EQ(bf16_rounded_up(up), up);
  }
  EXPECT_EQ(bf16_rounded_up(0.0F), 0.0F);
}

}  // namespace
}  // namespace octavo::graph::test
