// SPDX-License-Identifier: Apache-2.0
#include "jit/depthwise_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jit/tile.h"
#include "tests/jit/layer_case.h"

namespace octavo::jit {
namespace {

using testing::SquareConv;

ConvSpec depthwise(std::int64_t channels, std::int64_t size, std::int64_t kernel, std::int64_t stride) {
  return SquareConv{.in_channels = channels,
                    .out_channels = channels,
                    .size = size,
                    .kernel = kernel,
                    .stride = stride,
                    .pad = kernel / 2,
                    .groups = channels}
      .spec();
}

TEST(DepthwisePlan, MakePlanChoosesIt) {
  const ConvSpec spec = depthwise(64, 28, 3, 1);
  const Plan plan = make_plan(spec, {}, 1);
  EXPECT_EQ(plan.name(), depthwise_family().choose(spec, {}, 1).plan.name());
  EXPECT_NE(plan.group_step, 0);
  EXPECT_THAT(plan.reason, ::testing::HasSubstr("depthwise"));
}

TEST(DepthwisePlan, StridedThreeTapsDoNotOverlapTheirGroupsNorDoFiveTaps) {
  EXPECT_EQ(make_plan(depthwise(64, 28, 3, 2), {}, 1).group_step, 4);
  EXPECT_EQ(make_plan(depthwise(64, 28, 5, 1), {}, 1).group_step, 4);
}

TEST(DepthwisePlan, ThereIsWorkForEachThread) {
  for (const int threads : {1, 2, 4, 8}) {
    const ConvSpec spec = depthwise(256, 28, 3, 1);
    const Plan plan = make_plan(spec, {}, threads);
    EXPECT_GE(TileGrid(spec, plan).tiles() * (16 / plan.column_vectors), threads);
  }
}

TEST(DepthwisePlan, AWantedWindowIsKept) {
  ConvSpec spec = depthwise(64, 28, 3, 1);
  spec.window.tile_h = 5;
  spec.window.tile_w = 100;
  const Plan plan = make_plan(spec, {}, 1);
  EXPECT_EQ(plan.tile_h, 5);
  EXPECT_EQ(plan.tile_w, 28);
}

TEST(DepthwisePlan, TallKernelsAreLoopsAndSmallOnesAreNot) {
  EXPECT_EQ(make_plan(depthwise(64, 64, 31, 1), {}, 1).rows, 1);
  EXPECT_EQ(make_plan(depthwise(64, 64, 5, 1), {}, 1).rows, 4);
}

}  // namespace
}  // namespace octavo::jit
