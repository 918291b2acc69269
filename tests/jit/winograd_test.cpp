// SPDX-License-Identifier: Apache-2.0
// Winograd layers: machine code against the scalar reference to the last bit, the reference against a convolution in
// double precision, over generated shapes, between guard pages, with hostile values.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "jit/kernel_cache.h"
#include "jit/layer.h"
#include "jit/plan.h"
#include "jit/vector_unit.h"
#include "jit/winograd_layout.h"
#include "jit/winograd_reference.h"
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
constexpr float activation_tolerance = 4e-7F;

bool transcendental(ActivationKind kind) { return kind == ActivationKind::sigmoid || kind == ActivationKind::tanh; }

/// A random layer that can be computed this way.
ConvSpec random_layer(RandomSpecs& specs, Isa isa, bool dilated = true) {
  for (;;) {
    ConvSpec spec = specs.convolution();
    spec.isa = isa;
    spec.kernel_h = spec.kernel_w = 3;
    spec.stride_h = spec.stride_w = 1;
    spec.dilation_h = dilated ? specs.one_of<std::int64_t>({1, 1, 1, 2, 3, 6}) : 1;
    spec.dilation_w = specs.chance(70) || !dilated ? spec.dilation_h : specs.one_of<std::int64_t>({1, 2, 25});
    const std::int64_t reach_h = 2 * spec.dilation_h, reach_w = 2 * spec.dilation_w;
    spec.pad_top = specs.between(0, reach_h);
    spec.pad_left = specs.between(0, reach_w);
    spec.in_h = spec.out_h + reach_h - spec.pad_top - specs.between(0, reach_h);
    spec.in_w = spec.out_w + reach_w - spec.pad_left - specs.between(0, reach_w);
    spec.window.tile_h = spec.window.tile_w = 0;
    if (spec.in_h < 1 || spec.in_w < 1 || !winograd_fits(spec)) continue;
    if (spec.out_h * spec.out_w * spec.out_channels * spec.channels_per_group() * 9 > RandomSpecs::most_products)
      continue;
    return spec;
  }
}

Plan random_plan(RandomSpecs& specs, Isa isa) {
  Plan plan;
  plan.winograd_h = specs.one_of<std::int64_t>({2, 4});
  plan.winograd_w = specs.one_of<std::int64_t>({2, 4});
  plan.tile_h = plan.winograd_h * specs.between(1, 5);
  plan.tile_w = plan.winograd_w * specs.between(1, 5);
  const auto [rows, vectors] = vector_facts(isa).registers < 16
                                   ? specs.one_of<std::pair<int, int>>({{2, 2}, {1, 3}, {4, 1}, {1, 1}})
                                   : specs.one_of<std::pair<int, int>>({{6, 2}, {4, 3}, {3, 4}, {12, 1}, {1, 2}});
  plan.rows = rows;
  plan.column_vectors = vectors;
  plan.order = WorkOrder::tile_outer;
  return plan;
}

std::vector<float> run(const LayerCase& c, const Plan& plan, KernelCache& cache, Guard guard = Guard::behind) {
  const Layer layer(c.spec, plan, c.weights(), cache);
  GuardedBuffer<float> image(c.image.size(), guard), residual(c.residual.size(), guard), dst(c.output_size(), guard);
  GuardedBuffer<std::byte> scratch(layer.scratch_bytes(), guard), workspace(layer.workspace_bytes(), guard);
  std::copy(c.image.begin(), c.image.end(), image.data());
  std::copy(c.residual.begin(), c.residual.end(), residual.data());
  std::fill_n(dst.data(), dst.size(), nan);
  for (std::int64_t tile = 0; tile < layer.tiles(); ++tile) {
    std::fill_n(scratch.data(), scratch.size(), std::byte{0xFF});
    std::fill_n(workspace.data(), workspace.size(), std::byte{0xFF});
    layer.quantize(tile, image.data(), scratch.data(), workspace.data());
    for (std::int64_t block = 0; block < layer.channel_blocks(); ++block) {
      std::fill_n(workspace.data(), workspace.size(), std::byte{0xFF});
      layer.compute(tile, block, scratch.data(), c.residual.empty() ? nullptr : residual.data(), dst.data(),
                    workspace.data());
    }
  }
  return {dst.data(), dst.data() + dst.size()};
}

