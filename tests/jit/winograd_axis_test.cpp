// SPDX-License-Identifier: Apache-2.0
// The transforms of one axis compute a convolution with three taps.
#include "jit/winograd_axis.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace octavo::jit {
namespace {

class WinogradAxisTest : public ::testing::TestWithParam<int> {};

TEST_P(WinogradAxisTest, ProductsOfTransformedInputsAndWeightsAreAConvolution) {
  const WinogradAxis axis(GetParam());
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (int round = 0; round < 100; ++round) {
    WinogradAxis::Values d{};
    for (std::size_t i = 0; i < static_cast<std::size_t>(axis.positions()); ++i) d[i] = normal(random);
    const std::array<float, WinogradAxis::taps> g{normal(random), normal(random), normal(random)};
    const WinogradAxis::Values v = axis.transform_input(d), u = axis.transform_weights(g);
    WinogradAxis::Values m{};
    for (std::size_t i = 0; i < m.size(); ++i) m[i] = v[i] * u[i];
    const WinogradAxis::Values y = axis.transform_output(m);
    for (std::size_t i = 0; i < static_cast<std::size_t>(axis.outputs()); ++i)
      ASSERT_NEAR(y[i], d[i] * g[0] + d[i + 1] * g[1] + d[i + 2] * g[2], 1e-5);
  }
}

TEST_P(WinogradAxisTest, EveryInputReachesAnOutputThatReadsIt) {
  const WinogradAxis axis(GetParam());
  for (std::size_t input = 0; input < static_cast<std::size_t>(axis.positions()); ++input) {
    WinogradAxis::Values d{};
    d[input] = std::nanf("");
    const WinogradAxis::Values v = axis.transform_input(d), y = axis.transform_output(v);
    for (std::size_t i = 0; i < static_cast<std::size_t>(axis.outputs()); ++i)
      EXPECT_TRUE(std::isnan(y[i]) || input < i || input > i + 2) << "input " << input << ", output " << i;
  }
}

/// Rounds transformed inputs to multiples of a scale, one for all, with the carries or without them.
WinogradAxis::Values rounded(const WinogradAxis& axis, const WinogradAxis::Values& v, float scale, bool carry) {
  WinogradAxis::Values q{}, lost{};
  for (const std::int64_t position : axis.rounding_order()) {
    const auto p = static_cast<std::size_t>(position);
    float wanted = v[p];
    for (const WinogradAxis::Carry& c : axis.carries(position))
      if (carry) wanted += c.share * lost[static_cast<std::size_t>(c.from)];
    q[p] = scale * std::nearbyintf(wanted / scale);
    lost[p] = v[p] - q[p];
  }
  return q;
}

TEST_P(WinogradAxisTest, CarriedLossesLeaveLessNoise) {
  const WinogradAxis axis(GetParam());
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  double noise[2] = {0.0, 0.0};
  for (int round = 0; round < 20000; ++round) {
    WinogradAxis::Values d{};
    for (std::size_t i = 0; i < static_cast<std::size_t>(axis.positions()); ++i) d[i] = normal(random);
    const WinogradAxis::Values v = axis.transform_input(d);
    const WinogradAxis::Values u = axis.transform_weights({normal(random), normal(random), normal(random)});
    for (const bool carry : {false, true}) {
      WinogradAxis::Values m{};
      const WinogradAxis::Values q = rounded(axis, v, 0.05F, carry);
      for (std::size_t i = 0; i < m.size(); ++i) m[i] = (q[i] - v[i]) * u[i];
      const WinogradAxis::Values y = axis.transform_output(m);
      for (std::size_t i = 0; i < static_cast<std::size_t>(axis.outputs()); ++i)
        noise[carry ? 1 : 0] += static_cast<double>(y[i]) * y[i];
    }
  }
  EXPECT_GT(10.0 * std::log10(noise[0] / noise[1]), GetParam() == 2 ? 0.9 : 1.7);
}

TEST_P(WinogradAxisTest, ALossIsCarriedOnlyToLaterPositions) {
  const WinogradAxis axis(GetParam());
  std::vector<bool> rounded_already(static_cast<std::size_t>(axis.positions())), carried(rounded_already);
  for (const std::int64_t position : axis.rounding_order()) {
    for (const WinogradAxis::Carry& carry : axis.carries(position)) {
      EXPECT_TRUE(rounded_already[static_cast<std::size_t>(carry.from)]);
      carried[static_cast<std::size_t>(carry.from)] = true;
    }
    rounded_already[static_cast<std::size_t>(position)] = true;
  }
  for (std::size_t p = 0; p < carried.size(); ++p) {
    EXPECT_TRUE(rounded_already[p]);
    EXPECT_EQ(carried[p], axis.loss_is_carried(static_cast<std::int64_t>(p)));
  }
}

INSTANTIATE_TEST_SUITE_P(Outputs, WinogradAxisTest, ::testing::Values(2, 4));

}  // namespace
}  // namespace octavo::jit
