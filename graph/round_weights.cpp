// SPDX-License-Identifier: Apache-2.0
// Weights to s8: see graph/round_weights.h. A window's weights lie side by side ([out][in][taps], all taps of its
// channels), so each is a short loop over an array that the compiler vectorizes: a network has up to 10^8 weights.
#include "graph/round_weights.h"

#include <omp.h>

#include <algorithm>
#include <array>
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
/// Fewer are not worth waking a thread.
constexpr std::size_t kWeightsAThread = 64 * 1024;

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

/// `rests`: what rounding to the nearest leaves of each weight, in steps.
void round_window(std::span<const float> weights, float scale, std::int8_t* q, float* rests) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float steps = weights[i] / scale, rounded = round_half_even(steps);
    q[i] = static_cast<std::int8_t>(rounded);
    rests[i] = steps - rounded;
  }
}

double sum_of(std::span<const float> values) {
  std::array<double, 4> sums{};  // side by side: an addition does not wait for the one before
  std::size_t i = 0;
  for (; i + sums.size() <= values.size(); i += sums.size()) {
    for (std::size_t lane = 0; lane < sums.size(); ++lane) sums[lane] += static_cast<double>(values[i + lane]);
  }
  for (; i < values.size(); ++i) sums[0] += static_cast<double>(values[i]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// Whether a value is beyond `least` times `sign`, looked for in all of them at once.
bool any_beyond(std::span<const float> values, float sign, float least) {
  int found = 0;
  for (const float value : values) found |= static_cast<int>(sign * value > least);
  return found != 0;
}

/// Rounds so many weights the other way that the errors of all, and what the groups before have `lost`, add up to half
/// a scale at most: those first that were nearest to it. Returns what is lost then (real minus rounded).
class Balancer {
 public:
  /// Of groups of at most `most_weights`; from here on, nothing is allocated.
  explicit Balancer(std::size_t most_weights) { nearest_.reserve(most_weights / 2 + 1); }

  double balance(std::span<const float> rests, float scale, std::int8_t* q, double lost) {
    const double missing = lost / static_cast<double>(scale) + sum_of(rests);  // in steps
    const int step = missing < 0.0 ? -1 : 1;
    // No more than half of them: what a coarse window before this one lost can be more than this one can give.
    const double wanted = std::min(std::ceil(std::abs(missing) - 0.5), static_cast<double>((rests.size() + 1) / 2));
    if (wanted < 1.0) return missing * static_cast<double>(scale);
    find_nearest(rests, step, static_cast<std::size_t>(wanted), q);
    for (const auto& [gain, i] : nearest_) q[i] = static_cast<std::int8_t>(q[i] + step);
    return (missing - step * static_cast<double>(nearest_.size())) * static_cast<double>(scale);
  }

 private:
  void find_nearest(std::span<const float> rests, int step, std::size_t most, const std::int8_t* q) {
    constexpr std::size_t block = 16;
    const auto sign = static_cast<float>(step);
    nearest_.clear();
    float least = 0.0F;  // what a weight has to be nearer than
    for (std::size_t begin = 0; begin < rests.size(); begin += block) {
      const std::size_t end = std::min(begin + block, rests.size());
      if (!any_beyond(rests.subspan(begin, end - begin), sign, least)) continue;
      for (std::size_t i = begin; i < end; ++i) {
        const float gain = sign * rests[i];
        if (gain <= least || std::abs(q[i] + step) > 127) continue;
        if (nearest_.size() == most) {
          std::pop_heap(nearest_.begin(), nearest_.end(), std::greater{});
          nearest_.pop_back();
        }
        nearest_.emplace_back(gain, i);
        std::push_heap(nearest_.begin(), nearest_.end(), std::greater{});
        if (nearest_.size() == most) least = nearest_.front().first;
      }
    }
  }

  std::vector<std::pair<float, std::size_t>> nearest_;  ///< a heap, the least gain first
};

/// Rounds filters, one after the other; one of these a thread.
class FilterRounder {
 public:
  /// From here on, nothing is allocated.
  FilterRounder(std::size_t window_weights, std::size_t taps, ScaleFormat format)
      : taps_(taps), format_(format), rests_(window_weights), balancer_(taps == 1 ? window_weights : taps) {}
  FilterRounder(FilterRounder&&) = default;
  FilterRounder(const FilterRounder&) = delete;  // a copied vector loses what it reserved

  /// Of a filter's weights, their integers, and a scale for each window; false when one is NaN or infinite.
  [[nodiscard]] bool round(std::span<const float> filter, std::int8_t* q, float* scales) {
    double lost = 0.0;
    for (std::size_t begin = 0; begin < filter.size(); begin += rests_.size()) {
      const auto window = filter.subspan(begin, std::min(rests_.size(), filter.size() - begin));
      const std::uint32_t bits = max_magnitude_bits(window);
      if (bits >= kInfinity) return false;
      float scale = bits < kSmallest ? 0.0F : std::bit_cast<float>(bits) / 127.0F;
      if (format_ == ScaleFormat::bf16_up) scale = bf16_rounded_up(scale);
      *scales++ = scale;
      if (scale == 0.0F) {
        std::fill_n(q + begin, window.size(), std::int8_t{0});
        continue;
      }
      round_window(window, scale, q + begin, rests_.data());
      const std::size_t group = taps_ == 1 ? window.size() : taps_;
      for (std::size_t i = 0; i < window.size(); i += group)
        lost = balancer_.balance(std::span(rests_).subspan(i, group), scale, q + begin + i, lost);
    }
    return true;
  }

 private:
  std::size_t taps_;
  ScaleFormat format_;
  std::vector<float> rests_;
  Balancer balancer_;
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

  const std::size_t windows = (row + window_weights - 1) / window_weights;

  std::vector<std::int8_t> q(all.size());
  std::vector<float> scales(outs * windows);
  // A filter knows of no other: any number of threads gives the same bits.
  const std::size_t threads =
      std::min({outs, all.size() / kWeightsAThread + 1, static_cast<std::size_t>(omp_get_max_threads())});
  std::vector<FilterRounder> rounders;
  rounders.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) rounders.emplace_back(std::min(window_weights, row), taps, format);
  std::vector<std::size_t> broken(threads, outs);  // the first filter of each thread that is not finite
#pragma omp parallel for num_threads(static_cast <int>(threads)) schedule(static)
  for (std::size_t out = 0; out < outs; ++out) {
    const auto thread = static_cast<std::size_t>(omp_get_thread_num());
    const bool finite = rounders[thread].round(all.subspan(out * row, row), &q[out * row], &scales[out * windows]);
    if (!finite) broken[thread] = std::min(broken[thread], out);
  }
  const std::size_t first_broken = *std::min_element(broken.begin(), broken.end());
  if (first_broken != outs) {
    throw Error(ErrorKind::malformed, fmt::format("the weights of output {} are not all finite", first_broken));
  }
  auto rounded = std::make_shared<Blob>();
  rounded->shape = weights.shape;
  rounded->q = Data<std::int8_t>(std::move(q));
  rounded->scales = Data<float>(std::move(scales));
  rounded->window = window;
  return rounded;
}

}  // namespace octavo::graph
