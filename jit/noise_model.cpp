// SPDX-License-Identifier: Apache-2.0
#include "jit/noise_model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "jit/winograd_axis.h"
#include "jit/winograd_layout.h"
#include "jit/winograd_weights.h"

namespace octavo::jit {

namespace {

constexpr std::int64_t most_channels_looked_at = 32;
constexpr double rounding_variance = 1.0 / 12.0;  ///< of a number rounded to integers
constexpr double byte_range = 255.0, signed_range = 127.0;

/// What the model takes the inputs for.
struct InputModel {
  double mean, variance, nonzero;  ///< nonzero: the share of numbers that are not exactly zero

  explicit InputModel(bool nonnegative)
      // Of max(0, x) with x normal: 1 / sqrt(2 pi), and 1/2 less that squared.
      : mean(nonnegative ? 0.398942280401 : 0.0),
        variance(nonnegative ? 0.5 - mean * mean : 1.0),
        nonzero(nonnegative ? 0.5 : 1.0) {}
  [[nodiscard]] double power() const { return variance + mean * mean; }
};

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
                     const InputModel& input, double& squares) {
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
  const InputModel input(spec.nonnegative_input);
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

/// One axis of the transforms: for each position, the sum and the sum of squares of its input coefficients, and the
/// squares of its output coefficients.
struct AxisGains {
  std::array<double, WinogradAxis::most_positions> sum{}, squares{};
  std::array<std::array<double, WinogradAxis::most_positions>, WinogradAxis::most_positions> output_squares{};

  explicit AxisGains(const WinogradAxis& axis) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(axis.positions()); ++i) {
      WinogradAxis::Values unit{};
      unit[i] = 1.0F;
      const WinogradAxis::Values in = axis.transform_input(unit), out = axis.transform_output(unit);
      for (std::size_t p = 0; p < unit.size(); ++p) {
        sum[p] += in[p];
        squares[p] += static_cast<double>(in[p]) * in[p];
        output_squares[p][i] = static_cast<double>(out[p]) * out[p];  // [output][position]
      }
    }
  }
};

Power winograd_power(const ConvSpec& spec, const WindowedWeights& weights, const WinogradAxis& down,
                     const WinogradAxis& across) {
  const InputModel input(spec.nonnegative_input);
  const AxisGains rows(down), columns(across);
  const std::int64_t channels = spec.channels_per_group(), depth = spec.window_channels();
  const double outputs = static_cast<double>(down.outputs() * across.outputs());
  std::vector<float> filters(static_cast<std::size_t>(channels * 9)),
      transformed(static_cast<std::size_t>(channels * down.positions() * across.positions()));
  Power power;
  for (std::int64_t channel = 0; channel < spec.out_channels; channel += channel_step(spec)) {
    double squares = 0.0;
    const Power stored = stored_weights(spec, weights, channel, input, squares);
    power.signal += stored.signal;
    power.noise += stored.noise;
    dequantize_filters(spec, weights, channel, filters);
    transform_filters(down, across, filters, transformed);
    for (std::int64_t position = 0; position < down.positions() * across.positions(); ++position) {
      const auto row = static_cast<std::size_t>(position / across.positions());
      const auto column = static_cast<std::size_t>(position % across.positions());
      const double mean = rows.sum[row] * columns.sum[column] * input.mean;
      const double variance = rows.squares[row] * columns.squares[column] * input.variance;
      const double input_scale = (std::abs(mean) + expected_maximum(depth) * std::sqrt(variance)) / signed_range;
      double noise = 0.0;
      for (std::int64_t first = 0; first < channels; first += depth) {
        const std::int64_t count = std::min(depth, channels - first);
        const float* u = &transformed[static_cast<std::size_t>(position * channels + first)];
        double largest = 0.0, u_squares = 0.0;
        for (std::int64_t c = 0; c < count; ++c) {
          largest = std::max(largest, std::abs(static_cast<double>(u[c])));
          u_squares += static_cast<double>(u[c]) * u[c];
        }
        const double weight_scale = largest / signed_range;
        noise +=
            rounding_variance * (u_squares * input_scale * input_scale +
                                 static_cast<double>(count) * weight_scale * weight_scale * (variance + mean * mean));
      }
      double reach = 0.0;  // mean over the tile's outputs
      for (std::size_t i = 0; i < static_cast<std::size_t>(down.outputs()); ++i)
        for (std::size_t j = 0; j < static_cast<std::size_t>(across.outputs()); ++j)
          reach += rows.output_squares[i][row] * columns.output_squares[j][column];
      power.noise += noise * reach / outputs;
    }
  }
  return power;
}

}  // namespace

double predicted_signal_to_noise(const ConvSpec& spec, const WindowedWeights& weights, WinogradLimit algorithm) {
  Power power;
  switch (algorithm) {
    case WinogradLimit::none:
      power = direct_power(spec, weights);
      break;
    case WinogradLimit::tiles2x2:
      power = winograd_power(spec, weights, WinogradAxis(2), WinogradAxis(2));
      break;
    case WinogradLimit::tiles2x4:
      power = winograd_power(spec, weights, WinogradAxis(2), WinogradAxis(4));
      break;
    case WinogradLimit::tiles4x4:
      power = winograd_power(spec, weights, WinogradAxis(4), WinogradAxis(4));
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
