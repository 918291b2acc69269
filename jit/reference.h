// SPDX-License-Identifier: Apache-2.0
// The scalar reference: the numerics of a layer in plain loops. It is the specification that every emitter is tested
// against, and what runs on a machine without a supported ISA (Isa::reference).
//
// Numerics, for each tile and each window of each group (docs/jit.md):
//   m = max |x| over the window's pixels inside the image, as an integer maximum of (bits & 0x7fffffff)
//   m bits >= 0x7f800000 (NaN, Inf): scale = NaN, q = zero point;   m < 0x1p-118: scale = 0, q = zero point
//   input >= 0: scale = m / 255, q = clamp(rne(x * (255 / m)),    0, 255),       zero point 0
//   otherwise:  scale = m / 127, q = clamp(rne(x * (127 / m)), -127, 127) + 128, zero point 128
//   s32 = sum over taps and channels of (q - zero point) * q_w;    exact
//   y = 0; for each window in order: y = fma(float(s32) * w_scale, scale, y); then + bias, + residual, activation
// A window's pixels: the tile's field (jit/tile.h), or one pixel of it with Plan::scale_per_pixel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "jit/conv_spec.h"
#include "jit/layer.h"
#include "jit/plan.h"

namespace octavo::jit {

/// Weights as the reference walks them; a copy, so nothing of WindowedWeights has to outlive it.
struct ReferenceWeights {
  std::vector<std::int8_t> q;  ///< [out_channels][windows][kernel_h][kernel_w][window_channels], the tail window
                               ///< filled up with zeros
  std::vector<float> scales;   ///< [out_channels][windows]
  std::vector<float> bias;     ///< [out_channels], empty without
  std::vector<float> slopes;   ///< [out_channels], PReLU only
};
[[nodiscard]] ReferenceWeights make_reference_weights(const ConvSpec& spec, const WindowedWeights& weights);

/// Throws Error(invalid_argument) where the sizes of `weights` do not fit the spec or a weight is -128.
void check_weights(const ConvSpec& spec, const WindowedWeights& weights);

/// One tile's scratch, 64-byte aligned:
///   u8    q[groups][windows][field rows][field columns][window_channels]; dense over the tile's own (clipped) field
///   float scales[groups][windows][1, or field pixels with scale_per_pixel]; at reference_scales_offset()
[[nodiscard]] std::size_t reference_scratch_bytes(const ConvSpec& spec, const Plan& plan);
[[nodiscard]] std::size_t reference_scales_offset(const ConvSpec& spec, const Plan& plan);

/// Quantizes the field of a tile, all channels.
void reference_quantize_tile(const ConvSpec& spec, const Plan& plan, std::int64_t tile, const float* image,
                             std::byte* scratch) noexcept;

/// Writes the outputs of a tile, channels [first_channel, first_channel + channels). `dst` and `residual` (null
/// without) point to the image's first output pixel.
void reference_compute_tile(const ConvSpec& spec, const Plan& plan, const ReferenceWeights& weights, std::int64_t tile,
                            std::int64_t first_channel, std::int64_t channels, const std::byte* scratch,
                            const float* residual, float* dst) noexcept;

/// A whole image: all tiles, all channels. `dst` must not overlap `image`.
void reference_layer(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights, const float* image,
                     const float* residual, float* dst);

/// The exact integers behind that image: s32 [out_h * out_w][out_channels][windows].
[[nodiscard]] std::vector<std::int32_t> reference_products(const ConvSpec& spec, const Plan& plan,
                                                           const WindowedWeights& weights, const float* image);

/// The activation alone; `slope` for leaky_relu and prelu. NaN stays NaN.
[[nodiscard]] float reference_activation(ActivationKind kind, float value, float slope) noexcept;

}  // namespace octavo::jit
