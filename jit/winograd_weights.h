// SPDX-License-Identifier: Apache-2.0
// Weights of a 3x3 layer in the Winograd domain, quantized anew: U = G g G^T for every filter, then s8 with a scale for
// each position, output channel and window of input channels, the positions of a filter rounded so that their errors
// undo each other (jit/winograd_rounding.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "jit/conv_spec.h"
#include "jit/layer.h"
#include "jit/winograd_axis.h"

namespace octavo::jit {

struct WinogradWeights {
  std::int64_t positions = 0;
  std::vector<std::int8_t> q;  ///< [position][out_channels][in_channels / groups]
  std::vector<float> scales;   ///< [position][out_channels][windows()]

  /// What a position's 1x1 layer is packed from.
  [[nodiscard]] WindowedWeights position(std::int64_t index) const;
};

/// One output channel's filters, fp32, in the Winograd domain: to[position * channels + c]. `filters` is
/// [channels][3][3].
void transform_filters(const WinogradAxis& down, const WinogradAxis& across, std::span<const float> filters,
                       std::span<float> to);

/// The output channel's filters as real numbers, [channels][3][3].
void dequantize_filters(const ConvSpec& spec, const WindowedWeights& weights, std::int64_t out_channel,
                        std::span<float> to);

/// For weights that passed check_weights() (jit/reference.h).
[[nodiscard]] WinogradWeights transform_weights(const ConvSpec& spec, const WinogradAxis& down,
                                                const WinogradAxis& across, const WindowedWeights& weights);

}  // namespace octavo::jit