std::vector<float> reference(LayerCase c, const Plan& plan) {
  KernelCache none;
  c.spec.isa = Isa::reference;
  return run(c, plan, none);
}

class WinogradTest : public testing::EachIsa {
 protected:
  void expect_equals_reference(const LayerCase& c, const Plan& plan, Guard guard = Guard::behind) {
    SCOPED_TRACE(c.spec.name() + " " + plan.name());
    const std::vector<float> expected = reference(c, plan), actual = run(c, plan, cache_, guard);
    const float tolerance = transcendental(c.spec.epilogue.activation) ? activation_tolerance : 0.0F;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const bool same = expected[i] == actual[i] || (std::isnan(expected[i]) && std::isnan(actual[i])) ||
                        std::abs(expected[i] - actual[i]) <= tolerance;
      ASSERT_TRUE(same) << "at " << i << " of " << expected.size() << ": " << actual[i] << " instead of "
                        << expected[i];
    }
  }

  KernelCache cache_;
};

TEST_P(WinogradTest, EqualsReferenceOverGeneratedShapes) {
  RandomSpecs specs(21, GetParam());
  for (unsigned i = 0; i < 60 && !HasFatalFailure(); ++i) {
    const ConvSpec spec = random_layer(specs, GetParam());
    expect_equals_reference(LayerCase(spec, i), random_plan(specs, GetParam()),
                            i % 2 == 0 ? Guard::behind : Guard::before);
  }
}

TEST_P(WinogradTest, EqualsReferenceForShapesOfKnownNetworks) {
  for (const SquareConv& shape : {SquareConv{64, 32, 14, 3, 1, 1},
                                  {128, 32, 7, 3, 1, 1},
                                  {320, 16, 7, 3, 1, 1},
                                  {256, 32, 7, 3, 1, 1},  // whose weights are fetched ahead
                                  {3, 64, 16, 3, 1, 1},
                                  {96, 52, 7, 3, 1, 1},
                                  {96, 64, 9, 3, 1, 1, 1, 2},
                                  {128, 64, 19, 3, 1, 6, 6}}) {
    for (const WinogradLimit limit : {WinogradLimit::tiles2x2, WinogradLimit::tiles2x4, WinogradLimit::tiles4x4}) {
      ConvSpec spec = shape.spec();
      spec.isa = GetParam();
      spec.nonnegative_input = true;
      spec.epilogue = {.bias = true, .activation = ActivationKind::relu};
      spec.winograd = limit;
      const LayerCase c(spec, 7);
      const std::vector<PlanCandidate> candidates = plan_candidates(spec, Machine{}, 2);
      const auto is_winograd = [](const PlanCandidate& candidate) { return candidate.plan.winograd(); };
      const auto best = std::find_if(candidates.begin(), candidates.end(), is_winograd);
      ASSERT_NE(best, candidates.end());
      expect_equals_reference(c, best->plan);
    }
  }
}

TEST_P(WinogradTest, EqualsReferenceForEveryCandidateThatATunerMayKeep) {
  RandomSpecs specs(22, GetParam());
  for (unsigned i = 0; i < 60 && !HasFatalFailure(); ++i) {
    ConvSpec spec = random_layer(specs, GetParam());
    spec.winograd = WinogradLimit::tiles4x4;
    std::vector<PlanCandidate> candidates = plan_candidates(spec, Machine{}, 1 + static_cast<int>(i % 3));
    std::erase_if(candidates, [](const PlanCandidate& candidate) { return !candidate.plan.winograd(); });
    ASSERT_FALSE(candidates.empty());
    const auto last = static_cast<std::int64_t>(candidates.size()) - 1;
    const Plan& plan = candidates[static_cast<std::size_t>(specs.between(0, last))].plan;
    EXPECT_TRUE(is_candidate(spec, plan));
    expect_equals_reference(LayerCase(spec, i), plan);
  }
}

