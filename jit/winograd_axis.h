// SPDX-License-Identifier: Apache-2.0
// One axis of a Winograd convolution F(m, 3): m outputs from m + 2 inputs with m + 2 products, by evaluating
// polynomials at the points 0, +-p1, (+-p2,) infinity (Winograd 1980; the points of F(4, 3) are those of the least
// rounding noise, squares exact).
//
// What is written here with fmaf is the arithmetic to the last bit: the scalar reference calls it, and the emitters
// (jit/winograd_input_emitter.h, jit/winograd_output_emitter.h) issue the same operations in the same order.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

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
    return pair == 0 ? 0.6875F : 1.5F;
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

  // Rounding. The errors of neighbouring positions reach the same outputs, so what one has lost, others can make up
  // for: inputs are rounded in rounding_order(), each with shares of the losses of earlier ones added first. The shares
  // are those that leave the least expected error for filters of independent taps, small ones left out: 2.0 dB less
  // noise from inputs for F(4, 3), 1.1 dB for F(2, 3).
  struct Carry {
    std::int64_t from;  ///< an earlier position
    float share;        ///< of its loss, the exact number less the rounded one
  };
  [[nodiscard]] std::span<const std::int64_t> rounding_order() const {
    static constexpr std::array<std::int64_t, 4> of_two{1, 2, 3, 0};
    static constexpr std::array<std::int64_t, 6> of_four{3, 4, 1, 2, 5, 0};
    return outputs_ == 2 ? std::span<const std::int64_t>(of_two) : std::span<const std::int64_t>(of_four);
  }
  [[nodiscard]] std::span<const Carry> carries(std::int64_t position) const {
    static constexpr std::array<Carry, 4> of_two{{{1, -0.5F}, {2, -0.5F}, {1, 0.5F}, {2, -0.5F}}};
    static constexpr std::array<Carry, 6> of_four{
        {{1, -0.59375F}, {2, -0.59375F}, {3, 0.84375F}, {4, -0.84375F}, {3, -1.125F}, {4, -1.125F}}};
    const auto ends = outputs_ == 2 ? std::span<const Carry>(of_two) : std::span<const Carry>(of_four);
    if (position == 0) return ends.first(2);
    if (position == positions() - 1) return ends.subspan(2, 2);
    if (outputs_ == 4 && position <= 2) return ends.subspan(static_cast<std::size_t>(3 + position), 1);
    return {};
  }
  /// Whether others make up for what this position loses.
  [[nodiscard]] bool loss_is_carried(std::int64_t position) const {
    return position != 0 && position != positions() - 1;
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
