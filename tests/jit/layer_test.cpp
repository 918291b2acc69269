// SPDX-License-Identifier: Apache-2.0
// Machine code against the scalar reference: over generated shapes, with buffers at guard pages, poisoned memory and
// hostile values. Everything up to the activation is equal to the last bit.
#include "jit/layer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <tuple>

#include "jit/gathered_taps.h"
#include "jit/iconv_block.h"
#include "jit/kernel_cache.h"
#include "jit/reference.h"
#include "jit/vector_unit.h"
#include "octavo/error.h"
#include "tests/jit/each_isa.h"
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

/// How far apart sigmoid and tanh may be: both sides have their own exp().
constexpr float activation_tolerance = 4e-7F;

bool transcendental(ActivationKind kind) { return kind == ActivationKind::sigmoid || kind == ActivationKind::tanh; }

class LayerTest : public testing::EachIsa {
 protected:
  /// Runs the layer tile by tile between guard pages. Memory that the layer has to write starts as NaN.
  std::vector<float> run(const LayerCase& c, const Plan& plan, Guard guard) {
    const Layer layer(c.spec, plan, c.weights(), cache_);
    GuardedBuffer<float> image(c.image.size(), guard), residual(c.residual.size(), guard), dst(c.output_size(), guard);
    GuardedBuffer<std::byte> scratch(layer.scratch_bytes(), guard), workspace(layer.workspace_bytes(), guard);
    std::copy(c.image.begin(), c.image.end(), image.data());
    std::copy(c.residual.begin(), c.residual.end(), residual.data());
    std::fill_n(dst.data(), dst.size(), nan);
    for (std::int64_t tile = 0; tile < layer.tiles(); ++tile) {
      std::fill_n(scratch.data(), scratch.size(), std::byte{0xFF});
      layer.quantize(tile, image.data(), scratch.data(), workspace.data());
      for (std::int64_t block = 0; block < layer.channel_blocks(); ++block)
        layer.compute(tile, block, scratch.data(), c.residual.empty() ? nullptr : residual.data(), dst.data(),
                      workspace.data());
    }
    return {dst.data(), dst.data() + dst.size()};
  }

  void expect_equals_reference(const LayerCase& c, const Plan& plan, Guard guard = Guard::behind) {
    SCOPED_TRACE(c.spec.name() + " " + plan.name());
    std::vector<float> expected(c.output_size(), nan);
    reference_layer(c.spec, plan, c.weights(), c.image.data(), c.residual_data(), expected.data());
    const std::vector<float> actual = run(c, plan, guard);
    const float tolerance = transcendental(c.spec.epilogue.activation) ? activation_tolerance : 0.0F;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const bool same = expected[i] == actual[i] || (std::isnan(expected[i]) && std::isnan(actual[i])) ||
                        std::abs(expected[i] - actual[i]) <= tolerance;
      ASSERT_TRUE(same) << "at " << i << " of " << expected.size() << ": " << actual[i] << " instead of "
                        << expected[i];
    }
  }
  void expect_equals_reference(const LayerCase& c, Guard guard = Guard::behind) {
    expect_equals_reference(c, make_plan(c.spec, Machine{}, 1), guard);
  }

  KernelCache cache_;
};

TEST_P(LayerTest, EqualsReferenceOverGeneratedShapes) {
  RandomSpecs specs(1, GetParam());
  for (unsigned i = 0; i < 400 && !HasFatalFailure(); ++i)
    expect_equals_reference(LayerCase(specs.convolution(), i), i % 2 == 0 ? Guard::behind : Guard::before);
}

