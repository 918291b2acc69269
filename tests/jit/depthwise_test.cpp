// SPDX-License-Identifier: Apache-2.0
// Depthwise layers by machine code, through Layer, against the scalar reference. Images, outputs and scratch end at
// guard pages.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "jit/depthwise_layout.h"
#include "jit/kernel_cache.h"
#include "jit/layer.h"
#include "jit/reference.h"
#include "octavo/error.h"
#include "octavo/isa.h"
#include "tests/jit/guarded_buffer.h"
#include "tests/jit/layer_case.h"
#include "tests/jit/random_spec.h"

namespace octavo::jit {
namespace {

using testing::Guard;
using testing::GuardedBuffer;
using testing::LayerCase;
using testing::RandomSpecs;
using testing::SquareConv;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float untouched = 12345.0F;

class Depthwise : public ::testing::Test {
 protected:
  void SetUp() override {
    if (isa_list().back() == Isa::reference) GTEST_SKIP() << "this machine runs no machine code of octavo";
  }
};

ConvSpec depthwise(std::int64_t channels, std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t pad,
                   std::int64_t dilation = 1) {
  ConvSpec spec = SquareConv{.in_channels = channels,
                             .out_channels = channels,
                             .size = size,
                             .kernel = kernel,
                             .stride = stride,
                             .pad = pad,
                             .dilation = dilation,
                             .groups = channels}
                      .spec();
  spec.isa = isa_list().back();
  return spec;
}

Plan plan_of(std::int64_t tile_h, std::int64_t tile_w, std::int64_t step, std::int64_t rows = 4,
             std::int64_t column_vectors = 1) {
  Plan plan;
  plan.tile_h = tile_h;
  plan.tile_w = tile_w;
  plan.group_step = step;
  plan.rows = rows;
  plan.column_vectors = column_vectors;
  return plan;
}

/// Equal, or both NaN.
bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// Runs the case and compares every output; elements between pixels must stay untouched.
void expect_equals_reference(const LayerCase& c, const Plan& plan, float tolerance = 0.0F,
                             Guard guard = Guard::behind) {
  SCOPED_TRACE(c.spec.name() + " " + plan.name() + " step " + std::to_string(plan.group_step));
  KernelCache cache;
  const Layer layer(c.spec, plan, c.weights(), cache);
  GuardedBuffer<float> image(c.image.size(), guard), output(c.output_size(), guard);
  std::copy(c.image.begin(), c.image.end(), image.data());
  std::fill_n(output.data(), output.size(), untouched);
  GuardedBuffer<float> residual(c.residual.size(), guard);
  std::copy(c.residual.begin(), c.residual.end(), residual.data());
  const float* residual_data = c.residual.empty() ? nullptr : residual.data();
  GuardedBuffer<std::byte> scratch(layer.scratch_bytes(), guard);
  std::memset(scratch.data(), 0xA5, scratch.size());
  for (std::int64_t tile = 0; tile < layer.tiles(); ++tile) {
    layer.quantize(tile, image.data(), scratch.data(), nullptr);
    for (std::int64_t block = 0; block < layer.channel_blocks(); ++block) {
      layer.compute(tile, block, scratch.data(), residual_data, output.data(), nullptr);
    }
  }
  std::vector<float> expected(c.output_size(), untouched);
  reference_layer(c.spec, plan, c.weights(), c.image.data(), c.residual_data(), expected.data());
  int wrong = 0;
  for (std::size_t i = 0; i < expected.size() && wrong < 5; ++i) {
    if (same(output[i], expected[i]) || std::abs(output[i] - expected[i]) <= tolerance) continue;
    ADD_FAILURE() << "element " << i << ": " << output[i] << ", reference " << expected[i];
    ++wrong;
  }
}

TEST_F(Depthwise, EqualsTheReferenceBitForBitOverShapes) {
  unsigned seed = 100;
  for (const std::int64_t channels : {2, 16, 21, 48}) {
    for (const std::int64_t kernel : {1, 2, 3, 5, 7}) {
      for (const std::int64_t stride : {1, 2, 3}) {
        for (const std::int64_t pad : {std::int64_t{0}, kernel / 2}) {
          ConvSpec spec = depthwise(channels, 13, kernel, stride, pad);
          spec.nonnegative_input = seed % 2 == 0;
          for (const std::int64_t step : {2, 4}) {
            expect_equals_reference(LayerCase(spec, seed), plan_of(5, 6, step), 0.0F, Guard::before);
            expect_equals_reference(LayerCase(spec, seed++), plan_of(5, 6, step), 0.0F, Guard::behind);
          }
        }
      }
    }
  }
}

TEST_F(Depthwise, EqualsTheReferenceOverTilesAndRegisterBlocks) {
  unsigned seed = 500;
  for (const std::int64_t tile : {1, 2, 3, 4, 7, 8, 16, 100}) {
    for (const std::int64_t rows : {1, 2, 3, 4}) {
      for (const std::int64_t step : {2, 4}) {
        ConvSpec spec = depthwise(40, 15, 3, 1 + tile % 2, 1);
        spec.epilogue.bias = true;
        expect_equals_reference(LayerCase(spec, seed++), plan_of(tile, 9 - tile % 5, step, rows, 1 + rows % 3));
      }
    }
  }
}

TEST_F(Depthwise, EqualsTheReferenceOverDilationsAndOddSides) {
  unsigned seed = 600;
  for (const std::int64_t dilation : {2, 3, 5}) {
    for (const std::int64_t step : {2, 4}) {
      for (const std::int64_t stride : {1, 2}) {
        ConvSpec spec = depthwise(17, 19, 3, stride, dilation, dilation);
        expect_equals_reference(LayerCase(spec, seed++), plan_of(6, 7, step));
        spec.kernel_h = 1;
        spec.pad_top = 2;
        spec.in_h = 5;
        spec.out_h = 4;
        spec.kernel_w = 4;
        spec.nonnegative_input = true;
        expect_equals_reference(LayerCase(spec, seed++), plan_of(3, 5, step));
      }
    }
  }
}

TEST_F(Depthwise, TallKernelsLoopOverTheirRows) {
  unsigned seed = 700;
  for (const std::int64_t step : {2, 4}) {
    expect_equals_reference(LayerCase(depthwise(18, 33, 17, 1, 8), seed++), plan_of(9, 9, step, 1));
    expect_equals_reference(LayerCase(depthwise(18, 33, 31, 2, 15), seed++), plan_of(9, 9, step, 1));
  }
}

TEST_F(Depthwise, EveryEpilogueEqualsTheReference) {
  unsigned seed = 800;
  for (const ActivationKind activation :
       {ActivationKind::none, ActivationKind::relu, ActivationKind::relu6, ActivationKind::leaky_relu,
        ActivationKind::prelu, ActivationKind::sigmoid, ActivationKind::tanh}) {
    for (const bool residual : {false, true}) {
      ConvSpec spec = depthwise(35, 9, 3, 1, 1);
      spec.epilogue = {.bias = true, .residual = residual, .activation = activation, .slope = 0.1F};
      spec.src_pixel_stride = 40;
      spec.dst_pixel_stride = 37;
      const bool approximate = activation == ActivationKind::sigmoid || activation == ActivationKind::tanh;
      expect_equals_reference(LayerCase(spec, seed++), plan_of(4, 5, 2), approximate ? 1e-6F : 0.0F);
    }
  }
}

TEST_F(Depthwise, PixelsOutsideTheImageAreZeroHoweverFarTheyReach) {
  unsigned seed = 900;
  for (const std::int64_t pad : {3, 9}) {
    for (const std::int64_t step : {2, 4}) {
      expect_equals_reference(LayerCase(depthwise(16, 6, 3, 1, pad), seed++), plan_of(5, 5, step));
    }
  }
}

TEST_F(Depthwise, HostileValuesGiveWhatTheReferenceGives) {
  unsigned seed = 1000;
  const std::vector<float> hostile = {0.0F,      -0.0F,     nan,     -nan,     infinity, -infinity, 1e-45F,
                                      0x1p-118F, 0x1p-119F, 3.4e38F, -3.4e38F, 1.0F,     -1.0F,     1e30F};
  for (const bool nonnegative : {false, true}) {
    for (const std::int64_t step : {2, 4}) {
      ConvSpec spec = depthwise(37, 12, 3, 1, 1);
      spec.nonnegative_input = nonnegative;
      spec.epilogue = {.bias = true, .activation = ActivationKind::relu};
      LayerCase c(spec, seed++);
      std::mt19937 random(seed);
      for (float& value : c.image) {
        if (random() % 8 == 0) value = hostile[random() % hostile.size()];
      }
      expect_equals_reference(c, plan_of(4, 4, step));
      for (const float constant : hostile) {
        std::fill(c.image.begin(), c.image.end(), constant);
        expect_equals_reference(c, plan_of(4, 4, step));
      }
    }
  }
}

TEST_F(Depthwise, TheWorstWeightsDoNotOverflow) {
  for (const bool nonnegative : {false, true}) {
    ConvSpec spec = depthwise(16, 12, 7, 1, 3);
    spec.nonnegative_input = nonnegative;
    LayerCase c(spec, 7);
    for (std::size_t i = 0; i < c.q.size(); ++i) c.q[i] = i / 49 % 2 == 0 ? 127 : -127;
    std::fill(c.image.begin(), c.image.end(), 3.0F);
    expect_equals_reference(c, plan_of(6, 6, 4));
  }
}

TEST_F(Depthwise, EqualsTheReferenceOverRandomSpecsAsPlanned) {
  RandomSpecs random(11, isa_list().back());
  for (unsigned i = 0; i < 150; ++i) {
    const ConvSpec spec = random.depthwise();
    const bool approximate =
        spec.epilogue.activation == ActivationKind::sigmoid || spec.epilogue.activation == ActivationKind::tanh;
    expect_equals_reference(LayerCase(spec, i), make_plan(spec, {}, static_cast<int>(1 + i % 3)),
                            approximate ? 1e-6F : 0.0F, i % 2 == 0 ? Guard::behind : Guard::before);
  }
}

TEST_F(Depthwise, PlansThatCannotBeMeantAreErrors) {
  const LayerCase c(depthwise(16, 8, 3, 1, 1), 1);
  KernelCache cache;
  EXPECT_THROW(Layer(c.spec, plan_of(4, 4, 3), c.weights(), cache), Error);
  EXPECT_THROW(Layer(c.spec, plan_of(4, 4, 2, 5), c.weights(), cache), Error);
  EXPECT_THROW(Layer(c.spec, plan_of(4, 4, 2, 4, 9), c.weights(), cache), Error);
  Plan per_pixel = plan_of(4, 4, 2);
  per_pixel.scale_per_pixel = true;
  EXPECT_THROW(Layer(c.spec, per_pixel, c.weights(), cache), Error);
}

TEST_F(Depthwise, AFieldTooLargeToAddressIsAnError) {
  ConvSpec spec = depthwise(16, 9, 3, 1, 4096, 4096);
  spec.out_h = spec.out_w = 9;
  const LayerCase c(spec, 1);
  KernelCache cache;
  try {
    const Layer layer(c.spec, plan_of(4, 4, 2), c.weights(), cache);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  }
}

}  // namespace
}  // namespace octavo::jit
