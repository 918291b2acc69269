// SPDX-License-Identifier: Apache-2.0
#include "jit/depthwise_taps.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/jit/layer_case.h"

namespace octavo::jit {
namespace {

using testing::SquareConv;

TEST(DepthwiseTaps, EveryTapOfEveryColumnIsInOneByteOfOneGroup) {
  for (const std::int64_t kernel : {1, 2, 3, 4, 5, 7, 11}) {
    for (const std::int64_t stride : {1, 2, 3, 4, 5}) {
      for (const std::int64_t dilation : {1, 2, 3, 5}) {
        for (const std::int64_t step : {2, 4}) {
          const ConvSpec spec = SquareConv{.in_channels = 4,
                                           .out_channels = 4,
                                           .size = 80,
                                           .kernel = kernel,
                                           .stride = stride,
                                           .dilation = dilation,
                                           .groups = 4}
                                    .spec();
          const DepthwiseTaps taps(spec, step);
          for (std::int64_t x = 0; x < 9; ++x) {
            std::map<std::int64_t, std::int64_t> column_of_tap;
            for (const TapGroup& group : taps.of_column(x)) {
              for (std::int64_t byte = 0; byte < group_bytes; ++byte) {
                const std::int64_t tap = group.taps[byte];
                if (tap < 0) continue;
                const std::int64_t column = (taps.first_group(x) + group.group) * step + byte;
                EXPECT_TRUE(column_of_tap.emplace(tap, column).second);
              }
              EXPECT_LT(taps.first_group(x) + group.group, taps.groups(x + 1));
            }
            ASSERT_EQ(column_of_tap.size(), static_cast<std::size_t>(kernel));
            for (const auto& [tap, column] : column_of_tap) {
              EXPECT_EQ(column, x * taps.field_stride + tap * dilation);
            }
          }
        }
      }
    }
  }
}

TEST(DepthwiseTaps, ThreeTapsTakeOneDotProductARowWhenGroupsOverlap) {
  const ConvSpec spec = SquareConv{.in_channels = 4, .out_channels = 4, .size = 8, .kernel = 3, .groups = 4}.spec();
  EXPECT_EQ(DepthwiseTaps(spec, 2).dots_per_row(), 1.0);
  EXPECT_EQ(DepthwiseTaps(spec, 4).dots_per_row(), 1.5);
}

}  // namespace
}  // namespace octavo::jit
