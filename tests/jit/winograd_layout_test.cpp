// SPDX-License-Identifier: Apache-2.0
// How an axis of outputs is cut into Winograd tiles.
#include "jit/winograd_layout.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/jit/layer_case.h"

namespace octavo::jit {
namespace {

TEST(WinogradCutTest, EveryOutputIsInOneTileWithThoseTheDilationApart) {
  for (std::int64_t outputs = 1; outputs <= 30; ++outputs) {
    for (std::int64_t dilation = 1; dilation <= 8; ++dilation) {
      for (const std::int64_t tile : {2, 4}) {
        const WinogradCut cut(outputs, dilation, tile);
        std::vector<int> seen(static_cast<std::size_t>(outputs));
        std::set<std::int64_t> counts;
        for (std::int64_t t = 0; t < cut.tiles(); ++t) {
          const OutputRun run = cut.outputs_of(t);
          EXPECT_EQ(run.step, dilation);
          EXPECT_LE(run.count, tile);
          EXPECT_GE(run.count, 1);
          EXPECT_EQ(run.inputs(), run.count + 2);
          counts.insert(run.count);
          for (std::int64_t i = 0; i < run.count; ++i) {
            const std::int64_t output = run.first + i * run.step;
            ASSERT_TRUE(output >= 0 && output < outputs) << outputs << " " << dilation << " " << tile << " " << t;
            ++seen[static_cast<std::size_t>(output)];
          }
        }
        EXPECT_EQ(seen, std::vector<int>(seen.size(), 1)) << outputs << " " << dilation << " " << tile;
        EXPECT_EQ(cut.output_counts(), counts);
      }
    }
  }
}

TEST(WinogradCutTest, TilesOfAPhaseFollowEachOther) {
  const WinogradCut cut(19, 6, 2);  // phases of 4, 3, 3, 3, 3 and 3 outputs, two tiles each
  EXPECT_EQ(cut.tiles(), 12);
  EXPECT_EQ(cut.outputs_of(0).first, 0);
  EXPECT_EQ(cut.outputs_of(1).first, 12);
  EXPECT_EQ(cut.outputs_of(1).count, 2);
  EXPECT_EQ(cut.outputs_of(2).first, 1);
  EXPECT_EQ(cut.outputs_of(3).first, 13);
  EXPECT_EQ(cut.outputs_of(3).count, 1);
}

TEST(WinogradCutTest, ShorterPhasesMayHaveATileLess) {
  const WinogradCut cut(9, 2, 4);  // 5 and 4 outputs
  EXPECT_EQ(cut.tiles(), 3);
  EXPECT_EQ(cut.outputs_of(1).count, 1);
  EXPECT_EQ(cut.outputs_of(2).first, 1);
  EXPECT_EQ(cut.outputs_of(2).count, 4);
}

TEST(WinogradFitsTest, RefusesOffsetsThatNoInstructionHas) {
  ConvSpec spec = testing::SquareConv{16, 256, 4096, 3, 1, 256, 256}.spec();
  EXPECT_FALSE(winograd_fits(spec));
  spec.dilation_h = 1;
  EXPECT_TRUE(winograd_fits(spec));
}

}  // namespace
}  // namespace octavo::jit
