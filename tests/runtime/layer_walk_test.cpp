// SPDX-License-Identifier: Apache-2.0
// A layer gives the same numbers however its work is shared.
#include "runtime/layer_walk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "jit/kernel_cache.h"
#include "jit/reference.h"
#include "runtime/aligned_buffer.h"
#include "tests/jit/layer_case.h"
#include "tests/jit/random_spec.h"

namespace octavo::runtime {
namespace {

using jit::testing::LayerCase;
using jit::testing::RandomSpecs;

/// `images` times the layer's image, one after the other, each a little different from the one before.
std::vector<float> batch_of(const LayerCase& c, std::int64_t images, std::size_t floats) {
  std::vector<float> batch;
  for (std::int64_t image = 0; image < images; ++image) {
    std::vector<float> pixels = c.image;
    pixels.resize(floats);
    std::rotate(pixels.begin(), pixels.begin() + image * c.spec.src_stride() % static_cast<std::int64_t>(floats),
                pixels.end());
    batch.insert(batch.end(), pixels.begin(), pixels.end());
  }
  return batch;
}

TEST(LayerWalk, EveryShareOfTheWorkGivesTheNumbersOfTheReference) {
  RandomSpecs specs(21, isa_list().back());
  jit::KernelCache cache;
  for (unsigned i = 0; i < 80 && !::testing::Test::HasFailure(); ++i) {
    jit::ConvSpec spec = i % 5 == 0 ? specs.depthwise() : specs.convolution();
    spec.src_pixel_stride = spec.dst_pixel_stride = 0;
    spec.epilogue.activation = jit::ActivationKind::relu;  // sigmoid and tanh are not equal to the last bit
    const LayerCase c(spec, i);
    const std::vector<jit::PlanCandidate> candidates = plan_candidates(spec, jit::Machine{}, 1);
    const jit::Plan plan =
        candidates[static_cast<std::size_t>(specs.between(0, static_cast<std::int64_t>(candidates.size()) - 1))].plan;
    const jit::Layer layer(spec, plan, c.weights(), cache);
    const std::int64_t images = specs.between(1, 3);
    const std::vector<float> input = batch_of(c, images, c.image_size());
    const std::vector<float> residual =
        spec.epilogue.residual ? batch_of(c, images, c.output_size()) : std::vector<float>();
    std::vector<float> expected(static_cast<std::size_t>(images) * c.output_size());
    for (std::size_t image = 0; image < static_cast<std::size_t>(images); ++image)
      reference_layer(spec, plan, c.weights(), input.data() + image * c.image_size(),
                      residual.empty() ? nullptr : residual.data() + image * c.output_size(),
                      expected.data() + image * c.output_size());
    for (int threads = 1; threads <= 4; ++threads) {
      SCOPED_TRACE(spec.name() + " " + plan.name() + ", threads: " + std::to_string(threads));
      const LayerWalk walk(layer, images, threads);
      const AlignedBuffer scratch(walk.scratch_bytes());
      const AlignedBuffer thread_scratch(static_cast<std::size_t>(threads) * walk.thread_scratch_bytes());
      std::vector<float> output(expected.size(), std::numeric_limits<float>::quiet_NaN());
      walk.run({input.data(),
                residual.empty() ? nullptr : residual.data(),
                output.data(),
                scratch.data(),
                {thread_scratch.data(), walk.thread_scratch_bytes()}});
      EXPECT_EQ(output, expected);
    }
  }
}

TEST(LayerWalk, ThreadsShareTheWindowsOfAWinogradTile) {
  jit::ConvSpec spec;
  spec.in_channels = 96;
  spec.out_channels = 64;
  spec.groups = 2;
  spec.in_h = spec.out_h = 13;
  spec.in_w = spec.out_w = 9;
  spec.kernel_h = spec.kernel_w = 3;
  spec.pad_top = spec.pad_left = 1;
  spec.window.channels = 20;
  spec.winograd = jit::WinogradLimit::tiles4x4;
  spec.isa = isa_list().back();
  const LayerCase c(spec, 3);
  jit::KernelCache cache;
  jit::Plan plan;
  plan.winograd_h = plan.winograd_w = 4;
  plan.rows = 2;
  plan.column_vectors = 1;
  const auto run = [&](int threads) {
    const jit::Layer layer(spec, plan, c.weights(), cache);
    EXPECT_EQ(layer.quantize_parts(), plan.winograd() ? 6 : 1);
    const LayerWalk walk(layer, 1, threads);
    const AlignedBuffer scratch(walk.scratch_bytes());
    const AlignedBuffer thread_scratch(static_cast<std::size_t>(threads) * walk.thread_scratch_bytes());
    std::vector<float> output(c.output_size(), std::numeric_limits<float>::quiet_NaN());
    walk.run(
        {c.image.data(), nullptr, output.data(), scratch.data(), {thread_scratch.data(), walk.thread_scratch_bytes()}});
    return output;
  };
  for (const std::int64_t rows : {16, 8}) {  // one work tile, or two
    plan.tile_h = rows;
    plan.tile_w = 12;
    plan.order = jit::WorkOrder::tile_outer;
    const std::vector<float> expected = run(1);
    plan.order = jit::WorkOrder::channel_outer;
    for (int threads = 1; threads <= 8; ++threads) EXPECT_EQ(run(threads), expected) << threads << " threads";
  }
}

}  // namespace
}  // namespace octavo::runtime
