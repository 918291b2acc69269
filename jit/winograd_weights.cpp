// SPDX-License-Identifier: Apache-2.0
#include "jit/winograd_weights.h"

#include <algorithm>
#include <cmath>

#include "jit/winograd_rounding.h"

namespace octavo::jit {

namespace {

constexpr std::int64_t taps = WinogradAxis::taps;
constexpr float largest_weight = 127.0F;

/// A window's scale: its largest number to 127. A window of zeros, or too small for its inverse, has scale 0; one with
/// a number that is not finite has that.
float window_scale(std::span<const float> values) {
  float max = 0.0F;
  for (const float value : values)
    if (!(std::abs(value) <= max)) max = std::abs(value);  // a NaN stays
  if (!std::isfinite(max)) return max;
  const float inverse = largest_weight / max;
  return std::isfinite(inverse) ? max / largest_weight : 0.0F;
}

/// To multiples of `scale`; `wanted` is left holding q * scale - exact. Windows that cannot be rounded become zeros and
/// ask nothing of others.
void round_window(float scale, std::span<const float> exact, std::span<float> wanted, std::span<std::int8_t> q) {
  if (scale == 0.0F || !std::isfinite(scale)) {
    std::fill(q.begin(), q.end(), std::int8_t{0});
    std::fill(wanted.begin(), wanted.end(), 0.0F);
    return;
  }
  const float inverse = 1.0F / scale;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const float rounded = std::clamp(std::nearbyintf(wanted[i] * inverse), -largest_weight, largest_weight);
    q[i] = static_cast<std::int8_t>(rounded);
    wanted[i] = rounded * scale - exact[i];
  }
}

/// One output channel: where its transformed filters, [position][channels], go.
struct RoundedChannel {
  std::int64_t channels, depth;  ///< of the layer, of a window
  const WinogradRounding& rounding;
  std::span<const float> exact;
  std::span<float> errors;  ///< room for as many numbers as `exact`

  /// `q_of(position)`: channels numbers; `scales_of(position)`: one for each window.
  void round(const auto& q_of, const auto& scales_of) const {
    const auto row = static_cast<std::size_t>(channels);
    const std::vector<std::size_t>& order = rounding.order();
    std::copy(exact.begin(), exact.end(), errors.begin());
    for (std::size_t place = 0; place < order.size(); ++place) {
      const std::span<float> wanted = errors.subspan(order[place] * row, row);
      for (std::size_t earlier = 0; earlier < place; ++earlier) {
        const float* error = &errors[order[earlier] * row];
        const float share = rounding.feedback(earlier, place);
        for (std::size_t c = 0; c < row; ++c) wanted[c] -= share * error[c];
      }
      const std::span<const float> values = exact.subspan(order[place] * row, row);
      const std::span<std::int8_t> q = q_of(order[place]);
      const std::span<float> scales = scales_of(order[place]);
      for (std::size_t window = 0; window < scales.size(); ++window) {
        const std::size_t first = window * static_cast<std::size_t>(depth);
        const std::size_t count = std::min(static_cast<std::size_t>(depth), row - first);
        scales[window] = window_scale(values.subspan(first, count));
        round_window(scales[window], values.subspan(first, count), wanted.subspan(first, count),
                     q.subspan(first, count));
      }
    }
  }
};

}  // namespace

WindowedWeights WinogradWeights::position(std::int64_t index) const {
  const auto part = [&](const auto& all) {
    const std::size_t size = all.size() / static_cast<std::size_t>(positions);
    return std::span(all).subspan(static_cast<std::size_t>(index) * size, size);
  };
  return {part(q), part(scales), {}, {}};
}

void transform_filters(const WinogradAxis& down, const WinogradAxis& across, std::span<const float> filters,
                       std::span<float> to) {
  const std::size_t channels = filters.size() / static_cast<std::size_t>(taps * taps);
  for (std::size_t c = 0; c < channels; ++c) {
    const float* g = &filters[c * static_cast<std::size_t>(taps * taps)];
    std::array<WinogradAxis::Values, taps> columns{};  // G g, column by column
    for (std::size_t x = 0; x < taps; ++x) columns[x] = down.transform_weights({g[x], g[3 + x], g[6 + x]});
    for (std::int64_t i = 0; i < down.positions(); ++i) {
      const auto row = static_cast<std::size_t>(i);
      const WinogradAxis::Values u = across.transform_weights({columns[0][row], columns[1][row], columns[2][row]});
      for (std::int64_t j = 0; j < across.positions(); ++j)
        to[static_cast<std::size_t>(i * across.positions() + j) * channels + c] = u[static_cast<std::size_t>(j)];
    }
  }
}

void dequantize_filters(const ConvSpec& spec, const WindowedWeights& weights, std::int64_t out_channel,
                        std::span<float> to) {
  const std::int64_t channels = spec.channels_per_group(), filter = channels * taps * taps;
  const std::int8_t* q = weights.q.data() + out_channel * filter;
  const float* scales = weights.scales.data() + out_channel * spec.windows();
  for (std::int64_t i = 0; i < filter; ++i)
    to[static_cast<std::size_t>(i)] = static_cast<float>(q[i]) * scales[i / (taps * taps) / spec.window_channels()];
}

WinogradWeights transform_weights(const ConvSpec& spec, const WinogradAxis& down, const WinogradAxis& across,
                                  const WindowedWeights& weights) {
  const std::int64_t channels = spec.channels_per_group(), windows = spec.windows(), depth = spec.window_channels();
  WinogradWeights result;
  result.positions = down.positions() * across.positions();
  result.q.resize(static_cast<std::size_t>(result.positions * spec.out_channels * channels));
  result.scales.resize(static_cast<std::size_t>(result.positions * spec.out_channels * windows));
  std::vector<float> filters(static_cast<std::size_t>(channels * taps * taps));
  std::vector<float> transformed(static_cast<std::size_t>(channels * result.positions));
  std::vector<float> errors(transformed.size());
  const WinogradRounding rounding(down, across, ExpectedInput(spec.nonnegative_input));
  for (std::int64_t o = 0; o < spec.out_channels; ++o) {
    dequantize_filters(spec, weights, o, filters);
    transform_filters(down, across, filters, transformed);
    const auto row_of = [&](std::size_t position) {
      return position * static_cast<std::size_t>(spec.out_channels) + static_cast<std::size_t>(o);
    };
    const auto part = [&](auto& all, std::size_t position, std::int64_t size) {
      return std::span(all).subspan(row_of(position) * static_cast<std::size_t>(size), static_cast<std::size_t>(size));
    };
    RoundedChannel{channels, depth, rounding, transformed, errors}.round(
        [&](std::size_t position) { return part(result.q, position, channels); },
        [&](std::size_t position) { return part(result.scales, position, windows); });
  }
  return result;
}

}  // namespace octavo::jit
