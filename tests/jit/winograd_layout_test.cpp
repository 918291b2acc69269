// SPDX-License-Identifier: Apache-2.0
// How an axis of outputs is cut into Winograd tiles.
#include "jit/winograd_layout.h"

#include <gtest/gtest.h>

#include <vector>

namespace octavo::jit {
namespace {

TEST(WinogradCutTest, EveryOutputIsInOneTileWithThoseTheDilationApart) {
  for (std::int64_t outputs = 1; outputs <= 30; ++outputs) {
    for (std::int64_t dilation = 1; dilation <= 8; ++dilation) {
      for (const std::int64_t tile : {2, 4}) {
        const WinogradCut cut(outputs, dilation, tile);
        std::vector<int> seen(static_cast<std::size_t>(outputs));
        for (std::int64_t t = 0; t < cut.tiles(); ++t) {
          const OutputRun run = cut.outputs_of(t);
          EXPECT_EQ(run.step, dilation);
          EXPECT_LE(run.count, tile);
          EXPECT_EQ(run.inputs(), run.count == 0 ? 0 : run.count + 2);
          for (std::int64_t i = 0; i < run.count; ++i) {
            const std::int64_t output = run.first + i * run.step;
            ASSERT_TRUE(output >= 0 && output < outputs) << outputs << " " << dilation << " " << tile << " " << t;
            ++seen[static_cast<std::size_t>(output)];
          }
        }
        EXPECT_EQ(seen, std::vector<int>(seen.size(), 1)) << outputs << " " << dilation << " " << tile;
      }
    }
  }
}

TEST(WinogradCutTest, TilesOfAPhaseFollowEachOther) {
  const WinogradCut cut(19, 6, 2);  // phases of 4, 3, 3, 3, 3 and 3 outputs
  EXPECT_EQ(cut.tiles(), 12);
  EXPECT_EQ(cut.outputs_of(0).first, 0);
  EXPECT_EQ(cut.outputs_of(1).first, 12);
  EXPECT_EQ(cut.outputs_of(1).count, 2);
  EXPECT_EQ(cut.outputs_of(2).first, 1);
  EXPECT_EQ(cut.outputs_of(3).first, 13);
  EXPECT_EQ(cut.outputs_of(3).count, 1);
}

TEST(WinogradCutTest, APhaseMayBeShorterThanItsTiles) {
  const WinogradCut cut(9, 2, 4);  // 5 and 4 outputs, two tiles each
  EXPECT_EQ(cut.tiles(), 4);
  EXPECT_EQ(cut.outputs_of(1).count, 1);
  EXPECT_EQ(cut.outputs_of(3).count, 0);
  EXPECT_EQ(cut.outputs_of(3).inputs(), 0);
}

}  // namespace
}  // namespace octavo::jit
