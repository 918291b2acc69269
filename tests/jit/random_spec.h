// SPDX-License-Identifier: Apache-2.0
// Specs drawn at random, small enough for the scalar reference: every combination of what a layer can be.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <vector>

#include "jit/conv_spec.h"

namespace octavo::jit::testing {

class RandomSpecs {
 public:
  RandomSpecs(unsigned seed, Isa isa) : random_(seed), isa_(isa) {}

  /// Multiplications of a spec stay below this, so that hundreds of them run in seconds.
  static constexpr std::int64_t most_products = 4'000'000;
  /// More could overflow s32, which a spec's validate() refuses.
  static constexpr std::int64_t most_products_of_window = 66'000;

  [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  template <class T>
  [[nodiscard]] T one_of(std::initializer_list<T> values) {
    return values.begin()[between(0, static_cast<std::int64_t>(values.size()) - 1)];
  }
  [[nodiscard]] bool chance(int percent) { return between(1, 100) <= percent; }

  /// A convolution of any kind, grouped ones and 1x1 included; now and then one too deep to be unrolled.
  [[nodiscard]] ConvSpec convolution() {
    for (;;) {
      ConvSpec spec = draw();
      if (chance(10)) spec = deep(spec);
      const std::int64_t products =
          spec.out_h * spec.out_w * spec.out_channels * spec.channels_per_group() * spec.kernel_h * spec.kernel_w;
      const std::int64_t products_of_window = spec.kernel_h * spec.kernel_w * spec.window_channels();
      if (products <= most_products && products_of_window <= most_products_of_window) return spec;
    }
  }

  /// The same, of one to four dense channels.
  [[nodiscard]] ConvSpec picture() {
    ConvSpec spec = convolution();
    spec.in_channels = between(1, 4);
    spec.out_channels /= spec.groups;
    spec.groups = 1;
    spec.src_pixel_stride = 0;
    if (spec.dst_pixel_stride != 0) spec.dst_pixel_stride = spec.out_channels + between(1, 20);
    spec.window.channels = one_of<std::int64_t>({0, 1, 2, 3, 64, 64});
    return spec;
  }

  /// A convolution with a group for each channel.
  [[nodiscard]] ConvSpec depthwise() {
    ConvSpec spec = convolution();
    const std::int64_t gap = spec.src_stride() - spec.in_channels;
    spec.groups = spec.in_channels = spec.out_channels = between(2, 300);
    if (spec.src_pixel_stride != 0) spec.src_pixel_stride = spec.in_channels + gap;
    if (spec.dst_pixel_stride != 0) spec.dst_pixel_stride = spec.out_channels + between(1, 20);
    return spec;
  }

 private:
  ConvSpec draw() {
    ConvSpec spec;
    spec.isa = isa_;
    spec.groups = chance(75) ? 1 : between(2, 6);
    spec.in_channels = spec.groups * channels();
    spec.out_channels = spec.groups * channels();
    spec.kernel_h = one_of<std::int64_t>({1, 1, 2, 3, 3, 3, 4, 5, 6, 7, 11});
    spec.kernel_w = chance(70) ? spec.kernel_h : one_of<std::int64_t>({1, 2, 3, 5, 7});
    spec.stride_h = one_of<std::int64_t>({1, 1, 1, 2, 3, 4});
    spec.stride_w = chance(70) ? spec.stride_h : one_of<std::int64_t>({1, 2, 3});
    spec.dilation_h = one_of<std::int64_t>({1, 1, 1, 2, 3});
    spec.dilation_w = chance(70) ? spec.dilation_h : one_of<std::int64_t>({1, 2});
    spec.pad_top = chance(50) ? between(0, spec.kernel_h) : 0;
    spec.pad_left = chance(50) ? spec.pad_top : between(0, spec.kernel_w);
    spec.out_h = between(1, 20);
    spec.out_w = between(1, 20);
    const auto extent = [&](std::int64_t out, std::int64_t stride, std::int64_t kernel, std::int64_t dilation,
                            std::int64_t near) {
      const std::int64_t far = chance(50) ? near : between(0, kernel);
      return std::max<std::int64_t>(1, (out - 1) * stride + (kernel - 1) * dilation + 1 - near - far);
    };
    spec.in_h = extent(spec.out_h, spec.stride_h, spec.kernel_h, spec.dilation_h, spec.pad_top);
    spec.in_w = extent(spec.out_w, spec.stride_w, spec.kernel_w, spec.dilation_w, spec.pad_left);
    if (chance(25)) spec.src_pixel_stride = spec.in_channels + between(1, 20);
    if (chance(25)) spec.dst_pixel_stride = spec.out_channels + between(1, 20);
    spec.window.channels = one_of<std::int64_t>({0, 16, 32, 64, 64, 128, 256});
    if (chance(30)) {
      spec.window.tile_h = between(1, 9);
      spec.window.tile_w = between(1, 9);
    }
    spec.nonnegative_input = chance(50);
    spec.epilogue.bias = chance(50);
    spec.epilogue.residual = chance(30);
    spec.epilogue.activation =
        one_of({ActivationKind::none, ActivationKind::relu, ActivationKind::relu6, ActivationKind::leaky_relu,
                ActivationKind::prelu, ActivationKind::sigmoid, ActivationKind::tanh});
    if (spec.epilogue.activation == ActivationKind::leaky_relu) spec.epilogue.slope = 0.1F;
    return spec;
  }
  /// Many channels in one window, few outputs.
  ConvSpec deep(ConvSpec spec) {
    spec.groups = 1;
    spec.in_channels = between(257, 1200);
    spec.out_channels = between(1, 40);
    spec.window.channels = chance(70) ? 0 : 256;
    if (spec.src_pixel_stride != 0) spec.src_pixel_stride = spec.in_channels + 5;
    if (spec.dst_pixel_stride != 0) spec.dst_pixel_stride = spec.out_channels + 5;
    // Outputs at the near corner only; the far padding that this implies is negative, so input is left over.
    spec.out_h = std::min<std::int64_t>(spec.out_h, 3);
    spec.out_w = std::min<std::int64_t>(spec.out_w, 3);
    return spec;
  }
  std::int64_t channels() {
    return chance(40) ? one_of<std::int64_t>({1, 3, 4, 16, 32, 64, 128}) : between(1, chance(20) ? 200 : 70);
  }

  std::mt19937 random_;
  Isa isa_;
};

}  // namespace octavo::jit::testing
