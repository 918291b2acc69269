// SPDX-License-Identifier: Apache-2.0
// The immutable description of one windowed integer layer: convolution, 1x1 convolution, Linear or depthwise
// convolution.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "octavo/isa.h"

namespace octavo::jit {

/// What follows in registers before the store, in this order: + bias, + residual, activation, pooling.
enum class ActivationKind { none, relu, relu6, leaky_relu, prelu, sigmoid, tanh };

struct Epilogue {
  bool bias = false;
  bool residual = false;  ///< adds a tensor of the output's shape, same strides as the output
  ActivationKind activation = ActivationKind::none;
  float slope = 0.0F;  ///< leaky_relu only; prelu takes a slope for each output channel at run time
  /// Stores only the largest of each 2x2 outputs, NaN where one of them is: Winograd layers without a residual, of an
  /// even number of output rows and columns.
  bool max_pool = false;

  bool operator==(const Epilogue&) const = default;
  /// Part of kernel names: "", "_bias_relu_pool", "_bias_residual_leaky0p1".
  [[nodiscard]] std::string name() const;
};

/// The set of numbers that share one scale.
struct QuantizationWindow {
  std::int64_t channels = 64;  ///< W consecutive input channels of a group; 0: all of them
  std::int64_t tile_h = 0;     ///< output rows whose receptive field is one window; 0: the plan chooses
  std::int64_t tile_w = 0;     ///< output columns, likewise

  bool operator==(const QuantizationWindow&) const = default;
};

/// The largest Winograd tile (outputs) that a layer's error budget allows, in order of speed and of noise. A layer that
/// may use a tile may use those before it, and no Winograd at all.
enum class WinogradLimit { none, tiles2x2, tiles2x4, tiles4x4 };
/// "none", "2x2", "2x4", "4x4"
[[nodiscard]] std::string_view winograd_limit_name(WinogradLimit limit);

/// One layer, one image (a Linear or a flattened 1x1 convolution: in_h = 1, in_w = all rows of the batch).
/// Sizes are in elements; activations are fp32, dense NHWC but for the pixel strides.
struct ConvSpec {
  std::int64_t in_channels = 0, out_channels = 0, groups = 1;
  std::int64_t in_h = 1, in_w = 1, out_h = 1, out_w = 1;  ///< out: before pooling
  std::int64_t kernel_h = 1, kernel_w = 1;
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t dilation_h = 1, dilation_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;  ///< bottom and right follow from the output's size
  std::int64_t src_pixel_stride = 0;       ///< floats from a pixel to the next; 0: in_channels
  std::int64_t dst_pixel_stride = 0;       ///< likewise of the output (and residual); 0: out_channels
  QuantizationWindow window;
  WinogradLimit winograd = WinogradLimit::none;  ///< 3x3 layers of stride 1; others ignore it
  bool nonnegative_input = false;                ///< proven >= 0: u8 with zero point 0; otherwise zero point 128
  Epilogue epilogue;
  Isa isa = Isa::reference;

  bool operator==(const ConvSpec&) const = default;
  /// The identity in words, e.g. "conv3x3_s1_p1_ic64_oc64_56x56_w64_u8_relu_avx512vnni": letters, digits and
  /// underscores, so that debuggers take it for a symbol. Equal names mean equal layers. Used everywhere a kernel is
  /// named.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] bool depthwise() const { return groups == in_channels && groups == out_channels && groups > 1; }
  [[nodiscard]] bool pointwise() const {
    return kernel_h == 1 && kernel_w == 1 && stride_h == 1 && stride_w == 1 && pad_top == 0 && pad_left == 0 &&
           in_h == out_h && in_w == out_w;
  }
  [[nodiscard]] std::int64_t channels_per_group() const { return in_channels / groups; }
  /// The pixel strides with 0 resolved.
  [[nodiscard]] std::int64_t src_stride() const { return src_pixel_stride != 0 ? src_pixel_stride : in_channels; }
  [[nodiscard]] std::int64_t dst_stride() const { return dst_pixel_stride != 0 ? dst_pixel_stride : out_channels; }
  /// Rows and columns of what is stored: half of the outputs with pooling.
  [[nodiscard]] std::int64_t dst_h() const { return epilogue.max_pool ? out_h / 2 : out_h; }
  [[nodiscard]] std::int64_t dst_w() const { return epilogue.max_pool ? out_w / 2 : out_w; }
  [[nodiscard]] std::int32_t zero_point() const { return nonnegative_input ? 0 : 128; }
  /// Input channels of one window, and the number of windows, within a group.
  [[nodiscard]] std::int64_t window_channels() const;
  [[nodiscard]] std::int64_t windows() const;
  /// Throws Error(invalid_argument) that says which field is out of range and why. Every other entry point of jit
  /// assumes a valid spec.
  void validate() const;
};

}  // namespace octavo::jit
