// SPDX-License-Identifier: Apache-2.0
#include "graph/round_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "graph/check.h"
#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

/// The rule: a scale a window; quotients rounded to one of their two neighbours.
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
        ASSERT_LT(std::abs(static_cast<float>(rounded->q.values[at]) - quotient), 1.0F) << "weight " << i;
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
      round_weights(*make_blob({1, 8}, {127, 0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 126.0F}), 8, ScaleFormat::fp32);
  EXPECT_THAT(rounded->scales.values, ElementsAre(1.0F));
  EXPECT_THAT(rounded->q.values, ElementsAre(127, 0, 2, 2, 0, -2, -2, 126));
}

TEST(RoundWeights, RoundsThoseTheOtherWayThatAreNearestToIt) {
  // All are rounded down, 1.55 in all: the two that lose 0.4 go up.
  const BlobPtr rounded =
      round_weights(*make_blob({1, 6}, {127, 3.4F, -7.6F, 9.3F, 0.2F, 5.25F}), 6, ScaleFormat::fp32);
  EXPECT_THAT(rounded->q.values, ElementsAre(127, 4, -7, 9, 0, 5));
  // Each input channel of a filter by itself, and what one has left over goes to the next.
  const BlobPtr filter =
      round_weights(*make_blob({1, 2, 1, 3}, {127, 0.4F, 0.0F, 0.3F, 0.0F, 1.2F}), 2, ScaleFormat::fp32);
  EXPECT_THAT(filter->q.values, ElementsAre(127, 0, 0, 1, 0, 1));
}

TEST(RoundWeights, PropertyTheErrorsOfAFilterAddUpToHalfAScaleAtMost) {
  std::uint32_t seed = 40;
  for (const Shape& shape :
       {Shape{5, 70, 3, 3}, Shape{8, 1, 3, 3}, Shape{3, 130}, Shape{4, 64, 1, 1}, Shape{2, 5, 7, 7}}) {
    const BlobPtr weights = random_blob(shape, ++seed, -0.3F, 1.0F);
    const BlobPtr rounded = round_weights(*weights, std::min<std::int64_t>(64, shape[1]), ScaleFormat::bf16_up);
    const std::vector<float> real = to_float(*rounded);
    const std::size_t each = real.size() / static_cast<std::size_t>(shape[0]);
    const std::size_t windows = rounded->scales.values.size() / static_cast<std::size_t>(shape[0]);
    for (std::size_t out = 0; out * each < real.size(); ++out) {
      double sum = 0.0;
      for (std::size_t i = out * each; i < (out + 1) * each; ++i) {
        sum += static_cast<double>(weights->f32.values[i]) - static_cast<double>(real[i]);
      }
      const float scale = rounded->scales.values[(out + 1) * windows - 1];
      EXPECT_LE(std::abs(sum), 0.51 * static_cast<double>(scale)) << to_text(shape) << ", output " << out;
    }
  }
}

TEST(RoundWeights, KeepsWhatIsRoundedAlready) {
  const BlobPtr once = round_weights(*random_blob({3, 40, 3, 3}, 9), 40, ScaleFormat::bf16_up);
  std::vector<float> whole(once->q.values.begin(), once->q.values.end());
  for (std::size_t i = 0; i < whole.size(); i += 360) whole[i] = 127.0F;
  const BlobPtr again = round_weights(*make_blob(once->shape, whole), 40, ScaleFormat::bf16_up);
  for (std::size_t i = 0; i < whole.size(); ++i) ASSERT_EQ(static_cast<float>(again->q.values[i]), whole[i]);
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

TEST(RoundWeights, RefusesWeightsThatAreNotFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    EXPECT_THAT(error_of([&] {
                  return round_weights(*make_blob({2, 2}, {1, 2, 3, bad}), 2, ScaleFormat::fp32);
                }),
                HasSubstr("weights of output 1 are not all finite"));
  }
}

/// For the calling thread, until the end of the scope.
class OpenMpThreads {
 public:
  explicit OpenMpThreads(int threads) { omp_set_num_threads(threads); }
  ~OpenMpThreads() { omp_set_num_threads(before_); }
  OpenMpThreads(const OpenMpThreads&) = delete;
  OpenMpThreads& operator=(const OpenMpThreads&) = delete;

 private:
  int before_ = omp_get_max_threads();
};

TEST(RoundWeights, PropertyTheNumberOfThreadsChangesNothing) {
  for (const Shape& shape : {Shape{301, 150, 3, 3}, Shape{7, 50000}, Shape{3, 131072}}) {
    Blob weights = *random_blob(shape, 12);
    BlobPtr alone;
    for (const int threads : {1, 2, 5}) {
      const OpenMpThreads team(threads);
      const BlobPtr rounded = round_weights(weights, 64, ScaleFormat::bf16_up);
      if (!alone) alone = rounded;
      EXPECT_TRUE(std::ranges::equal(rounded->q.values, alone->q.values)) << threads;
      EXPECT_TRUE(std::ranges::equal(rounded->scales.values, alone->scales.values)) << threads;
    }
    std::vector<float> broken(weights.f32.values.begin(), weights.f32.values.end());
    const std::size_t row = broken.size() / static_cast<std::size_t>(shape[0]);
    broken.back() = broken[row + 5] = std::numeric_limits<float>::quiet_NaN();
    weights.f32 = Data<float>(std::move(broken));
    for (const int threads : {1, 5}) {
      const OpenMpThreads team(threads);
      EXPECT_THAT(error_of([&] { return round_weights(weights, 64, ScaleFormat::fp32); }), HasSubstr("output 1 "));
    }
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