TEST_P(WinogradTest, EqualsReferenceForHostileInputs) {
  const float tiny = std::numeric_limits<float>::denorm_min(), huge = std::numeric_limits<float>::max();
  RandomSpecs random(23, GetParam());
  for (unsigned round = 0; round < 40 && !HasFatalFailure(); ++round) {
    LayerCase c(random_layer(random, GetParam()), round);
    if (transcendental(c.spec.epilogue.activation)) c.spec.epilogue.activation = ActivationKind::none;
    auto& image = c.image;
    const auto any = static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(image.size()) - 1));
    switch (round % 8) {
      case 0:
        std::fill(image.begin(), image.end(), 0.0F);
        break;
      case 1:
        std::fill(image.begin(), image.end(), 3.0F);
        break;
      case 2:
        image[any] = 1e6F;
        break;
      case 3:
        std::fill(image.begin(), image.end(), tiny);
        break;
      case 4:
        std::fill(image.begin(), image.end(), huge);  // the transform overflows
        break;
      case 5:
        image[any] = nan;
        break;
      case 6:
        image[any] = -std::numeric_limits<float>::infinity();
        break;
      default:
        for (float& x : image) x *= 0x1p-117F;
        break;
    }
    expect_equals_reference(c, random_plan(random, GetParam()));
  }
}

TEST_P(WinogradTest, EqualsReferenceForTheLargestWeights) {
  for (const int weight : {-127, 127}) {
    ConvSpec spec = SquareConv{200, 40, 9, 3, 1, 1}.spec();
    spec.window.channels = 0;
    spec.isa = GetParam();
    LayerCase c(spec, 5);
    std::fill(c.q.begin(), c.q.end(), static_cast<std::int8_t>(weight));
    std::fill(c.image.begin(), c.image.end(), -2.0F);
    RandomSpecs specs(24, GetParam());
    expect_equals_reference(c, random_plan(specs, GetParam()));
  }
}

TEST_P(WinogradTest, ANaNReachesEveryOutputThatReadsItAndNoneBeyondItsWinogradTiles) {
  ConvSpec spec = SquareConv{64, 32, 16, 3, 1, 1}.spec();
  spec.isa = GetParam();
  spec.epilogue.activation = ActivationKind::relu;
  LayerCase c(spec, 5);
  c.image[static_cast<std::size_t>((5 * 16 + 6) * 64 + 3)] = nan;  // row 5, column 6
  Plan plan;
  plan.winograd_h = plan.winograd_w = 4;
  plan.tile_h = plan.tile_w = 16;
  plan.rows = 2;
  plan.column_vectors = 1;
  const std::vector<float> out = run(c, plan, cache_);
  for (std::int64_t y = 0; y < 16; ++y) {
    for (std::int64_t x = 0; x < 16; ++x) {
      const bool poisoned = std::isnan(out[static_cast<std::size_t>((y * 16 + x) * 32)]);
      const bool reads = y >= 4 && y <= 6 && x >= 5 && x <= 7;
      // A field is six wide, one more than the tile at its left and two at its right.
      const bool near = y >= 4 && y < 8 && x >= 4 && x < 8;
      if (!reads && near) continue;
      EXPECT_EQ(poisoned, reads) << y << ", " << x;
    }
  }
}

