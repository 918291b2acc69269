// SPDX-License-Identifier: Apache-2.0
// Weights in the Winograd domain: each position makes up for what those before it lost; what cannot be rounded says so.
#include "jit/winograd_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "jit/winograd_rounding.h"
#include "tests/jit/layer_case.h"

namespace octavo::jit {
namespace {

constexpr WinogradAxis four{4};

std::vector<float> exact_weights(const testing::LayerCase& c, std::int64_t out_channel) {
  const auto channels = static_cast<std::size_t>(c.spec.channels_per_group());
  std::vector<float> filters(channels * 9), transformed(channels * 36);
  dequantize_filters(c.spec, c.weights(), out_channel, filters);
  transform_filters(four, four, filters, transformed);
  return transformed;
}

TEST(WinogradWeightsTest, EachPositionMakesUpForWhatThoseBeforeItLost) {
  const testing::LayerCase c(testing::SquareConv{100, 3, 8, 3, 1, 1}.spec(), 4);  // two windows, one of 36 channels
  const WinogradWeights weights = transform_weights(c.spec, four, four, c.weights());
  const WinogradRounding rounding(four, four, ExpectedInput(c.spec.nonnegative_input));
  const auto channels = static_cast<std::size_t>(c.spec.in_channels), outputs = std::size_t{3},
             windows = std::size_t{2};
  for (std::size_t o = 0; o < outputs; ++o) {
    const std::vector<float> exact = exact_weights(c, static_cast<std::int64_t>(o));
    for (std::size_t channel = 0; channel < channels; ++channel) {
      std::vector<double> errors(36);
      for (std::size_t place = 0; place < 36; ++place) {
        const std::size_t position = rounding.order()[place], row = position * outputs + o;
        const int q = weights.q[row * channels + channel];
        const double scale = weights.scales[row * windows + channel / 64];
        errors[position] = q * scale - static_cast<double>(exact[position * channels + channel]);
        double left = errors[position];
        for (std::size_t earlier = 0; earlier < place; ++earlier)
          left += static_cast<double>(rounding.feedback(earlier, place)) * errors[rounding.order()[earlier]];
        if (std::abs(q) < 127) {
          EXPECT_LE(std::abs(left), 0.501 * scale) << "place " << place;
        }
      }
    }
  }
}

TEST(WinogradWeightsTest, NumbersThatOverflowLeaveNoFiniteScale) {
  testing::LayerCase c(testing::SquareConv{8, 1, 8, 3, 1, 1}.spec(), 5);
  std::fill(c.scales.begin(), c.scales.end(), 3e38F);  // infinite filters, NaN where infinities meet
  const WinogradWeights weights = transform_weights(c.spec, four, four, c.weights());
  for (std::size_t i = 0; i < weights.scales.size(); ++i) EXPECT_FALSE(std::isfinite(weights.scales[i])) << i;
  for (const std::int8_t q : weights.q) EXPECT_EQ(q, 0);
}

TEST(WinogradWeightsTest, AFilterOfZerosHasScalesOfZero) {
  testing::LayerCase c(testing::SquareConv{8, 1, 8, 3, 1, 1}.spec(), 6);
  std::fill(c.q.begin(), c.q.end(), std::int8_t{0});
  for (const float scale : transform_weights(c.spec, four, four, c.weights()).scales) EXPECT_EQ(scale, 0.0F);
}

}  // namespace
}  // namespace octavo::jit
