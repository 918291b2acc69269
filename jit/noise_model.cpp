// SPDX-License-Identifier: Apache-2.0
#include "jit/noise_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "jit/winograd_axis.h"
#include "jit/winograd_layout.h"
#include "jit/winograd_rounding.h"
#include "jit/winograd_weights.h"

namespace octavo::jit {

namespace {

constexpr std::int64_t most_channels_looked_at = 32;
constexpr double rounding_variance = 1.0 / 12.0;  ///< of a number rounded to integers
constexpr double byte_range = 255.0, signed_range = 127.0;

/// The largest of n numbers, in standard deviations.
double expected_maximum(std::int64_t n) {
  return std::sqrt(2.0 * std::log(static_cast<double>(std::max<std::int64_t>(n, 2))));
}

struct Power {
  double signal = 0.0, noise = 0.0;
};

std::int64_t channel_step(const ConvSpec& spec) {
  return (spec.out_channels + most_channels_looked_at - 1) / most_channels_looked_at;
}

/// Of the layer's own weights: the signal of an output, and the noise that storing the weights has left in it.
Power stored_weights(const ConvSpec& spec, const WindowedWeights& weights, std::int64_t channel,
                     const ExpectedInput& input, double& squares) {
  const std::int64_t taps = spec.kernel_h * spec.kernel_w, filter = spec.channels_per_group() * taps;
  const std::int8_t* q = weights.q.data() + channel * filter;
  const float* scales = weights.scales.data() + channel * spec.windows();
  double sum = 0.0, rounding = 0.0;
  squares = 0.0;
  for (std::int64_t i = 0; i < filter; ++i) {
    const double scale = scales[i / taps / spec.window_channels()], w = scale * q[i];
    sum += w;
    squares += w * w;
    rounding += scale * scale * rounding_variance;
  }
  return {squares * input.variance + sum * sum * input.mean * input.mean, rounding * input.power()};
}

Power direct_power(const ConvSpec& spec, const WindowedWeights& weights) {
  const ExpectedInput input(spec.nonnegative_input);
  // A window is a patch of the input at least as large as the kernel.
  const std::int64_t window = spec.window_channels() * std::max<std::int64_t>(1, spec.kernel_h * spec.kernel_w);
  const double range = spec.nonnegative_input ? byte_range : signed_range;
  const double scale = expected_maximum(window) / range;
  Power power;
  for (std::int64_t channel = 0; channel < spec.out_channels; channel += channel_step(spec)) {
    double squares = 0.0;
    const Power stored = stored_weights(spec, weights, channel, input, squares);
    power.signal += stored.signal;
    power.noise += stored.noise + squares * scale * scale * rounding_variance * input.nonzero;
  }
  return power;
}

/// One axis of the transforms: for each position, the sum and the sum of squares of its input coefficients, and its
/// output coefficients.
struct AxisGains {
  using Numbers = std::array<double, WinogradAxis::most_positions>;
  Numbers sum{}, squares{};
  std::array<Numbers, WinogradAxis::most_positions> outputs{};  ///< [output][position]
  /// What a rounding error at a position leaves at each position when the later ones have made up for it.
  std::array<Numbers, WinogradAxis::most_positions> left{};  ///< [position of the error][position]

  explicit AxisGains(const WinogradAxis& axis) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(axis.positions()); ++i) {
      WinogradAxis::Values unit{};
      unit[i] = 1.0F;
      const WinogradAxis::Values in = axis.transform_input(unit), out = axis.transform_output(unit);
      for (std::size_t p = 0; p < unit.size(); ++p) {
        sum[p] += in[p];
        squares[p] += static_cast<double>(in[p]) * in[p];
        outputs[p][i] = out[p];
      }
      for (const std::int64_t position : axis.rounding_order()) {
        const auto p = static_cast<std::size_t>(position);
        left[i][p] = p == i ? 1.0 : 0.0;
        for (const WinogradAxis::Carry& carry : axis.carries(position))
          left[i][p] -= carry.share * left[i][static_cast<std::size_t>(carry.from)];
      }
    }
  }
};

/// Winograd layers, filter by filter.
class WinogradNoise {
 public:
  WinogradNoise(const ConvSpec& spec, const WindowedWeights& weights, const WinogradAxis& down,
                const WinogradAxis& across)
      : spec_(spec),
        weights_(weights),
        down_(down),
        across_(across),
        input_(spec.nonnegative_input),
        rows_(down),
        columns_(across),
        rounding_(down, across, input_) {}

