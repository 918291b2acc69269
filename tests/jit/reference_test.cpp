// SPDX-License-Identifier: Apache-2.0
// The reference is the specification of every emitter, so it is itself checked against something else: real arithmetic
// in double precision, and small cases worked out by hand.
#include "jit/reference.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "jit/tile.h"
#include "octavo/error.h"
#include "tests/jit/layer_case.h"

namespace octavo::jit {
namespace {

using testing::LayerCase;
using testing::SquareConv;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

Plan tiles_of(std::int64_t h, std::int64_t w, bool scale_per_pixel = false) {
  Plan plan;
  plan.tile_h = h;
  plan.tile_w = w;
  plan.scale_per_pixel = scale_per_pixel;
  return plan;
}

/// The layer in double precision on real numbers: no windows, no tiles, no quantization of the image.
std::vector<double> exact_layer(const LayerCase& c) {
  const ConvSpec& s = c.spec;
  const std::int64_t per_group = s.channels_per_group(), outs = s.out_channels / s.groups;
  std::vector<double> out(c.output_size());
  for (std::int64_t oy = 0; oy < s.out_h; ++oy) {
    for (std::int64_t ox = 0; ox < s.out_w; ++ox) {
      for (std::int64_t o = 0; o < s.out_channels; ++o) {
        const std::int64_t at = (oy * s.out_w + ox) * s.dst_stride() + o;
        double y = s.epilogue.bias ? c.bias[o] : 0.0;
        if (s.epilogue.residual) y += c.residual[at];
        for (std::int64_t i = 0; i < per_group; ++i) {
          const double w_scale = c.scales[o * s.windows() + i / s.window_channels()];
          for (std::int64_t ky = 0; ky < s.kernel_h; ++ky) {
            for (std::int64_t kx = 0; kx < s.kernel_w; ++kx) {
              const std::int64_t iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
              const std::int64_t ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
              if (iy < 0 || iy >= s.in_h || ix < 0 || ix >= s.in_w) continue;
              const double x = c.image[(iy * s.in_w + ix) * s.src_stride() + o / outs * per_group + i];
              y += x * w_scale * c.q[((o * per_group + i) * s.kernel_h + ky) * s.kernel_w + kx];
            }
          }
        }
        out[at] = reference_activation(s.epilogue.activation, static_cast<float>(y),
                                       c.slopes.empty() ? s.epilogue.slope : c.slopes[o]);
      }
    }
  }
  return out;
}

double signal_to_noise_db(const std::vector<double>& exact, const std::vector<float>& got) {
  double signal = 0, noise = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    signal += exact[i] * exact[i];
    noise += (exact[i] - got[i]) * (exact[i] - got[i]);
  }
  return 10 * std::log10(signal / noise);
}

TEST(Reference, AgreesWithRealArithmeticOverShapes) {
  std::vector<ConvSpec> specs = {
      SquareConv{.in_channels = 19, .out_channels = 5, .size = 9, .kernel = 3, .pad = 1}.spec(),
      SquareConv{.in_channels = 40, .out_channels = 7, .size = 11, .kernel = 5, .stride = 2, .pad = 2}.spec(),
      SquareConv{.in_channels = 12, .out_channels = 6, .size = 10, .kernel = 3, .pad = 2, .dilation = 2, .groups = 3}
          .spec(),
      SquareConv{.in_channels = 8, .out_channels = 8, .size = 12, .kernel = 3, .stride = 2, .pad = 1, .groups = 8}
          .spec(),
      SquareConv{.in_channels = 33, .out_channels = 17, .size = 7, .stride = 2}.spec(),
      SquareConv{.in_channels = 70, .out_channels = 9, .size = 1}.spec(),
  };
  unsigned seed = 1;
  for (ConvSpec spec : specs) {
    for (const bool nonnegative : {false, true}) {
      for (const ActivationKind activation :
           {ActivationKind::none, ActivationKind::leaky_relu, ActivationKind::prelu, ActivationKind::tanh}) {
        spec.nonnegative_input = nonnegative;
        spec.window.channels = 16;
        spec.epilogue = {.bias = true, .residual = nonnegative, .activation = activation, .slope = 0.25F};
        spec.src_pixel_stride = spec.in_channels + 3;
        spec.dst_pixel_stride = spec.out_channels + 2;
        const LayerCase c(spec, seed++);
        std::vector<float> out(c.output_size());
        reference_layer(spec, tiles_of(3, 4), c.weights(), c.image.data(), c.residual_data(), out.data());
        // Uniform noise of 8 bits on normal data: about 40 dB. A wrong tap, channel or padding leaves under 10.
        EXPECT_GT(signal_to_noise_db(exact_layer(c), out), 36.0) << spec.name();
      }
    }
  }
}

TEST(Reference, AWindowOfOnePixelIsAsExactAsOneOfATile) {
  ConvSpec spec = SquareConv{.in_channels = 32, .out_channels = 8, .size = 6}.spec();
  const LayerCase c(spec, 3);
  std::vector<float> out(c.output_size());
  reference_layer(spec, tiles_of(2, 3, true), c.weights(), c.image.data(), nullptr, out.data());
  EXPECT_GT(signal_to_noise_db(exact_layer(c), out), 38.0);
}

TEST(Reference, ProductsTimesScalesAreTheOutput) {
  ConvSpec spec = SquareConv{.in_channels = 24, .out_channels = 4, .size = 5, .kernel = 3, .pad = 1}.spec();
  spec.window.channels = 16;
  const LayerCase c(spec, 4);
  const Plan plan = tiles_of(5, 5);
  const auto products = reference_products(spec, plan, c.weights(), c.image.data());
  std::vector<std::byte> scratch(reference_scratch_bytes(spec, plan));
  reference_quantize_tile(spec, plan, 0, c.image.data(), scratch.data());
  const auto* x_scales = reinterpret_cast<const float*>(scratch.data() + reference_scales_offset(spec, plan));
  std::vector<float> out(c.output_size());
  reference_layer(spec, plan, c.weights(), c.image.data(), nullptr, out.data());
  for (std::int64_t p = 0; p < 25; ++p) {
    for (std::int64_t o = 0; o < 4; ++o) {
      const std::int64_t at = p * 4 + o;
      float y = std::fma(static_cast<float>(products[at * 2]) * c.scales[o * 2], x_scales[0], 0.0F);
      y = std::fma(static_cast<float>(products[at * 2 + 1]) * c.scales[o * 2 + 1], x_scales[1], y);
      EXPECT_EQ(out[at], y);
    }
  }
}

/// One pixel, one window, weight 1 and scale 1 on the diagonal: the output is the quantized input.
std::vector<float> quantized(const std::vector<float>& image, bool nonnegative) {
  ConvSpec spec;
  spec.in_channels = spec.out_channels = static_cast<std::int64_t>(image.size());
  spec.window.channels = 0;
  spec.nonnegative_input = nonnegative;
  std::vector<std::int8_t> q(image.size() * image.size());
  for (std::size_t i = 0; i < image.size(); ++i) q[i * image.size() + i] = 1;
  const std::vector<float> scales(image.size(), 1.0F);
  std::vector<float> out(image.size());
  reference_layer(spec, Plan{}, {q, scales, {}, {}}, image.data(), nullptr, out.data());
  return out;
}

TEST(Reference, RoundsHalfToEven) {
  EXPECT_EQ(quantized({127, 0.5F, 1.5F, -2.5F, -3.5F}, false), (std::vector<float>{127, 0, 2, -2, -4}));
  EXPECT_EQ(quantized({255, 0.5F, 1.5F, 2.5F}, true), (std::vector<float>{255, 0, 2, 2}));
}

TEST(Reference, AWindowOfZerosIsZero) { EXPECT_EQ(quantized({0, -0.0F, 0}, false), (std::vector<float>{0, 0, 0})); }

TEST(Reference, AMaximumBelowTheSmallestScaleCountsAsZero) {
  EXPECT_EQ(quantized({0x1p-119F, 1e-45F}, false), (std::vector<float>{0, 0}));
  EXPECT_EQ(quantized({0x1p-118F, 0}, false), (std::vector<float>{0x1p-118F, 0}));
}

TEST(Reference, NanOrInfinityMakesEveryOutputOfItsWindowNan) {
  for (const float hostile : {nan, -nan, infinity, -infinity}) {
    for (const bool nonnegative : {false, true}) {
      for (const float y : quantized({1, hostile, 3}, nonnegative)) EXPECT_TRUE(std::isnan(y));
    }
  }
}

TEST(Reference, NanStaysInItsTile) {
  ConvSpec spec = SquareConv{.in_channels = 4, .out_channels = 2, .size = 8}.spec();
  LayerCase c(spec, 5);
  c.image[0] = nan;
  std::vector<float> out(c.output_size());
  reference_layer(spec, tiles_of(4, 4), c.weights(), c.image.data(), nullptr, out.data());
  for (std::int64_t p = 0; p < 64; ++p) EXPECT_EQ(std::isnan(out[p * 2]), p / 8 < 4 && p % 8 < 4) << p;
}

TEST(Reference, TheLargestSumsAreExact) {
  for (const bool nonnegative : {false, true}) {
    ConvSpec spec;
    spec.in_channels = 66311;
    spec.out_channels = 2;
    spec.window.channels = 0;
    spec.nonnegative_input = nonnegative;
    std::vector<std::int8_t> q(static_cast<std::size_t>(2 * spec.in_channels), 127);
    std::fill(q.begin(), q.begin() + spec.in_channels, std::int8_t{-127});
    const std::vector<float> scales = {1, 1}, image(static_cast<std::size_t>(spec.in_channels), 7.5F);
    const auto products = reference_products(spec, Plan{}, {q, scales, {}, {}}, image.data());
    EXPECT_EQ(products[0], -127LL * (nonnegative ? 255 : 127) * 66311);
    EXPECT_EQ(products[1], 127LL * (nonnegative ? 255 : 127) * 66311);
  }
}

TEST(Reference, ActivationsKeepNan) {
  for (const auto kind : {ActivationKind::none, ActivationKind::relu, ActivationKind::relu6, ActivationKind::leaky_relu,
                          ActivationKind::prelu, ActivationKind::sigmoid, ActivationKind::tanh}) {
    EXPECT_TRUE(std::isnan(reference_activation(kind, nan, 0.1F)));
  }
}

TEST(Reference, WeightsThatDoNotFitTheSpecAreRejected) {
  ConvSpec spec = SquareConv{.in_channels = 4, .out_channels = 2, .size = 3}.spec();
  LayerCase c(spec, 6);
  auto short_q = c.weights();
  short_q.q = short_q.q.first(7);
  EXPECT_THROW(check_weights(spec, short_q), Error);
  auto extra_bias = c.weights();
  const std::array<float, 2> bias{};
  extra_bias.bias = bias;
  EXPECT_THROW(check_weights(spec, extra_bias), Error);
  c.q[3] = -128;
  EXPECT_THROW(check_weights(spec, c.weights()), Error);
}

}  // namespace
}  // namespace octavo::jit
