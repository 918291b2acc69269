// SPDX-License-Identifier: Apache-2.0
// A spec with data for it: what a test of a layer needs, generated from a seed.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "jit/conv_spec.h"
#include "jit/layer.h"

namespace octavo::jit::testing {

/// A spec of equal sides, with the output's size that the usual formula gives.
struct SquareConv {
  std::int64_t in_channels, out_channels, size;
  std::int64_t kernel = 1, stride = 1, pad = 0, dilation = 1, groups = 1;

  [[nodiscard]] ConvSpec spec() const {
    ConvSpec spec;
    spec.in_channels = in_channels;
    spec.out_channels = out_channels;
    spec.groups = groups;
    spec.in_h = spec.in_w = size;
    spec.kernel_h = spec.kernel_w = kernel;
    spec.stride_h = spec.stride_w = stride;
    spec.dilation_h = spec.dilation_w = dilation;
    spec.pad_top = spec.pad_left = pad;
    spec.out_h = spec.out_w = (size + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1;
    return spec;
  }
};

/// Weights, image and residual of a spec. Image: normally distributed, not negative where the spec says so.
struct LayerCase {
  ConvSpec spec;
  std::vector<std::int8_t> q;
  std::vector<float> scales, bias, slopes;
  std::vector<float> image, residual;

  LayerCase(const ConvSpec& of, unsigned seed) : spec(of) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::uniform_int_distribution<int> weight(-127, 127);
    std::uniform_real_distribution<float> scale(0.5e-3F, 2e-3F);
    q.resize(static_cast<std::size_t>(spec.out_channels * spec.channels_per_group() * spec.kernel_h * spec.kernel_w));
    for (auto& value : q) value = static_cast<std::int8_t>(weight(random));
    scales.resize(static_cast<std::size_t>(spec.out_channels * spec.windows()));
    for (auto& value : scales) value = scale(random);
    if (spec.epilogue.bias) bias.resize(static_cast<std::size_t>(spec.out_channels));
    for (auto& value : bias) value = normal(random);
    if (spec.epilogue.activation == ActivationKind::prelu) slopes.resize(static_cast<std::size_t>(spec.out_channels));
    for (auto& value : slopes) value = 0.1F * normal(random);
    image.resize(image_size());
    for (auto& value : image) value = spec.nonnegative_input ? std::max(0.0F, normal(random)) : normal(random);
    if (spec.epilogue.residual) residual.resize(output_size());
    for (auto& value : residual) value = normal(random);
  }

  [[nodiscard]] WindowedWeights weights() const { return {q, scales, bias, slopes}; }
  [[nodiscard]] const float* residual_data() const { return residual.empty() ? nullptr : residual.data(); }
  /// Floats from the first to the last that a layer may touch: the last pixel has no gap behind it.
  [[nodiscard]] std::size_t image_size() const {
    return static_cast<std::size_t>((spec.in_h * spec.in_w - 1) * spec.src_stride() + spec.in_channels);
  }
  [[nodiscard]] std::size_t output_size() const {
    return static_cast<std::size_t>((spec.dst_h() * spec.dst_w() - 1) * spec.dst_stride() + spec.out_channels);
  }
};

}  // namespace octavo::jit::testing