TEST_P(WinogradTest, GapsBetweenOutputPixelsAreLeftAlone) {
  ConvSpec spec = SquareConv{16, 20, 9, 3, 1, 1}.spec();
  spec.dst_pixel_stride = 27;
  spec.isa = GetParam();
  RandomSpecs specs(25, GetParam());
  const std::vector<float> out = run(LayerCase(spec, 5), random_plan(specs, GetParam()), cache_);
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(std::isnan(out[i]), i % 27 >= 20) << i;
}

/// Signal over noise, in dB.
double signal_to_noise(const std::vector<double>& exact, const std::vector<float>& actual) {
  double signal = 0.0, noise = 0.0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    signal += exact[i] * exact[i];
    noise += (exact[i] - actual[i]) * (exact[i] - actual[i]);
  }
  return 10.0 * std::log10(signal / noise);
}

/// The layer in double precision, epilogue left out.
std::vector<double> convolution(const LayerCase& c) {
  const ConvSpec& s = c.spec;
  std::vector<double> y(static_cast<std::size_t>(s.out_h * s.out_w * s.out_channels));
  for (std::int64_t row = 0; row < s.out_h; ++row)
    for (std::int64_t column = 0; column < s.out_w; ++column)
      for (std::int64_t o = 0; o < s.out_channels; ++o)
        for (std::int64_t i = 0; i < s.in_channels * 9; ++i) {
          const std::int64_t channel = i / 9, r = row + i % 9 / 3 * s.dilation_h - s.pad_top;
          const std::int64_t x = column + i % 3 * s.dilation_w - s.pad_left;
          if (r < 0 || r >= s.in_h || x < 0 || x >= s.in_w) continue;
          const double w =
              c.q[static_cast<std::size_t>(o * s.in_channels * 9 + i)] *
              static_cast<double>(c.scales[static_cast<std::size_t>(o * s.windows() + channel / s.window_channels())]);
          y[static_cast<std::size_t>((row * s.out_w + column) * s.out_channels + o)] +=
              w * c.image[static_cast<std::size_t>((r * s.in_w + x) * s.in_channels + channel)];
        }
  return y;
}

TEST(WinogradReferenceTest, IsAConvolutionUpToTheNoiseOfItsTile) {
  ConvSpec spec = SquareConv{128, 16, 14, 3, 1, 1}.spec();
  spec.nonnegative_input = true;
  const LayerCase c(spec, 3);
  const std::vector<double> exact = convolution(c);
  const auto measured = [&](std::int64_t h, std::int64_t w) {
    Plan plan;
    plan.winograd_h = h;
    plan.winograd_w = w;
    plan.tile_h = plan.tile_w = 8;
    return signal_to_noise(exact, reference(c, plan));
  };
  const double small = measured(2, 2), wide = measured(2, 4), tall = measured(4, 2), large = measured(4, 4);
  EXPECT_GT(small, 33.0);
  EXPECT_GT(wide, 29.0);
  EXPECT_NEAR(wide, tall, 1.0);
  EXPECT_GT(large, 25.0);
  EXPECT_GT(small, wide + 2.0);
  EXPECT_GT(wide, large + 2.0);
}

TEST(WinogradReferenceTest, IsADilatedConvolutionUpToTheNoiseOfItsTile) {
  ConvSpec spec = SquareConv{64, 16, 19, 3, 1, 6, 6}.spec();
  spec.dilation_w = 2;
  spec.pad_left = 1;
  spec.in_w = 20;
  spec.nonnegative_input = true;
  const LayerCase c(spec, 3);
  const std::vector<double> exact = convolution(c);
  for (const std::int64_t h : {2, 4}) {
    for (const std::int64_t w : {2, 4}) {
      Plan plan;
      plan.winograd_h = h;
      plan.winograd_w = w;
      plan.tile_h = plan.tile_w = 8;
      EXPECT_GT(signal_to_noise(exact, reference(c, plan)), 25.0) << h << "x" << w;
    }
  }
}

