// SPDX-License-Identifier: Apache-2.0
// Rounding the positions of a filter together leaves less noise than rounding each by itself, by as much as is
// promised.
#include "jit/winograd_rounding.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <vector>

namespace octavo::jit {
namespace {

constexpr std::size_t most = WinogradAxis::most_positions * WinogradAxis::most_positions;
using Tile = std::array<double, most>;

/// `from` [rows of a tile][columns of a tile], transformed along both axes by fp32 functions of one.
template <class Down, class Across>
Tile both_ways(const Tile& from, std::size_t width, std::size_t rows, std::size_t columns, std::size_t results_down,
               std::size_t results_across, const Down& down, const Across& across) {
  std::vector<WinogradAxis::Values> half(results_down);
  for (std::size_t x = 0; x < columns; ++x) {
    WinogradAxis::Values column{};
    for (std::size_t y = 0; y < rows; ++y) column[y] = static_cast<float>(from[y * width + x]);
    const WinogradAxis::Values result = down(column);
    for (std::size_t y = 0; y < results_down; ++y) half[y][x] = result[y];
  }
  Tile whole{};
  for (std::size_t y = 0; y < results_down; ++y) {
    const WinogradAxis::Values result = across(half[y]);
    for (std::size_t x = 0; x < results_across; ++x) whole[y * width + x] = result[x];
  }
  return whole;
}

class WinogradRoundingTest : public ::testing::TestWithParam<std::tuple<int, int, bool>> {
 protected:
  WinogradAxis down{std::get<0>(GetParam())}, across{std::get<1>(GetParam())};
  ExpectedInput input{std::get<2>(GetParam())};
  std::size_t rows = static_cast<std::size_t>(down.positions()), width = static_cast<std::size_t>(across.positions());

  [[nodiscard]] Tile transformed_input(std::mt19937& random) const {
    std::normal_distribution<double> normal;
    Tile d{};
    for (std::size_t i = 0; i < rows * width; ++i) d[i] = normal(random);
    if (input.mean > 0.0)
      for (double& value : d) value = std::max(value, 0.0);
    return both_ways(
        d, width, rows, width, rows, width, [&](const auto& v) { return down.transform_input(v); },
        [&](const auto& v) { return across.transform_input(v); });
  }
  /// The energy of a tile's outputs when only the errors of the weights are multiplied.
  [[nodiscard]] double energy(const Tile& errors, const Tile& inputs) const {
    Tile m{};
    for (std::size_t i = 0; i < rows * width; ++i) m[i] = errors[i] * inputs[i];
    const auto outputs = static_cast<std::size_t>(down.outputs()), columns = static_cast<std::size_t>(across.outputs());
    const Tile y = both_ways(
        m, width, rows, width, outputs, columns, [&](const auto& v) { return down.transform_output(v); },
        [&](const auto& v) { return across.transform_output(v); });
    double sum = 0.0;
    for (std::size_t i = 0; i < outputs; ++i)
      for (std::size_t j = 0; j < columns; ++j) sum += y[i * width + j] * y[i * width + j];
    return sum;
  }
};

TEST_P(WinogradRoundingTest, WhatIsLeftIsTheSumOfItsCosts) {
  const WinogradRounding rounding(down, across, input);
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform(-0.5, 0.5);
  double alone = 0.0, together = 0.0, promised = 0.0;
  for (int round = 0; round < 20000; ++round) {
    Tile own{},
        errors{};  // of each position's rounding; and what they come to when later ones make up for earlier ones
    for (std::size_t i = 0; i < rows * width; ++i) own[i] = uniform(random);
    const std::vector<std::size_t>& order = rounding.order();
    for (std::size_t place = 0; place < order.size(); ++place) {
      errors[order[place]] = own[order[place]];
      for (std::size_t earlier = 0; earlier < place; ++earlier)
        errors[order[place]] -= static_cast<double>(rounding.feedback(earlier, place)) * errors[order[earlier]];
      promised += rounding.cost(order[place]) / 12.0;
    }
    const Tile inputs = transformed_input(random);
    alone += energy(own, inputs);
    together += energy(errors, inputs);
  }
  EXPECT_NEAR(together / promised, 1.0, 0.05);
  EXPECT_LT(together, alone);
}

INSTANTIATE_TEST_SUITE_P(Tiles, WinogradRoundingTest,
                         ::testing::Combine(::testing::Values(2, 4), ::testing::Values(2, 4), ::testing::Bool()));

}  // namespace
}  // namespace octavo::jit