TEST_P(LayerTest, EqualsReferenceForPlansThatTheCostModelWouldNotChoose) {
  RandomSpecs specs(2, GetParam());
  for (unsigned i = 0; i < 150 && !HasFatalFailure(); ++i) {
    const ConvSpec spec = specs.convolution();
    if (spec.depthwise()) continue;  // tests/jit/depthwise_test.cpp
    Plan plan = make_plan(spec, Machine{}, 1);
    if (spec.window.tile_h == 0) plan.tile_h = specs.between(1, 12);
    if (spec.window.tile_w == 0) plan.tile_w = specs.between(1, 12);
    const auto [rows, vectors] = specs.one_of<std::pair<int, int>>(
        {{1, 1}, {7, 2}, {5, 1}, {14, 1}, {4, 3}, {3, 4}, {2, 6}, {1, 12}, {13, 1}, {3, 1}, {1, 3}, {2, 2}, {1, 4}});
    if (!vector_facts(spec.isa).vnni) plan.word_depth = specs.one_of<std::int64_t>({0, 1, 2, 4, 4});
    if (iconv_registers(spec.isa, rows, vectors, spec.windows() == 1, plan.word_depth != 0) >
        vector_facts(spec.isa).registers)
      continue;
    plan.rows = rows;
    plan.column_vectors = vectors;
    expect_equals_reference(LayerCase(spec, i), plan);
  }
}

TEST_P(LayerTest, EqualsReferenceForEveryCandidateThatATunerMayKeep) {
  RandomSpecs specs(12, GetParam());
  for (unsigned i = 0; i < 120 && !HasFatalFailure(); ++i) {
    const ConvSpec spec = i % 4 == 0 ? specs.depthwise() : specs.convolution();
    const std::vector<PlanCandidate> candidates = plan_candidates(spec, Machine{}, 1 + static_cast<int>(i % 3));
    const auto last = static_cast<std::int64_t>(candidates.size()) - 1;
    expect_equals_reference(LayerCase(spec, i), candidates[static_cast<std::size_t>(specs.between(0, last))].plan);
  }
}

TEST_P(LayerTest, EqualsReferenceWithGatheredTaps) {
  RandomSpecs specs(13, GetParam());
  int gathered = 0;
  for (unsigned i = 0; i < 300 && !HasFatalFailure(); ++i) {
    const ConvSpec spec = specs.picture();
    std::vector<Plan> plans;
    for (const PlanCandidate& candidate : plan_candidates(spec, Machine{}, 1 + static_cast<int>(i % 3)))
      if (candidate.plan.gathered) plans.push_back(candidate.plan);
    EXPECT_EQ(plans.empty(), !taps_can_be_gathered(spec)) << spec.name();
    if (plans.empty()) continue;
    Plan plan = plans[static_cast<std::size_t>(specs.between(0, static_cast<std::int64_t>(plans.size()) - 1))];
    if (plan.word_depth != 0) plan.word_depth = specs.one_of<std::int64_t>({0, 1, 2, 4, Plan::depth_of_weights});
    LayerCase c(spec, i);
    if (i % 5 == 0 && !transcendental(spec.epilogue.activation))
      c.image[static_cast<std::size_t>(i) % c.image.size()] = specs.one_of({nan, infinity, 1e30F, 0x1p-130F});
    expect_equals_reference(c, plan, i % 2 == 0 ? Guard::behind : Guard::before);
    ++gathered;
  }
  EXPECT_GT(gathered, 60);
}

TEST_P(LayerTest, EqualsReferenceForTallKernelsAndMuchPaddingOfPictures) {
  for (const auto& [kernel_h, kernel_w, pad] : {std::tuple{1, 1000, 3}, {37, 3, 0}, {3, 5, 40}, {1, 5, 9}}) {
    ConvSpec spec = SquareConv{3, 20, 9, 3}.spec();
    spec.isa = GetParam();
    spec.kernel_h = kernel_h;
    spec.kernel_w = kernel_w;
    spec.pad_top = spec.pad_left = pad;
    spec.in_h = 40;
    spec.in_w = kernel_w + 8;
    spec.out_h = spec.in_h + 2 * pad - kernel_h + 1;
    spec.out_w = spec.in_w + 2 * pad - kernel_w + 1;
    spec.dst_pixel_stride = 23;
    for (const PixelBlock tile : {PixelBlock{1, 3}, PixelBlock{4, 4}}) {  // some of them in the padding alone
      Plan plan = make_plan(spec, Machine{}, 1);
      EXPECT_TRUE(taps_can_be_gathered(spec)) << spec.name();
      plan.gathered = true;
      plan.tile_h = tile.rows;
      plan.tile_w = tile.columns;
      expect_equals_reference(LayerCase(spec, 3), plan);
    }
  }
}