TEST(WinogradReferenceTest, ScalingTheInputByAPowerOfTwoScalesTheOutputExactly) {
  const ConvSpec spec = SquareConv{40, 16, 10, 3, 1, 1}.spec();
  LayerCase c(spec, 3);
  Plan plan;
  plan.winograd_h = plan.winograd_w = plan.tile_h = plan.tile_w = 4;
  const std::vector<float> once = reference(c, plan);
  for (float& x : c.image) x *= 64.0F;
  const std::vector<float> scaled = reference(c, plan);
  for (std::size_t i = 0; i < once.size(); ++i) ASSERT_EQ(scaled[i], 64.0F * once[i]);
}

TEST(WinogradPlanTest, ImpossiblePlansAreErrors) {
  KernelCache cache;
  const auto refused = [&](const ConvSpec& spec, std::int64_t winograd, std::int64_t tile) {
    Plan plan;
    plan.winograd_h = plan.winograd_w = winograd;
    plan.tile_h = plan.tile_w = tile;
    const LayerCase c(spec, 1);
    EXPECT_THROW(Layer(spec, plan, c.weights(), cache), Error) << spec.name() << " " << plan.name();
  };
  refused(SquareConv{16, 16, 12, 3, 1, 1}.spec(), 3, 6);  // no such Winograd tile
  refused(SquareConv{16, 16, 12, 3, 1, 1}.spec(), 4, 6);  // a work tile of one and a half
  refused(SquareConv{16, 16, 12, 3, 2, 1}.spec(), 4, 4);  // stride
  refused(SquareConv{16, 16, 12, 5, 1, 2}.spec(), 4, 4);  // kernel
  ConvSpec pooled = SquareConv{16, 16, 12, 3, 1, 2, 2}.spec();
  pooled.epilogue.max_pool = true;
  refused(pooled, 4, 4);  // the squares of neighbours that it pools are in tiles apart
}

TEST(WinogradPlanTest, IsChosenForDilatedLayersAndTheReasonSaysHowFarApart) {
  ConvSpec spec = SquareConv{512, 1024, 19, 3, 1, 6, 6}.spec();
  spec.isa = Isa::avx512vnni;
  spec.winograd = WinogradLimit::tiles4x4;
  const Plan plan = make_plan(spec, Machine{}, 1);
  EXPECT_EQ(plan.winograd_h, 4);
  EXPECT_EQ(plan.winograd_w, 4);
  EXPECT_THAT(plan.reason, ::testing::HasSubstr("16 outputs, 6x6 apart"));
}

TEST(WinogradPlanTest, IsChosenWithinTheLimitWhereItIsFaster) {
  ConvSpec spec = SquareConv{256, 256, 56, 3, 1, 1}.spec();
  spec.isa = Isa::avx512vnni;
  EXPECT_FALSE(make_plan(spec, Machine{}, 1).winograd());
  const auto tile = [&](WinogradLimit limit) {
    spec.winograd = limit;
    const Plan plan = make_plan(spec, Machine{}, 1);
    EXPECT_NE(plan.reason.find("Winograd"), std::string::npos) << plan.reason;
    return plan.winograd_h * plan.winograd_w;
  };
  EXPECT_EQ(tile(WinogradLimit::tiles2x2), 4);
  EXPECT_EQ(tile(WinogradLimit::tiles2x4), 8);
  EXPECT_EQ(tile(WinogradLimit::tiles4x4), 16);
}

TEST(WinogradPlanTest, ThePictureItselfIsConvolvedDirectly) {
  ConvSpec spec = SquareConv{3, 64, 224, 3, 1, 1}.spec();
  spec.isa = Isa::avx512vnni;
  spec.winograd = WinogradLimit::tiles4x4;
  EXPECT_FALSE(make_plan(spec, Machine{}, 1).winograd());
}

