// SPDX-License-Identifier: Apache-2.0
#include "jit/winograd_rounding.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace octavo::jit {

namespace {

constexpr std::size_t most = WinogradAxis::most_positions;
using Square = std::array<std::array<double, most>, most>;

/// Products of two positions of one axis: of their output coefficients, of their input coefficients, of the sums of
/// those, and the square of a position's weight coefficients.
struct AxisProducts {
  Square outputs{}, inputs{}, input_sums{};
  std::array<double, most> weights{};

  explicit AxisProducts(const WinogradAxis& axis) {
    std::array<double, most> sums{};
    for (std::size_t i = 0; i < static_cast<std::size_t>(axis.positions()); ++i) {
      WinogradAxis::Values unit{};
      unit[i] = 1.0F;
      const WinogradAxis::Values in = axis.transform_input(unit), out = axis.transform_output(unit);
      for (std::size_t p = 0; p < most; ++p) {
        sums[p] += in[p];
        outputs_of_[i][p] = out[p];
        for (std::size_t q = 0; q < most; ++q) inputs[p][q] += static_cast<double>(in[p]) * in[q];
      }
    }
    for (std::size_t tap = 0; tap < static_cast<std::size_t>(WinogradAxis::taps); ++tap) {
      std::array<float, WinogradAxis::taps> unit{};
      unit[tap] = 1.0F;
      const WinogradAxis::Values u = axis.transform_weights(unit);
      for (std::size_t p = 0; p < most; ++p) weights[p] += static_cast<double>(u[p]) * u[p];
    }
    for (std::size_t p = 0; p < most; ++p)
      for (std::size_t q = 0; q < most; ++q) {
        input_sums[p][q] = sums[p] * sums[q];
        for (std::size_t y = 0; y < static_cast<std::size_t>(axis.outputs()); ++y)
          outputs[p][q] += outputs_of_[p][y] * outputs_of_[q][y];
      }
  }

 private:
  Square outputs_of_{};  // [position][output]
};

}  // namespace

WinogradRounding::WinogradRounding(const WinogradAxis& down, const WinogradAxis& across, const ExpectedInput& input) {
  const AxisProducts rows(down), columns(across);
  const auto width = static_cast<std::size_t>(across.positions());
  const std::size_t count = static_cast<std::size_t>(down.positions()) * width;
  const auto error_product = [&](std::size_t a, std::size_t b) {
    const std::size_t ra = a / width, rb = b / width, ca = a % width, cb = b % width;
    return rows.outputs[ra][rb] * columns.outputs[ca][cb] *
           (input.variance * rows.inputs[ra][rb] * columns.inputs[ca][cb] +
            input.mean * input.mean * rows.input_sums[ra][rb] * columns.input_sums[ca][cb]);
  };
  // A position's rounding error is in proportion to its weights.
  const auto expected_cost = [&](std::size_t p) {
    return error_product(p, p) * rows.weights[p / width] * columns.weights[p % width];
  };
  order_.resize(count);
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::stable_sort(order_.begin(), order_.end(),
                   [&](std::size_t a, std::size_t b) { return expected_cost(a) > expected_cost(b); });

  feedback_.assign(count * count, 0.0F);
  cost_.resize(count);
  std::vector<double> u(count * count), diagonal(count);  // u[earlier * count + later]
  for (std::size_t i = count; i-- > 0;) {
    diagonal[i] = error_product(order_[i], order_[i]);
    for (std::size_t k = i + 1; k < count; ++k) diagonal[i] -= u[i * count + k] * u[i * count + k] * diagonal[k];
    cost_[order_[i]] = diagonal[i];
    for (std::size_t j = 0; j < i; ++j) {
      double product = error_product(order_[j], order_[i]);
      for (std::size_t k = i + 1; k < count; ++k) product -= u[j * count + k] * u[i * count + k] * diagonal[k];
      u[j * count + i] = product / diagonal[i];
      feedback_[i * count + j] = static_cast<float>(u[j * count + i]);
    }
  }
}

}  // namespace octavo::jit
