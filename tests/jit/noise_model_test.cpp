// SPDX-License-Identifier: Apache-2.0
// Predicted noise: in the right order, near what is measured on data like the model's, and what a budget makes of it.
#include "jit/noise_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "jit/kernel_cache.h"
#include "jit/layer.h"
#include "tests/jit/layer_case.h"

namespace octavo::jit {
namespace {

using testing::LayerCase;
using testing::SquareConv;

constexpr double no_noise = std::numeric_limits<double>::infinity();
constexpr WinogradLimit all_limits[] = {WinogradLimit::none, WinogradLimit::tiles2x2, WinogradLimit::tiles2x4,
                                        WinogradLimit::tiles4x4};

LayerCase layer(bool nonnegative) {
  ConvSpec spec = SquareConv{128, 32, 16, 3, 1, 1}.spec();
  spec.nonnegative_input = nonnegative;
  LayerCase c(spec, 9);
  std::fill(c.scales.begin(), c.scales.end(), 1e-3F);
  return c;
}

TEST(NoiseModelTest, LargerTilesArePredictedToBeNoisier) {
  for (const bool nonnegative : {false, true}) {
    const LayerCase c = layer(nonnegative);
    double previous = no_noise;
    for (const WinogradLimit limit : all_limits) {
      const double db = predicted_signal_to_noise(c.spec, c.weights(), limit);
      EXPECT_LT(db, previous) << winograd_limit_name(limit);
      previous = db;
    }
  }
}

/// Runs the reference with and without rounding of activations: its weights are exact, so what is predicted besides
/// their stored rounding is what is measured.
TEST(NoiseModelTest, IsNearWhatIsMeasuredOnGaussianInputs) {
  const LayerCase c = layer(true);
  std::vector<double> exact(c.output_size());
  const ConvSpec& s = c.spec;
  for (std::int64_t y = 0; y < s.out_h; ++y)
    for (std::int64_t x = 0; x < s.out_w; ++x)
      for (std::int64_t o = 0; o < s.out_channels; ++o) {
        double sum = 0.0;
        for (std::int64_t i = 0; i < s.in_channels * 9; ++i) {
          const std::int64_t row = y + i % 9 / 3 - 1, column = x + i % 3 - 1;
          if (row < 0 || row >= s.in_h || column < 0 || column >= s.in_w) continue;
          sum += 1e-3 * c.q[static_cast<std::size_t>(o * s.in_channels * 9 + i)] *
                 c.image[static_cast<std::size_t>((row * s.in_w + column) * s.in_channels + i / 9)];
        }
        exact[static_cast<std::size_t>((y * s.out_w + x) * s.out_channels + o)] = sum;
      }
  KernelCache cache;
  for (const auto& [limit, h, w] :
       {std::tuple{WinogradLimit::tiles2x2, 2, 2}, {WinogradLimit::tiles2x4, 2, 4}, {WinogradLimit::tiles4x4, 4, 4}}) {
    Plan plan;
    plan.winograd_h = h;
    plan.winograd_w = w;
    plan.tile_h = plan.tile_w = 8;
    const Layer reference(s, plan, c.weights(), cache);
    std::vector<float> actual(c.output_size());
    std::vector<std::byte> scratch(reference.scratch_bytes());
    for (std::int64_t tile = 0; tile < reference.tiles(); ++tile) {
      reference.quantize(tile, c.image.data(), scratch.data(), nullptr);
      reference.compute(tile, 0, scratch.data(), nullptr, actual.data(), nullptr);
    }
    double signal = 0.0, noise = 0.0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      signal += exact[i] * exact[i];
      noise += (exact[i] - actual[i]) * (exact[i] - actual[i]);
    }
    EXPECT_NEAR(predicted_signal_to_noise(s, c.weights(), limit), 10.0 * std::log10(signal / noise), 2.0)
        << winograd_limit_name(limit);
  }
}

TEST(NoiseModelTest, ABudgetTakesTheLargestTileThatReachesIt) {
  const LayerCase c = layer(true);
  for (const WinogradLimit limit : {WinogradLimit::tiles2x2, WinogradLimit::tiles2x4, WinogradLimit::tiles4x4}) {
    const double db = predicted_signal_to_noise(c.spec, c.weights(), limit);
    EXPECT_EQ(winograd_within(c.spec, c.weights(), WinogradLimit::tiles4x4, db - 0.01), limit);
  }
  EXPECT_EQ(winograd_within(c.spec, c.weights(), WinogradLimit::tiles4x4, no_noise), WinogradLimit::none);
  EXPECT_EQ(winograd_within(c.spec, c.weights(), WinogradLimit::tiles2x4, -no_noise), WinogradLimit::tiles2x4);
  EXPECT_EQ(winograd_within(c.spec, c.weights(), WinogradLimit::none, -no_noise), WinogradLimit::none);
}

TEST(NoiseModelTest, LayersThatCannotBeWinogradAreNone) {
  const LayerCase c(SquareConv{16, 16, 12, 5, 1, 2}.spec(), 1);
  EXPECT_EQ(winograd_within(c.spec, c.weights(), WinogradLimit::tiles4x4, -no_noise), WinogradLimit::none);
}

TEST(NoiseModelTest, WeightsOfZerosHaveNoNoise) {
  LayerCase c = layer(true);
  std::fill(c.q.begin(), c.q.end(), std::int8_t{0});
  std::fill(c.scales.begin(), c.scales.end(), 0.0F);
  for (const WinogradLimit limit : all_limits)
    EXPECT_EQ(predicted_signal_to_noise(c.spec, c.weights(), limit), no_noise);
}

}  // namespace
}  // namespace octavo::jit