TEST(WinogradPlanTest, NamesAreReadBack) {
  ConvSpec spec = SquareConv{64, 64, 28, 3, 1, 1}.spec();
  spec.isa = Isa::avx512vnni;
  spec.winograd = WinogradLimit::tiles4x4;
  const Plan plan = make_plan(spec, Machine{}, 2);
  const std::optional<Plan> read = Plan::parse(plan.name());
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->same_blocking(plan));
  EXPECT_NE(spec.name().find("_wg4x4"), std::string::npos) << "plans of other limits are other records";
}

/// A random layer that pools.
ConvSpec random_pooling_layer(RandomSpecs& specs, Isa isa) {
  for (;;) {
    ConvSpec spec = random_layer(specs, isa, false);
    spec.epilogue.residual = false;
    spec.epilogue.max_pool = true;
    if (spec.out_h % 2 == 0 && spec.out_w % 2 == 0) return spec;
  }
}

/// The largest of each 2x2 outputs of an unpooled layer, NaN where one of them is; NaN between pixels.
std::vector<float> pooled(const LayerCase& c, const std::vector<float>& outputs) {
  const ConvSpec& spec = c.spec;
  std::vector<float> maxima(c.output_size(), nan);
  for (std::int64_t row = 0; row < spec.dst_h(); ++row)
    for (std::int64_t column = 0; column < spec.dst_w(); ++column)
      for (std::int64_t channel = 0; channel < spec.out_channels; ++channel) {
        float& maximum = maxima[static_cast<std::size_t>((row * spec.dst_w() + column) * spec.dst_stride() + channel)];
        maximum = -std::numeric_limits<float>::infinity();
        for (const std::int64_t i : {0, 1, 2, 3}) {
          const std::int64_t y = 2 * row + i / 2, x = 2 * column + i % 2;
          const float value = outputs[static_cast<std::size_t>((y * spec.out_w + x) * spec.dst_stride() + channel)];
          maximum = std::isnan(maximum) || std::isnan(value) ? nan : std::max(maximum, value);
        }
      }
  return maxima;
}

LayerCase without_pooling(LayerCase c) {
  c.spec.epilogue.max_pool = false;
  return c;
}

void expect_same_numbers(const std::vector<float>& actual, const std::vector<float>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    ASSERT_TRUE(actual[i] == expected[i] || (std::isnan(actual[i]) && std::isnan(expected[i])))
        << "at " << i << ": " << actual[i] << " instead of " << expected[i];
}

TEST_P(WinogradTest, PoolingEqualsReferenceOverGeneratedShapes) {
  RandomSpecs specs(31, GetParam());
  for (unsigned i = 0; i < 40 && !HasFatalFailure(); ++i) {
    const ConvSpec spec = random_pooling_layer(specs, GetParam());
    expect_equals_reference(LayerCase(spec, i), random_plan(specs, GetParam()),
                            i % 2 == 0 ? Guard::behind : Guard::before);
  }
}

TEST_P(WinogradTest, PoolingGivesTheLargestOfWhatTheLayerGivesWithoutIt) {
  RandomSpecs specs(32, GetParam());
  for (unsigned i = 0; i < 30 && !HasFatalFailure(); ++i) {
    LayerCase c(random_pooling_layer(specs, GetParam()), i);
    // Now and then a pixel that poisons the outputs around it, and no others.
    if (i % 3 == 0)
      c.image[static_cast<std::size_t>(specs.between(0, static_cast<std::int64_t>(c.image.size()) - 1))] = nan;
    if (i % 3 == 1) c.image.front() = -std::numeric_limits<float>::infinity();
    const Plan plan = random_plan(specs, GetParam());
    SCOPED_TRACE(c.spec.name() + " " + plan.name());
    expect_same_numbers(run(c, plan, cache_), pooled(c, run(without_pooling(c), plan, cache_)));
  }
}

