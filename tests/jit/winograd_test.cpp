// SPDX-License-Identifier: Apache-2.0
// Winograd layers: machine code against the scalar reference to the last bit, the reference against a convolution in
// double precision, over generated shapes, between guard pages, with hostile values.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "jit/kernel_cache.h"
#include "jit/layer.h"
#include "jit/winograd_layout.h"
#include "jit/winograd_reference.h"
#include "octavo/error.h"
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
ConvSpec random_layer(RandomSpecs& specs, Isa isa) {
  for (;;) {
    ConvSpec spec = specs.convolution();
    const std::int64_t far_h = specs.between(0, 2), far_w = specs.between(0, 2);
    spec.isa = isa;
    spec.kernel_h = spec.kernel_w = 3;
    spec.stride_h = spec.stride_w = spec.dilation_h = spec.dilation_w = 1;
    spec.pad_top = specs.between(0, 2);
    spec.pad_left = specs.between(0, 2);
    spec.in_h = spec.out_h + 2 - spec.pad_top - far_h;
    spec.in_w = spec.out_w + 2 - spec.pad_left - far_w;
    spec.window.tile_h = spec.window.tile_w = 0;
    if (spec.in_h < 1 || spec.in_w < 1 || !winograd_fits(spec)) continue;
    if (spec.out_h * spec.out_w * spec.out_channels * spec.channels_per_group() * 9 > RandomSpecs::most_products)
      continue;
    return spec;
  }
}

Plan random_plan(RandomSpecs& specs) {
  Plan plan;
  plan.winograd_h = specs.one_of<std::int64_t>({2, 4});
  plan.winograd_w = specs.one_of<std::int64_t>({2, 4});
  plan.tile_h = plan.winograd_h * specs.between(1, 5);
  plan.tile_w = plan.winograd_w * specs.between(1, 5);
  const auto [rows, vectors] = specs.one_of<std::pair<int, int>>({{7, 2}, {4, 3}, {3, 4}, {13, 1}, {1, 2}});
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

/// Machine code of every ISA that this machine has.
class WinogradTest : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    const auto list = isa_list();
    if (std::find(list.begin(), list.end(), GetParam()) == list.end())
      GTEST_SKIP() << "this machine has no " << isa_name(GetParam());
  }

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
  for (unsigned i = 0; i < 150 && !HasFatalFailure(); ++i) {
    const ConvSpec spec = random_layer(specs, GetParam());
    expect_equals_reference(LayerCase(spec, i), random_plan(specs), i % 2 == 0 ? Guard::behind : Guard::before);
  }
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, WinogradTest, ::testing::Values(Isa::avx512vnni),
                         [](const auto& info) { return std::string(isa_name(info.param)); });

}  // namespace
}  // namespace octavo::jit