TEST_P(LayerTest, APlanThatGathersWhatCannotBeGatheredIsAnError) {
  const auto refused = [&](ConvSpec spec) {
    spec.isa = GetParam();
    const LayerCase c(spec, 5);
    Plan plan = make_plan(spec, Machine{}, 1);
    plan.gathered = true;
    EXPECT_THROW(Layer(spec, plan, c.weights(), cache_), octavo::Error) << spec.name();
  };
  refused(SquareConv{4, 64, 9, 3, 1, 1}.spec());         // full pixels
  refused(SquareConv{64, 64, 9, 3, 1, 1, 1, 2}.spec());  // groups, whose 16-bit sums hang on the weights
  ConvSpec windows = SquareConv{3, 64, 9, 3, 1, 1}.spec();
  windows.window.channels = 1;
  refused(windows);
}

TEST_P(LayerTest, EqualsReferenceForShapesOfKnownNetworks) {
  for (const SquareConv& shape : {SquareConv{3, 64, 32, 3, 1, 1},
                                  {64, 64, 28, 3, 1, 1},
                                  {128, 64, 14, 3, 1, 1},
                                  {3, 32, 40, 11, 4, 2},
                                  {3, 32, 40, 7, 2, 3},
                                  {96, 64, 13, 5, 1, 2, 1, 2},
                                  {512, 32, 7, 3, 1, 6, 6},
                                  {256, 64, 14, 1, 2}}) {
    ConvSpec spec = shape.spec();
    spec.isa = GetParam();
    spec.nonnegative_input = shape.in_channels != 3;
    spec.epilogue = {.bias = true, .activation = ActivationKind::relu};
    expect_equals_reference(LayerCase(spec, 7));
  }
}

TEST_P(LayerTest, EqualsReferenceForLinearOfAnyBatch) {
  for (const std::int64_t rows : {1, 2, 3, 8, 15, 16, 17, 33}) {
    for (const std::int64_t window : {0, 16, 64, 128}) {
      ConvSpec spec;
      spec.in_channels = 1000 + rows;
      spec.out_channels = 107;
      spec.in_w = spec.out_w = rows;
      spec.window.channels = window;
      spec.isa = GetParam();
      spec.nonnegative_input = rows % 2 == 0;
      expect_equals_reference(LayerCase(spec, 11));
    }
  }
}

TEST_P(LayerTest, EqualsReferenceForHostileInputs) {
  const float tiny = std::numeric_limits<float>::denorm_min(), huge = std::numeric_limits<float>::max();
  RandomSpecs random(3, GetParam());
  for (unsigned round = 0; round < 200 && !HasFatalFailure(); ++round) {
    LayerCase c(random.convolution(), round);
    if (transcendental(c.spec.epilogue.activation)) c.spec.epilogue.activation = ActivationKind::none;
    const float sign = c.spec.nonnegative_input ? 1.0F : -1.0F;
    auto& image = c.image;
    const auto any = static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(image.size()) - 1));
    switch (round % 10) {
      case 0:
        std::fill(image.begin(), image.end(), 0.0F);
        break;
      case 1:
        std::fill(image.begin(), image.end(), -0.0F);
        break;
      case 2:
        std::fill(image.begin(), image.end(), 3.0F * sign);
        break;
      case 3:
        image[any] = 1e6F;
        break;
      case 4:
        std::fill(image.begin(), image.end(), tiny);
        break;
      case 5:
        std::fill(image.begin(), image.end(), huge * sign);
        break;
      case 6:
        image[any] = nan;
        break;
      case 7:
        image[any] = infinity;
        break;
      case 8:
        for (float& x : image) x *= 1e-36F;
        break;
      default:
        for (float& x : image) x *= 0x1p-117F;
        break;
    }
    expect_equals_reference(c);
  }
}

