// SPDX-License-Identifier: Apache-2.0
// How the transformed weights of one filter are rounded together, so that their errors undo each other.
//
// An output pixel sums the products of all positions of its tile, and the inputs at those positions are made of the
// same pixels. An error d of the filter's transformed weights therefore costs d' H d, where H is the product, entry by
// entry, of the output transform's share (A A') and the inputs' expected products (B E[x x'] B'). H = U D U' with U
// upper triangular of unit diagonal turns this into a sum of squares,
//
//   d' H d = sum over positions i of D_i (d_i + sum over j < i of U_ji d_j)^2,
//
// so rounding one position after the other, each to make up for what those before it have lost, leaves D_i times the
// square of position i's own rounding error: some 4 dB less noise from 4x4 tiles' weights than rounding each by itself.
// (Rounding with feedback as in LeCun et al. 1990's and Hassibi & Stork 1993's second-order pruning, here with expected
// inputs in the place of data.)
#pragma once

#include <cstdint>
#include <vector>

#include "jit/winograd_axis.h"

namespace octavo::jit {

/// What an input is taken for where nothing is known of it: independent normal numbers of variance 1, cut off at zero
/// where they are known not to be negative.
struct ExpectedInput {
  double mean, variance, nonzero;  ///< nonzero: the share of numbers that are not exactly zero

  explicit constexpr ExpectedInput(bool nonnegative)
      // Of max(0, x) with x normal: 1 / sqrt(2 pi), and 1/2 less that squared.
      : mean(nonnegative ? 0.398942280401 : 0.0),
        variance(nonnegative ? 0.5 - mean * mean : 1.0),
        nonzero(nonnegative ? 0.5 : 1.0) {}
  [[nodiscard]] constexpr double power() const { return variance + mean * mean; }
};

class WinogradRounding {
 public:
  WinogradRounding(const WinogradAxis& down, const WinogradAxis& across, const ExpectedInput& input);

  /// The order in which the positions (row * across.positions() + column) are rounded: what costs most first.
  [[nodiscard]] const std::vector<std::size_t>& order() const { return order_; }
  /// U of the order()'s places: what an error at the earlier place asks of the later one.
  [[nodiscard]] float feedback(std::size_t earlier, std::size_t later) const {
    return feedback_[later * order_.size() + earlier];
  }
  /// D of a position: the square of its own rounding error costs a tile's outputs so much, in all.
  [[nodiscard]] double cost(std::size_t position) const { return cost_[position]; }

 private:
  std::vector<std::size_t> order_;
  std::vector<float> feedback_;
  std::vector<double> cost_;
};

}  // namespace octavo::jit
