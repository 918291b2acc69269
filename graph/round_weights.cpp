// SPDX-License-Identifier: Apache-2.0
// Weights to s8: see graph/round_weights.h. A window's weights lie side by side ([out][in][taps], all taps of its
// channels), so each is a short loop over an array that the compiler vectorizes: a network has up to 10^8 weights.
#include "graph/round_weights.h"

#include <algorithm>
#include <bit>
#include <span>
#include <vector>

#include "graph/check.h"

namespace octavo::graph {
namespace {

constexpr std::uint32_t kInfinity = 0x7f800000;
/// Windows below this count as zeros, as those of the activations do: their scale would be denormal, too coarse to keep
/// |q| within 127.
constexpr std::uint32_t kSmallest = std::bit_cast<std::uint32_t>(0x1p-118F);

/// The bits of max|w|: magnitudes of floats order as their bits do, NaN above infinity above all numbers.
std::uint32_t max_magnitude_bits(std::span<const float> weights) {
  std::uint32_t bits = 0;
  for (const float weight : weights) bits = std::max(bits, std::bit_cast<std::uint32_t>(weight) & 0x7fffffffU);
  return bits;
}

/// Half to even, for |x| < 2^22: the sum's last mantissa bit is worth 1, so the addition rounds.
float round_half_even(float x) {
  constexpr float kShift = 12582912.0F;  // 1.5 * 2^23
  return (x + kShift) - kShift;
}

void round_window(std::span<const float> weights, float scale, std::int8_t* q) {
  for (std::size_t i = 0; i < weights.size(); ++i) q[i] = static_cast<std::int8_t>(round_half_even(weights[i] / scale));
}

}  // namespace

float bf16_rounded_up(float value) {
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(value) + 0xffffU) & 0xffff0000U);
}

BlobPtr round_weights(const Blob& weights, std::int64_t window, ScaleFormat format) {
  const auto outs = static_cast<std::size_t>(weights.shape.at(0));
  const auto ins = static_cast<std::size_t>(weights.shape.at(1));
  const std::span<const float> all = weights.f32.values;
  const std::size_t row = all.size() / outs;
  const std::size_t window_weights = static_cast<std::size_t>(window) * (row / ins);

  std::vector<std::int8_t> q(all.size(), 0);
  std::vector<float> scales;
  for (std::size_t out = 0; out < outs; ++out) {
    for (std::size_t begin = 0; begin < row; begin += window_weights) {
      const std::size_t first = out * row + begin;
      const auto part = all.subspan(first, std::min(window_weights, row - begin));
      const std::uint32_t bits = max_magnitude_bits(part);
      if (bits >= kInfinity) {
        throw Error(ErrorKind::malformed, fmt::format("the weights of output {} are not all finite", out));
      }
      float scale = bits < kSmallest ? 0.0F : std::bit_cast<float>(bits) / 127.0F;
      if (format == ScaleFormat::bf16_up) scale = bf16_rounded_up(scale);
      scales.push_back(scale);
      if (scale != 0.0F) round_window(part, scale, &q[first]);
    }
  }
  auto rounded = std::make_shared<Blob>();
  rounded->shape = weights.shape;
  rounded->q = Data<std::int8_t>(std::move(q));
  rounded->scales = Data<float>(std::move(scales));
  rounded->window = window;
  return rounded;
}

}  // namespace octavo::graph
