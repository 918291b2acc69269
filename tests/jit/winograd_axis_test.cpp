// SPDX-License-Identifier: Apache-2.0
// The transforms of one axis compute a convolution with three taps.
#include "jit/winograd_axis.h"

#include <gtest/gtest.h>

#include <random>

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

INSTANTIATE_TEST_SUITE_P(Outputs, WinogradAxisTest, ::testing::Values(2, 4));

}  // namespace
}  // namespace octavo::jit
