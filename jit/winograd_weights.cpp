// SPDX-License-Identifier: Apache-2.0
#include "jit/winograd_weights.h"

#include <algorithm>
#include <cmath>

namespace octavo::jit {

namespace {

constexpr std::int64_t taps = WinogradAxis::taps;
constexpr float largest_weight = 127.0F;

/// A window's values to s8; returns the scale. A window of zeros, or too small for its inverse, has scale 0.
float quantize_window(std::span<const float> values, std::span<std::int8_t> q) {
  float max = 0.0F;
  for (const float value : values) max = std::max(max, std::abs(value));
  const float scale = max / largest_weight, inverse = largest_weight / max;
  if (!(max > 0.0F) || !std::isfinite(scale) || !std::isfinite(inverse)) {
    std::fill(q.begin(), q.end(), std::int8_t{0});
    return std::isfinite(max) ? 0.0F : max;
  }
  for (std::size_t i = 0; i < values.size(); ++i)
    q[i] = static_cast<std::int8_t>(std::clamp(std::nearbyintf(values[i] * inverse), -largest_weight, largest_weight));
  return scale;
}

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
  for (std::int64_t o = 0; o < spec.out_channels; ++o) {
    dequantize_filters(spec, weights, o, filters);
    transform_filters(down, across, filters, transformed);
    for (std::int64_t position = 0; position < result.positions; ++position) {
      const std::int64_t row = position * spec.out_channels + o;
      for (std::int64_t window = 0; window < windows; ++window) {
        const auto first = static_cast<std::size_t>(window * depth);
        const auto count = static_cast<std::size_t>(std::min(depth, channels - window * depth));
        const auto from = static_cast<std::size_t>(position * channels) + first;
        const auto to = static_cast<std::size_t>(row * channels) + first;
        result.scales[static_cast<std::size_t>(row * windows + window)] =
            quantize_window(std::span(transformed).subspan(from, count), std::span(result.q).subspan(to, count));
      }
    }
  }
  return result;
}

}  // namespace octavo::jit
