// SPDX-License-Identifier: Apache-2.0
// Weights to s8: see graph/round_weights.h. A window's weights lie side by side ([out][in][taps], all taps of its
// channels), so each is a short loop over an array that the compiler vectorizes: a network has up to 10^8 weights.
#include "graph/round_weights.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <span>
#include <utility>
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

/// Rounds so many weights the other way that the errors of all, and what the groups before have `lost`, add up to half
/// a scale at most: those first that were nearest to it. Returns what is lost then (real minus rounded).
class Balancer {
 public:
  double balance(std::span<const float> weights, float scale, std::int8_t* q, double lost) {
    double missing = lost / static_cast<double>(scale);  // in steps
    rests_.resize(weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i) rests_[i] = weights[i] / scale - static_cast<float>(q[i]);
    for (const float rest : rests_) missing += static_cast<double>(rest);
    const int step = missing < 0.0 ? -1 : 1;
    // No more than half of them: what a coarse window before this one lost can be more than this one can give.
    const double wanted = std::min(std::ceil(std::abs(missing) - 0.5), static_cast<double>((weights.size() + 1) / 2));
    if (wanted < 1.0) return missing * static_cast<double>(scale);
    const auto most = static_cast<std::size_t>(wanted);
    nearest_.clear();
    float least = 0.0F;  // what a weight has to be nearer than
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const float gain = static_cast<float>(step) * rests_[i];
      if (gain <= least || std::abs(q[i] + step) > 127) continue;
      if (nearest_.size() == most) {
        std::pop_heap(nearest_.begin(), nearest_.end(), std::greater{});
        nearest_.pop_back();
      }
      nearest_.emplace_back(gain, i);
      std::push_heap(nearest_.begin(), nearest_.end(), std::greater{});
      if (nearest_.size() == most) least = nearest_.front().first;
    }
    for (const auto& [gain, i] : nearest_) q[i] = static_cast<std::int8_t>(q[i] + step);
    return (missing - step * static_cast<double>(nearest_.size())) * static_cast<double>(scale);
  }

 private:
  std::vector<float> rests_;                            ///< what rounding to the nearest left of each weight, in steps
  std::vector<std::pair<float, std::size_t>> nearest_;  ///< a heap, the least gain first
};

}  // namespace

float bf16_rounded_up(float value) {
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(value) + 0xffffU) & 0xffff0000U);
}

BlobPtr round_weights(const Blob& weights, std::int64_t window, ScaleFormat format) {
  const auto outs = static_cast<std::size_t>(weights.shape.at(0));
  const auto ins = static_cast<std::size_t>(weights.shape.at(1));
  const std::span<const float> all = weights.f32.values;
  const std::size_t row = all.size() / outs;
  const std::size_t taps = row / ins;
  const std::size_t window_weights = static_cast<std::size_t>(window) * taps;

  std::vector<std::int8_t> q(all.size(), 0);
  std::vector<float> scales;
  Balancer balancer;
  for (std::size_t out = 0; out < outs; ++out) {
    double lost = 0.0;
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
      if (scale == 0.0F) continue;
      round_window(part, scale, &q[first]);
      const std::size_t group = taps == 1 ? part.size() : taps;
      for (std::size_t i = 0; i < part.size(); i += group) {
        lost = balancer.balance(part.subspan(i, group), scale, &q[first + i], lost);
      }
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
