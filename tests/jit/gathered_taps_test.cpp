// SPDX-License-Identifier: Apache-2.0
// Which layers gather their taps, and where the weights go. (What is computed of them: layer_test.cpp.)
#include "jit/gathered_taps.h"

#include <gtest/gtest.h>

#include <numeric>

#include "jit/window_layout.h"
#include "tests/jit/layer_case.h"

namespace octavo::jit {
namespace {

using testing::SquareConv;

TEST(GatheredTapsTest, AreForDensePixelsThatDoNotFillAStep) {
  EXPECT_TRUE(taps_can_be_gathered(SquareConv{3, 64, 224, 3, 1, 1}.spec()));
  EXPECT_TRUE(taps_can_be_gathered(SquareConv{3, 64, 224, 7, 2, 3}.spec()));
  EXPECT_TRUE(taps_can_be_gathered(SquareConv{1, 20, 28, 5}.spec()));
  EXPECT_FALSE(taps_can_be_gathered(SquareConv{4, 64, 224, 3, 1, 1}.spec())) << "the pixels fill their steps";
  EXPECT_FALSE(taps_can_be_gathered(SquareConv{3, 64, 224, 1}.spec())) << "as many steps either way";
  EXPECT_FALSE(taps_can_be_gathered(SquareConv{2, 64, 24, 3, 1, 1, 1, 2}.spec())) << "groups";
  ConvSpec spec = SquareConv{3, 64, 24, 3, 1, 2, 2}.spec();
  EXPECT_FALSE(taps_can_be_gathered(spec)) << "columns of taps apart";
  spec.dilation_w = 1;
  EXPECT_TRUE(taps_can_be_gathered(spec)) << "rows of taps may be apart";
  spec.src_pixel_stride = 5;
  EXPECT_FALSE(taps_can_be_gathered(spec)) << "pixels apart";
  spec = SquareConv{3, 64, 24, 3, 1, 1}.spec();
  spec.window.channels = 2;
  EXPECT_FALSE(taps_can_be_gathered(spec)) << "two windows, each with its scale";
  spec = SquareConv{3, 8, 200704, 2, 4096}.spec();
  EXPECT_FALSE(taps_can_be_gathered(spec)) << "rows that no instruction reaches";
}

TEST(GatheredTapsTest, TheProductHasTheTapsForChannels) {
  const ConvSpec product = gathered_product(SquareConv{3, 64, 224, 7, 2, 3}.spec());
  product.validate();
  EXPECT_TRUE(product.pointwise());
  EXPECT_EQ(product.in_channels, 147);
  EXPECT_EQ(product.windows(), 1);
  EXPECT_EQ(product.out_h, 112);
  EXPECT_EQ(product.out_channels, 64);
}

TEST(GatheredTapsTest, WeightsGoColumnByColumnRowByRowChannelByChannel) {
  ConvSpec spec = SquareConv{2, 2, 9, 2}.spec();
  spec.kernel_w = 3;
  std::vector<std::int8_t> q(24);  // [filter][channel][row][column]
  std::iota(q.begin(), q.end(), std::int8_t{0});
  const std::vector<std::int8_t> expected = {0,  6,  3,  9,  1,  7,  4,  10, 2,  8,  5,  11,
                                             12, 18, 15, 21, 13, 19, 16, 22, 14, 20, 17, 23};
  EXPECT_EQ(gathered_weights(spec, {q, {}, {}, {}}), expected);
}

TEST(GatheredTapsTest, WeightsOfManyTapsMeetThemWherePackingPutsThem) {
  ConvSpec spec = SquareConv{3, 1, 40, 7, 2, 3}.spec();
  spec.isa = Isa::avx512vnni;
  std::vector<std::int8_t> q(147);
  for (std::size_t i = 0; i < q.size(); ++i) q[i] = static_cast<std::int8_t>(i % 127);
  const std::vector<std::int8_t> gathered = gathered_weights(spec, {q, {}, {}, {}});
  for (std::int64_t position = 0; position < 147; ++position) {
    const std::int64_t column = position / 21, row = position / 3 % 7, channel = position % 3;
    EXPECT_EQ(gathered[static_cast<std::size_t>(channel_at(spec.isa, 147, position))],
              q[static_cast<std::size_t>(channel * 49 + row * 7 + column)]);
  }
}

TEST(GatheredTapsTest, EachPartHasRoomForAVectorBehindIt) {
  const ConvSpec spec = SquareConv{3, 64, 224, 3, 1, 1}.spec();
  const GatheredLayout layout(spec, 6, 8, 226);
  EXPECT_EQ(layout.taps, 6 * 226 * 9 + 64);
  EXPECT_EQ(layout.bytes, 8 * 226 * 3 + 64);
  ConvSpec flat = spec;
  flat.kernel_h = 1;
  EXPECT_EQ(GatheredLayout(flat, 6, 6, 226).bytes, 0) << "the bytes are the taps";
}

}  // namespace
}  // namespace octavo::jit