  [[nodiscard]] Power power() const {
    const std::int64_t channels = spec_.channels_per_group(), positions = down_.positions() * across_.positions();
    std::vector<float> filters(static_cast<std::size_t>(channels * 9)),
        transformed(static_cast<std::size_t>(channels * positions));
    Power power;
    for (std::int64_t channel = 0; channel < spec_.out_channels; channel += channel_step(spec_)) {
      double squares = 0.0;
      const Power stored = stored_weights(spec_, weights_, channel, input_, squares);
      power.signal += stored.signal;
      dequantize_filters(spec_, weights_, channel, filters);
      transform_filters(down_, across_, filters, transformed);
      double tile = 0.0;
      for (std::int64_t row = 0; row < down_.positions(); ++row)
        for (std::int64_t column = 0; column < across_.positions(); ++column)
          tile += weight_noise(row, column, transformed) + input_noise(row, column, transformed);
      power.noise += stored.noise + tile * rounding_variance / static_cast<double>(down_.outputs() * across_.outputs());
    }
    return power;
  }

 private:
  /// In all of a tile's outputs, from rounding the weights of a position, in units of rounding_variance; as below.
  [[nodiscard]] double weight_noise(std::int64_t row, std::int64_t column, const std::vector<float>& u) const {
    const std::int64_t channels = spec_.channels_per_group(), depth = spec_.window_channels();
    const auto position = static_cast<std::size_t>(row * across_.positions() + column);
    double noise = 0.0;
    for (std::int64_t first = 0; first < channels; first += depth) {
      const std::int64_t count = std::min(depth, channels - first);
      double largest = 0.0;
      for (std::int64_t c = first; c < first + count; ++c)
        largest =
            std::max(largest, std::abs(static_cast<double>(
                                  u[position * static_cast<std::size_t>(channels) + static_cast<std::size_t>(c)])));
      noise += static_cast<double>(count) * largest * largest;
    }
    return noise / (signed_range * signed_range) * rounding_.cost(position);
  }

  /// From rounding the inputs of a position, and what the others of its row do about it.
  [[nodiscard]] double input_noise(std::int64_t row, std::int64_t column, const std::vector<float>& u) const {
    const auto r = static_cast<std::size_t>(row), c = static_cast<std::size_t>(column);
    const double mean = rows_.sum[r] * columns_.sum[c] * input_.mean;
    const double variance = rows_.squares[r] * columns_.squares[c] * input_.variance;
    const double scale =
        (std::abs(mean) + expected_maximum(spec_.window_channels()) * std::sqrt(variance)) / signed_range;
    double down = 0.0;
    for (std::size_t y = 0; y < static_cast<std::size_t>(down_.outputs()); ++y)
      down += rows_.outputs[y][r] * rows_.outputs[y][r];
    const auto channels = static_cast<std::size_t>(spec_.channels_per_group());
    const auto width = static_cast<std::size_t>(across_.positions());
    double across = 0.0;
    for (std::size_t channel = 0; channel < channels; ++channel)
      for (std::size_t x = 0; x < static_cast<std::size_t>(across_.outputs()); ++x) {
        double reach = 0.0;
        for (std::size_t p = 0; p < width; ++p)
          reach += columns_.outputs[x][p] * columns_.left[c][p] *
                   static_cast<double>(u[(r * width + p) * channels + channel]);
        across += reach * reach;
      }
    return scale * scale * down * across;
  }

  const ConvSpec& spec_;
  const WindowedWeights& weights_;
  const WinogradAxis &down_, &across_;
  ExpectedInput input_;
  AxisGains rows_, columns_;
  WinogradRounding rounding_;
};

Power winograd_power(const ConvSpec& spec, const WindowedWeights& weights, std::int64_t tile_h, std::int64_t tile_w) {
  const WinogradAxis down(tile_h), across(tile_w);
  return WinogradNoise(spec, weights, down, across).power();
}

}  // namespace

double predicted_signal_to_noise(const ConvSpec& spec, const WindowedWeights& weights, WinogradLimit algorithm) {
  Power power;
  switch (algorithm) {
    case WinogradLimit::none:
      power = direct_power(spec, weights);
      break;
    case WinogradLimit::tiles2x2:
      power = winograd_power(spec, weights, 2, 2);
      break;
    case WinogradLimit::tiles2x4:
      power = winograd_power(spec, weights, 2, 4);
      break;
    case WinogradLimit::tiles4x4:
      power = winograd_power(spec, weights, 4, 4);
      break;
  }
  if (!(power.noise > 0.0)) return std::numeric_limits<double>::infinity();
  return 10.0 * std::log10(power.signal / power.noise);
}

WinogradLimit winograd_within(const ConvSpec& spec, const WindowedWeights& weights, WinogradLimit largest,
                              double budget_db) {
  if (!winograd_fits(spec)) return WinogradLimit::none;
  for (const WinogradLimit limit : {WinogradLimit::tiles4x4, WinogradLimit::tiles2x4, WinogradLimit::tiles2x2})
    if (limit <= largest && predicted_signal_to_noise(spec, weights, limit) >= budget_db) return limit;
  return WinogradLimit::none;
}

}  // namespace octavo::jit
