// SPDX-License-Identifier: Apache-2.0
// One axis of a Winograd convolution F(m, 3): m outputs from m + 2 inputs with m + 2 products, by evaluating
// polynomials at the points 0, +-p1, (+-p2,) infinity (Winograd 1980; the points of F(4, 3) are those of the least
// rounding noise).
//
// What is written here with fmaf is the arithmetic to the last bit: the scalar reference calls it, and the emitters
// (jit/winograd_input_emitter.h, jit/winograd_output_emitter.h) issue the same operations in the same order.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace octavo::jit {

class WinogradAxis {
 public:
  static constexpr std::int64_t taps = 3;
  static constexpr std::size_t most_positions = 6;
  using Values = std::array<float, most_positions>;

  /// `outputs` is 2 or 4.
  explicit constexpr WinogradAxis(std::int64_t outputs) : outputs_(outputs) {}

  [[nodiscard]] constexpr std::int64_t outputs() const { return outputs_; }
  [[nodiscard]] constexpr std::int64_t positions() const { return outputs_ + taps - 1; }
  [[nodiscard]] constexpr std::int64_t pairs() const { return outputs_ / 2; }  ///< of points p, -p
  /// p of a pair; position 1 + 2 * pair is +p, the next one -p.
  [[nodiscard]] constexpr float point(std::int64_t pair) const {
    if (outputs_ == 2) return 1.0F;
    return pair == 0 ? 0.75F : 1.5F;
  }
  /// The square of the other pair's point (four outputs only).
  [[nodiscard]] constexpr float other_square(std::int64_t pair) const { return point(1 - pair) * point(1 - pair); }
  /// Coefficients of the polynomial whose roots are all pairs, (x^2 - p1^2)(x^2 - p2^2) = x^4 - sum x^2 + product.
  [[nodiscard]] constexpr float square_sum() const { return point(0) * point(0) + point(1) * point(1); }
  [[nodiscard]] constexpr float square_product() const { return point(0) * point(0) * point(1) * point(1); }
  /// p^power of a pair.
  [[nodiscard]] constexpr float power(std::int64_t pair, int power) const {
    float value = 1.0F;
    for (int i = 0; i < power; ++i) value *= point(pair);
    return value;
  }

  /// v = B^T d: positions() inputs to as many transformed ones.
  [[nodiscard]] Values transform_input(const Values& d) const {
    Values v{};
    if (outputs_ == 2) {
      v[0] = d[2] - d[0];
      v[1] = d[2] + d[1];
      v[2] = d[2] - d[1];
      v[3] = d[3] - d[1];
      return v;
    }
    v[0] = std::fmaf(square_product(), d[0], std::fmaf(-square_sum(), d[2], d[4]));
    v[5] = std::fmaf(square_product(), d[1], std::fmaf(-square_sum(), d[3], d[5]));
    for (std::int64_t pair = 0; pair < 2; ++pair) {
      const float even = std::fmaf(-other_square(pair), d[2], d[4]), odd = std::fmaf(-other_square(pair), d[1], d[3]);
      const auto at = static_cast<std::size_t>(1 + 2 * pair);
      v[at] = std::fmaf(point(pair), odd, even);
      v[at + 1] = std::fmaf(-point(pair), odd, even);
    }
    return v;
  }

  /// y = A^T m: positions() products to outputs() outputs.
  [[nodiscard]] Values transform_output(const Values& m) const {
    Values y{};
    const float sum0 = m[1] + m[2], difference0 = m[1] - m[2];
    if (outputs_ == 2) {
      y[0] = sum0 + m[0];
      y[1] = difference0 + m[3];
      return y;
    }
    const float sum1 = m[3] + m[4], difference1 = m[3] - m[4];
    y[0] = (sum0 + sum1) + m[0];
    y[1] = std::fmaf(power(0, 1), difference0, power(1, 1) * difference1);
    y[2] = std::fmaf(power(0, 2), sum0, power(1, 2) * sum1);
    y[3] = std::fmaf(power(0, 3), difference0, std::fmaf(power(1, 3), difference1, m[5]));
    return y;
  }

  /// u = G g: three taps to positions() transformed weights.
  [[nodiscard]] Values transform_weights(const std::array<float, taps>& g) const {
    Values u{};
    for (std::int64_t position = 0; position < positions(); ++position)
      u[static_cast<std::size_t>(position)] = weight_row(position, g);
    return u;
  }

 private:
  [[nodiscard]] float weight_row(std::int64_t position, const std::array<float, taps>& g) const {
    if (position == positions() - 1) return g[2];
    // The point over the product of its distances from all others.
    if (position == 0) return g[0] / (outputs_ == 2 ? -1.0F : square_product());
    const std::int64_t pair = (position - 1) / 2;
    const float p = position % 2 == 1 ? point(pair) : -point(pair), square = p * p;
    const float distances = 2.0F * square * (outputs_ == 2 ? 1.0F : square - other_square(pair));
    return (g[0] + p * g[1] + square * g[2]) / distances;
  }

  std::int64_t outputs_;
};

}  // namespace octavo::jit
