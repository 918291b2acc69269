// SPDX-License-Identifier: Apache-2.0
#include "jit/tile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "tests/jit/layer_case.h"

namespace octavo::jit {
namespace {

using testing::SquareConv;

Plan plan_of(std::int64_t tile_h, std::int64_t tile_w) {
  Plan plan;
  plan.tile_h = tile_h;
  plan.tile_w = tile_w;
  return plan;
}

std::vector<ConvSpec> specs() {
  std::vector<ConvSpec> all;
  for (const std::int64_t kernel : {1, 2, 3, 5}) {
    for (const std::int64_t stride : {1, 2, 3}) {
      for (const std::int64_t dilation : {1, 2}) {
        for (const std::int64_t pad : {0, 1, 4}) {
          all.push_back(SquareConv{1, 1, 13, kernel, stride, pad, dilation}.spec());
        }
      }
    }
  }
  return all;
}

TEST(Tile, TilesCoverEveryOutputOnce) {
  for (const ConvSpec& spec : specs()) {
    const TileGrid grid(spec, plan_of(3, 4));
    std::multiset<std::pair<std::int64_t, std::int64_t>> covered;
    for (std::int64_t t = 0; t < grid.tiles(); ++t) {
      const Tile tile = grid.tile(t);
      for (std::int64_t y = 0; y < tile.rows; ++y) {
        for (std::int64_t x = 0; x < tile.columns; ++x) covered.emplace(tile.row + y, tile.column + x);
      }
    }
    EXPECT_EQ(covered.size(), static_cast<std::size_t>(spec.out_h * spec.out_w));
    EXPECT_EQ(std::set(covered.begin(), covered.end()).size(), covered.size());
  }
}

TEST(Tile, TheFieldIsExactlyWhatTheTapsTouch) {
  for (const ConvSpec& spec : specs()) {
    const TileGrid grid(spec, plan_of(3, 4));
    for (std::int64_t t = 0; t < grid.tiles(); ++t) {
      const Tile tile = grid.tile(t);
      std::int64_t last_row = 0, last_column = 0;
      for (std::int64_t y = 0; y < tile.rows; ++y) {
        for (std::int64_t ky = 0; ky < spec.kernel_h; ++ky) {
          const std::int64_t r = y * grid.field_stride_h + ky * spec.dilation_h;
          last_row = std::max(last_row, r);
          EXPECT_EQ(tile.field_top + r * grid.step_h,
                    (tile.row + y) * spec.stride_h - spec.pad_top + ky * spec.dilation_h);
        }
      }
      for (std::int64_t x = 0; x < tile.columns; ++x) {
        for (std::int64_t kx = 0; kx < spec.kernel_w; ++kx) {
          const std::int64_t c = x * grid.field_stride_w + kx * spec.dilation_w;
          last_column = std::max(last_column, c);
          EXPECT_EQ(tile.field_left + c * grid.step_w,
                    (tile.column + x) * spec.stride_w - spec.pad_left + kx * spec.dilation_w);
        }
      }
      EXPECT_EQ(tile.field_rows, last_row + 1);
      EXPECT_EQ(tile.field_columns, last_column + 1);
      EXPECT_LE(tile.field_rows, grid.field_h);
      EXPECT_LE(tile.field_columns, grid.field_w);
    }
  }
}

TEST(Tile, ATileLargerThanTheOutputIsTheWholeOutput) {
  const ConvSpec spec = SquareConv{1, 1, 5, 3, 1, 1}.spec();
  const TileGrid grid(spec, plan_of(100, 7));
  EXPECT_EQ(grid.tiles(), 1);
  EXPECT_EQ(grid.field_h, 7);
  EXPECT_EQ(grid.field_w, 7);
}

}  // namespace
}  // namespace octavo::jit
