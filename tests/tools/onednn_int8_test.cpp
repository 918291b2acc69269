// SPDX-License-Identifier: Apache-2.0
// The static int8 peer takes every geometry that octavo quantizes, and measures what it says.
#include "tools/octavo/onednn_int8.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace octavo::tool {
namespace {

LayerInfo layer_of(const LayerWork& work, const char* type = "FusedConvolution") {
  LayerInfo layer;
  layer.name = "layer";
  layer.type = type;
  layer.work = work;
  return layer;
}

/// Every combination of what changes the primitive, for shapes with and without tails.
std::vector<LayerInfo> layers() {
  std::vector<LayerInfo> all;
  for (const LayerWork& shape : std::vector<LayerWork>{
           {.in_channels = 3,
            .out_channels = 24,
            .in_h = 9,
            .in_w = 7,
            .out_h = 9,
            .out_w = 7,
            .kernel_h = 3,
            .kernel_w = 3,
            .pad_top = 1,
            .pad_left = 1},
           {.images = 2, .in_channels = 64, .out_channels = 64, .in_h = 8, .in_w = 8, .out_h = 8, .out_w = 8},
           // floor: the last column and row are never read
           {.in_channels = 16,
           .out_channels = 20,
           .in_h = 8,
           .in_w = 8,
           .out_h = 3,
           .out_w = 3,
           .kernel_h = 3,
           .kernel_w = 3,
           .stride_h = 2,
           .stride_w = 2},
           {.in_channels = 32,
           .out_channels = 33,
           .in_h = 10,
           .in_w = 10,
           .out_h = 10,
           .out_w = 10,
           .kernel_h = 3,
           .kernel_w = 3,
           .dilation_h = 2,
           .dilation_w = 2,
           .pad_top = 2,
           .pad_left = 2},
           {.in_channels = 32,
           .out_channels = 64,
           .groups = 2,
           .in_h = 6,
           .in_w = 6,
           .out_h = 6,
           .out_w = 6,
           .kernel_h = 3,
           .kernel_w = 3,
           .pad_top = 1,
           .pad_left = 1},
           {.in_channels = 48,
           .out_channels = 48,
           .groups = 48,
           .in_h = 6,
           .in_w = 6,
           .out_h = 6,
           .out_w = 6,
           .kernel_h = 3,
           .kernel_w = 3,
           .pad_top = 1,
           .pad_left = 1},
       }) {
    for (unsigned choice = 0; choice < 16; ++choice) {
      LayerWork work = shape;
      work.nonnegative_input = (choice & 1U) != 0;
      work.bias = (choice & 2U) != 0;
      work.relu = (choice & 4U) != 0;
      work.residual = (choice & 8U) != 0;
      all.push_back(layer_of(work));
    }
  }
  for (const std::int64_t rows : {1, 5}) {
    LayerWork linear{
        .images = rows, .in_channels = 100, .out_channels = 30, .nonnegative_input = rows == 1, .bias = true};
    all.push_back(layer_of(linear, "FusedLinear"));
  }
  return all;
}

TEST(OnednnInt8, RunsEachLayerAndKeepsATimeForEachRun) {
  const std::vector<LayerInfo> all = layers();
  OnednnInt8 peer(all, 1);
  peer.run();
  peer.run();
  ASSERT_EQ(peer.times().size(), all.size());
  for (std::size_t l = 0; l < all.size(); ++l) {
    ASSERT_EQ(peer.times()[l].size(), 2U) << l;
    EXPECT_GT(peer.times()[l][0], 0) << l;
    EXPECT_FALSE(peer.implementation(l).empty());
    EXPECT_EQ(peer.implementation(l).find("ref"), std::string::npos) << peer.implementation(l);
  }
}

TEST(OnednnInt8, LeavesLayersWithout8BitWeightsAlone) {
  LayerInfo pool;
  pool.type = "Pool";
  OnednnInt8 peer({pool, layer_of({.in_channels = 16, .out_channels = 16}, "FusedLinear")}, 2);
  peer.run();
  EXPECT_TRUE(peer.times()[0].empty());
  EXPECT_EQ(peer.implementation(0), "");
  EXPECT_EQ(peer.times()[1].size(), 1U);
}

TEST(OnednnInt8, TakesLongerForMoreWork) {
  LayerWork small{.in_channels = 64,
                  .out_channels = 64,
                  .in_h = 8,
                  .in_w = 8,
                  .out_h = 8,
                  .out_w = 8,
                  .kernel_h = 3,
                  .kernel_w = 3,
                  .pad_top = 1,
                  .pad_left = 1,
                  .nonnegative_input = true};
  LayerWork large = small;
  large.in_h = large.in_w = large.out_h = large.out_w = 64;  // 64 times as much
  OnednnInt8 peer({layer_of(small), layer_of(large)}, 1);
  for (int i = 0; i < 5; ++i) peer.run();
  const auto least = [&](std::size_t l) { return *std::min_element(peer.times()[l].begin(), peer.times()[l].end()); };
  EXPECT_GT(least(1), 5 * least(0));
}

}  // namespace
}  // namespace octavo::tool