TEST_P(LayerTest, EqualsReferenceForTheLargestProducts) {
  for (const bool nonnegative : {false, true}) {
    for (const int weight : {-127, 127}) {
      ConvSpec spec = SquareConv{200, 40, 9, 5, 1, 2}.spec();
      spec.window.channels = 0;
      spec.isa = GetParam();
      spec.nonnegative_input = nonnegative;
      LayerCase c(spec, 5);
      std::fill(c.q.begin(), c.q.end(), static_cast<std::int8_t>(weight));
      std::fill(c.image.begin(), c.image.end(), nonnegative ? 2.0F : -2.0F);
      expect_equals_reference(c);
    }
  }
}

TEST_P(LayerTest, EqualsReferenceForEveryDepthOf16BitSums) {
  if (vector_facts(GetParam()).vnni) GTEST_SKIP() << "this ISA sums in 32 bits";
  for (const std::int64_t depth : {Plan::depth_of_weights, std::int64_t{1}, std::int64_t{2}, std::int64_t{4}}) {
    for (const float deviation : {0.0F, 10.0F, 40.0F, 1000.0F}) {  // of the weights; none: the largest there are
      ConvSpec spec = SquareConv{148, 40, 9, 3, 1, 1}.spec();
      spec.isa = GetParam();
      spec.nonnegative_input = depth != 2;
      LayerCase c(spec, 5);
      std::mt19937 random(7);
      std::normal_distribution<float> normal(0.0F, deviation);
      for (auto& q : c.q)
        q = static_cast<std::int8_t>(deviation == 0.0F ? 127 : std::clamp(normal(random), -127.0F, 127.0F));
      for (float& x : c.image) x = random() % 2 == 0 ? 0.0F : 3.0F;  // bytes of 0 and 255
      Plan plan = make_plan(spec, Machine{}, 1);
      plan.word_depth = depth;
      expect_equals_reference(c, plan);
      for (float& x : c.image) x = 3.0F;
      expect_equals_reference(c, plan);
    }
  }
}

TEST_P(LayerTest, TheWeightsSettleTheDepthAndThePlanSaysSo) {
  if (vector_facts(GetParam()).vnni) GTEST_SKIP() << "this ISA sums in 32 bits";
  ConvSpec spec = SquareConv{64, 64, 9, 3, 1, 1}.spec();
  spec.isa = GetParam();
  LayerCase c(spec, 5);
  const auto depth_of = [&](int weight) {
    for (std::size_t i = 0; i < c.q.size(); ++i) c.q[i] = static_cast<std::int8_t>(i % 2 == 0 ? weight : -weight);
    const Layer layer(spec, make_plan(spec, Machine{}, 1), c.weights(), cache_);
    EXPECT_NE(layer.plan().reason.find("16-bit sums"), std::string::npos) << layer.plan().reason;
    return layer.plan().word_depth;
  };
  EXPECT_EQ(depth_of(8), 4);
  EXPECT_GE(depth_of(30), 2);
  EXPECT_LE(depth_of(127), 1);
}

TEST_P(LayerTest, NegativeValuesUnderAFalsePromiseAreClampedAsInTheReference) {
  ConvSpec spec = SquareConv{70, 40, 9, 3, 1, 1}.spec();
  spec.isa = GetParam();
  LayerCase c(spec, 5);
  c.spec.nonnegative_input = true;
  expect_equals_reference(c);
}

TEST_P(LayerTest, ANaNPoisonsExactlyTheOutputsThatReadItsWindow) {
  ConvSpec spec = SquareConv{64, 32, 28, 3, 1, 1}.spec();
  spec.isa = GetParam();
  spec.epilogue.activation = ActivationKind::relu;
  LayerCase c(spec, 5);
  c.image[0] = nan;
  const Plan plan = make_plan(spec, Machine{}, 1);
  const std::vector<float> out = run(c, plan, Guard::behind);
  for (std::int64_t y = 0; y < 28; ++y)
    for (std::int64_t x = 0; x < 28; ++x)
      EXPECT_EQ(std::isnan(out[static_cast<std::size_t>((y * 28 + x) * 32)]), y < plan.tile_h && x < plan.tile_w);
}