TEST_P(WinogradTest, PoolingOfAnyOneNanIsNan) {
  // A corner of a Winograd tile's field reaches a single output of the tile.
  ConvSpec spec = SquareConv{4, 20, 8, 3, 1, 1}.spec();
  spec.isa = GetParam();
  spec.epilogue.max_pool = true;
  for (const std::int64_t winograd : {2, 4}) {
    Plan plan;
    plan.winograd_h = plan.winograd_w = plan.tile_h = plan.tile_w = winograd;
    plan.rows = plan.column_vectors = 1;
    std::array<bool, 4> alone{};                              // that only this one of some 2x2 outputs was NaN
    for (const std::size_t pixel : {0, 9, 27, 28, 35, 36}) {  // the last four are such corners, for either tile
      LayerCase c(spec, 6);
      c.image[4 * pixel] = nan;
      const std::vector<float> outputs = run(without_pooling(c), plan, cache_);
      expect_same_numbers(run(c, plan, cache_), pooled(c, outputs));
      const auto is_nan = [&](std::size_t y, std::size_t x) { return std::isnan(outputs[(8 * y + x) * 20]) ? 1U : 0U; };
      for (std::size_t y = 0; y < 8; y += 2) {
        for (std::size_t x = 0; x < 8; x += 2) {
          const std::array<unsigned, 4> square{is_nan(y, x), is_nan(y, x + 1), is_nan(y + 1, x), is_nan(y + 1, x + 1)};
          if (square[0] + square[1] + square[2] + square[3] != 1) continue;
          for (std::size_t i = 0; i < 4; ++i) alone[i] = alone[i] || square[i] == 1;
        }
      }
    }
    EXPECT_EQ(alone, (std::array<bool, 4>{true, true, true, true}));
  }
}

TEST(WinogradPlanTest, PoolingIsForEvenWinogradLayersWithoutAResidual) {
  ConvSpec spec = SquareConv{64, 64, 28, 3, 1, 1}.spec();
  spec.isa = Isa::avx512vnni;
  spec.epilogue.max_pool = true;
  EXPECT_NE(spec.name().find("_pool"), std::string::npos);
  EXPECT_THROW((void)make_plan(spec, Machine{}, 1), Error) << "Winograd is not allowed";
  spec.winograd = WinogradLimit::tiles4x4;
  Plan plan = make_plan(spec, Machine{}, 1);
  EXPECT_TRUE(plan.winograd());
  for (const PlanCandidate& candidate : plan_candidates(spec, Machine{}, 1)) EXPECT_TRUE(candidate.plan.winograd());
  ConvSpec unpooled = spec;
  unpooled.epilogue.max_pool = false;
  EXPECT_TRUE(plan.same_blocking(make_plan(unpooled, Machine{}, 1))) << "pooling would change the layer's numbers";

  KernelCache cache;
  plan.winograd_h = plan.winograd_w = 0;
  for (const Isa isa : {Isa::avx512vnni, Isa::reference}) {
    spec.isa = isa;
    EXPECT_THROW(Layer(spec, plan, LayerCase(spec, 1).weights(), cache), Error) << "a direct plan";
  }
  const auto invalid = [](ConvSpec broken) { EXPECT_THROW(broken.validate(), Error) << broken.name(); };
  EXPECT_NO_THROW(spec.validate());
  ConvSpec residual = spec;
  residual.epilogue.residual = true;
  invalid(residual);
  ConvSpec odd = spec;
  odd.out_h = 27;
  invalid(odd);
  odd.out_h = 28;
  odd.out_w = 27;
  invalid(odd);
  ConvSpec strided = SquareConv{64, 64, 28, 3, 2, 1}.spec();
  strided.winograd = WinogradLimit::tiles4x4;
  strided.epilogue.max_pool = true;
  strided.isa = Isa::avx512vnni;
  EXPECT_THROW((void)make_plan(strided, Machine{}, 1), Error);
}

INSTANTIATE_TEST_SUITE_P(EachIsa, WinogradTest, testing::isas_with_code(), testing::isa_of_test);

}  // namespace
}  // namespace octavo::jit