TEST_P(LayerTest, GapsBetweenOutputPixelsAreLeftAlone) {
  ConvSpec spec = SquareConv{16, 20, 9, 3, 1, 1}.spec();
  spec.dst_pixel_stride = 27;
  spec.isa = GetParam();
  const std::vector<float> out = run(LayerCase(spec, 5), make_plan(spec, Machine{}, 1), Guard::behind);
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(std::isnan(out[i]), i % 27 >= 20) << i;
}

TEST_P(LayerTest, APlanThatDoesNotFitTheRegistersIsAnError) {
  ConvSpec spec = SquareConv{128, 64, 9, 3, 1, 1}.spec();
  spec.isa = GetParam();
  const LayerCase c(spec, 5);
  Plan plan = make_plan(spec, Machine{}, 1);
  plan.rows = 14;
  plan.column_vectors = 4;
  EXPECT_THROW(Layer(spec, plan, c.weights(), cache_), octavo::Error);
}

TEST_P(LayerTest, APlanWithAScaleForEachPixelNeedsAOneByOneKernel) {
  ConvSpec spec = SquareConv{128, 64, 9, 3, 1, 1}.spec();
  spec.isa = GetParam();
  const LayerCase c(spec, 5);
  Plan plan = make_plan(spec, Machine{}, 1);
  plan.scale_per_pixel = true;
  EXPECT_THROW(Layer(spec, plan, c.weights(), cache_), octavo::Error);
}

TEST_P(LayerTest, EmittingAKernelTakesLessThanAMillisecond) {
  KernelCache cache;
  ConvSpec spec = SquareConv{512, 512, 28, 3, 1, 1}.spec();
  spec.isa = GetParam();
  const LayerCase c(spec, 5);
  const Layer layer(spec, make_plan(spec, Machine{}, 1), c.weights(), cache);
  const KernelCacheStatistics statistics = cache.statistics();
  EXPECT_LT(statistics.emit_seconds / static_cast<double>(statistics.kernels), 10e-3)
      << "ten times the target, for slow and busy machines";
}

TEST_P(LayerTest, ARowMayBeLongerThanACodeOffsetReaches) {
  ConvSpec spec;
  spec.in_channels = spec.out_channels = 64;
  spec.in_w = spec.out_w = std::int64_t{1} << 28;  // of 256 bytes each
  spec.isa = GetParam();
  const std::vector<std::int8_t> q(64 * 64, 1);
  const std::vector<float> scales(64, 1.0F);
  const Layer layer(spec, make_plan(spec, Machine{}, 1), {q, scales, {}, {}}, cache_);
  EXPECT_GT(layer.tiles(), 1 << 20);
}

INSTANTIATE_TEST_SUITE_P(, LayerTest, testing::isas_with_code(), testing::isa_of_test);

TEST(ReferenceLayerTest, RunsWithoutMachineCode) {
  KernelCache cache;
  ConvSpec spec = SquareConv{20, 24, 9, 3, 1, 1}.spec();
  const LayerCase c(spec, 5);
  const Plan plan = make_plan(spec, Machine{}, 1);
  const Layer layer(spec, plan, c.weights(), cache);
  std::vector<float> expected(c.output_size()), actual(c.output_size());
  reference_layer(spec, plan, c.weights(), c.image.data(), nullptr, expected.data());
  std::vector<std::byte> scratch(layer.scratch_bytes());
  for (std::int64_t tile = 0; tile < layer.tiles(); ++tile) {
    layer.quantize(tile, c.image.data(), scratch.data(), nullptr);
    for (std::int64_t block = 0; block < layer.channel_blocks(); ++block)
      layer.compute(tile, block, scratch.data(), nullptr, actual.data(), nullptr);
  }
  EXPECT_EQ(expected, actual);
  EXPECT_TRUE(layer.kernels().empty());
}

}  // namespace
}  // namespace octavo::jit
