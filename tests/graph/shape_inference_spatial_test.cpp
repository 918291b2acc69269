// SPDX-License-Identifier: Apache-2.0
// Convolution, Deconvolution, Pool and Lrn: the sizes that Caffe computes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/graph/shapes.h"

namespace octavo::graph::test {
namespace {

using testing::HasSubstr;

Convolution geometry(std::int64_t kernel, std::int64_t stride, std::int64_t pad, std::int64_t dilation = 1) {
  Convolution conv = convolution(3, 8, kernel);
  conv.stride = {stride, stride};
  conv.pad_begin = conv.pad_end = {pad, pad};
  conv.dilation = {dilation, dilation};
  return conv;
}

TEST(ConvolutionShape, FollowsTheFormula) {
  EXPECT_EQ(shape(geometry(7, 2, 3), {{2, 3, 224, 224}}), (Shape{2, 8, 112, 112}));
  EXPECT_EQ(shape(geometry(11, 4, 0), {{1, 3, 227, 227}}), (Shape{1, 8, 55, 55}));
  EXPECT_EQ(shape(geometry(3, 1, 2, 2), {{1, 3, 9, 9}}), (Shape{1, 8, 9, 9}));
  EXPECT_EQ(shape(geometry(3, 2, 0), {{1, 3, 8, 3}}), (Shape{1, 8, 3, 1}));  // floor: the last column is not reached
}

TEST(ConvolutionShape, TakesEachSideByItself) {
  Convolution conv = convolution(3, 8, 1);
  conv.kernel = {1, 7};
  conv.weights = random_blob({8, 3, 1, 7}, 1);
  conv.pad_begin = {0, 3};
  conv.pad_end = {0, 2};
  conv.stride = {2, 1};
  EXPECT_EQ(shape(conv, {{1, 3, 10, 17}}), (Shape{1, 8, 5, 16}));
}

TEST(ConvolutionShape, CountsTheChannelsOfAllGroups) {
  Convolution conv = convolution(2, 8, 3);
  conv.groups = 4;
  EXPECT_EQ(shape(conv, {{1, 8, 5, 5}}), (Shape{1, 8, 3, 3}));
  EXPECT_THAT(shape_error(conv, {{1, 2, 5, 5}}), HasSubstr("2 input channels, but the weights [8,2,3,3] in 4 groups"));
}

TEST(ConvolutionShape, RefusesAKernelLargerThanThePaddedImage) {
  EXPECT_EQ(shape(geometry(5, 1, 1), {{1, 3, 3, 3}}), (Shape{1, 8, 1, 1}));
  EXPECT_THAT(shape_error(geometry(5, 1, 1), {{1, 3, 2, 3}}), HasSubstr("covers 5 of a padded height of 4"));
  EXPECT_THAT(shape_error(geometry(3, 1, 0, 4), {{1, 3, 9, 8}}), HasSubstr("covers 9 of a padded width of 8"));
}

TEST(ConvolutionShape, WantsAnImageAndAFittingResidual) {
  EXPECT_THAT(shape_error(geometry(1, 1, 0), {{1, 3}}), HasSubstr("[N,C,H,W]"));
  Convolution conv = geometry(1, 1, 0);
  conv.add_residual = true;
  EXPECT_EQ(shape(conv, {{1, 3, 4, 4}, {1, 8, 4, 4}}), (Shape{1, 8, 4, 4}));
  EXPECT_THAT(shape_error(conv, {{1, 3, 4, 4}, {1, 8, 4, 1}}), HasSubstr("residual [1,8,4,1]"));
}

TEST(ConvolutionShape, WantsASlopeForEachOutputChannel) {
  Convolution conv = geometry(1, 1, 0);
  conv.activation = {.kind = jit::ActivationKind::prelu, .slopes = constant({7}, 0.1F)};
  EXPECT_THAT(shape_error(conv, {{1, 3, 4, 4}}), HasSubstr("7 slopes for the 8 channels"));
}

Deconvolution deconvolution(std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  Deconvolution deconv;
  deconv.out_channels = 6;
  deconv.groups = 2;
  deconv.kernel = {kernel, kernel};
  deconv.stride = {stride, stride};
  deconv.pad_begin = deconv.pad_end = {pad, pad};
  deconv.weights = random_blob({4, 3, kernel, kernel}, 1);
  return deconv;
}

TEST(DeconvolutionShape, IsTheConvolutionsBackwards) {
  EXPECT_EQ(shape(deconvolution(4, 2, 1), {{1, 4, 7, 7}}), (Shape{1, 6, 14, 14}));
  EXPECT_EQ(shape(deconvolution(64, 32, 0), {{1, 4, 16, 1}}), (Shape{1, 6, 544, 64}));
  EXPECT_THAT(shape_error(deconvolution(2, 2, 2), {{1, 4, 2, 9}}),
              HasSubstr("leaves nothing of an output height of 4"));
  EXPECT_THAT(shape_error(deconvolution(2, 2, 0), {{1, 3, 2, 9}}), HasSubstr("3 input channels"));
}

TEST(DeconvolutionShape, DoesNotOverflow) {
  Deconvolution deconv = deconvolution(1, 1, 0);
  deconv.stride = {(std::int64_t{1} << 31) - 1, 1};
  EXPECT_THAT(shape_error(deconv, {{1, 4, std::int64_t{1} << 38, 1}}), HasSubstr("overflows"));
}

Pool pool(std::int64_t kernel, std::int64_t stride, std::int64_t pad, bool ceil_mode) {
  Pool op;
  op.kernel = {kernel, kernel};
  op.stride = {stride, stride};
  op.pad_begin = op.pad_end = {pad, pad};
  op.ceil_mode = ceil_mode;
  return op;
}

TEST(PoolShape, RoundsUpInCeilModeAndDownOtherwise) {
  EXPECT_EQ(shape(pool(3, 2, 0, true), {{1, 8, 112, 112}}), (Shape{1, 8, 56, 56}));
  EXPECT_EQ(shape(pool(3, 2, 0, false), {{1, 8, 112, 112}}), (Shape{1, 8, 55, 55}));
  EXPECT_EQ(shape(pool(3, 2, 0, true), {{1, 8, 113, 113}}), (Shape{1, 8, 56, 56}));  // divides: no difference
}

TEST(PoolShape, DropsAWindowThatWouldStartBehindTheImage) {
  // (4 + 2 - 2) / 2 = 2, so 3 windows, at -1, 1 and 3: the last one sees row 3.
  EXPECT_EQ(shape(pool(2, 2, 1, true), {{1, 1, 4, 4}}), (Shape{1, 1, 3, 3}));
  // (3 + 2 - 2) / 2 rounds up to 2; the third would start at 3, in the padding behind the image.
  EXPECT_EQ(shape(pool(2, 2, 1, true), {{1, 1, 3, 3}}), (Shape{1, 1, 2, 2}));
  // A stride beyond the kernel can miss the image without any padding.
  EXPECT_EQ(shape(pool(1, 2, 0, true), {{1, 1, 4, 4}}), (Shape{1, 1, 2, 2}));
}

TEST(PoolShape, TakesAnImageSmallerThanTheKernelInCeilMode) {
  EXPECT_EQ(shape(pool(3, 2, 0, true), {{1, 8, 2, 2}}), (Shape{1, 8, 1, 1}));
  EXPECT_THAT(shape_error(pool(3, 2, 0, false), {{1, 8, 2, 2}}), HasSubstr("covers 3 of a padded height of 2"));
  EXPECT_THAT(shape_error(pool(3, 1, 0, true), {{1, 8, 2, 2}}), HasSubstr("covers 3 of a padded height of 2"));
}

TEST(PoolShape, IsOnePixelWhenGlobal) {
  Pool op;
  op.global = true;
  EXPECT_EQ(shape(op, {{2, 8, 7, 9}}), (Shape{2, 8, 1, 1}));
  EXPECT_THAT(shape_error(op, {{2, 8}}), HasSubstr("[N,C,H,W]"));
}

/// The rule as Caffe states it, window by window: the most windows a step apart that reach the padded image's end, less
/// those that start behind the image and the padding before it.
std::int64_t windows_by_hand(std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  std::int64_t windows = 1;
  while ((windows - 1) * stride + kernel < size + 2 * pad) ++windows;
  while (windows > 1 && (windows - 1) * stride >= size + pad) --windows;
  return windows;
}

TEST(PoolShape, PropertyCeilModeCoversTheImageWithWindowsThatSeeIt) {
  for (std::int64_t kernel = 1; kernel <= 4; ++kernel)
    for (std::int64_t stride = 1; stride <= 4; ++stride)
      for (std::int64_t pad = 0; pad < kernel; ++pad)
        for (std::int64_t size = kernel; size <= 12; ++size) {
          const Shape out = shape(pool(kernel, stride, pad, true), {{1, 1, size, size}});
          EXPECT_EQ(out[2], windows_by_hand(size, kernel, stride, pad))
              << "size " << size << " kernel " << kernel << " stride " << stride << " pad " << pad;
        }
}

TEST(LrnShape, KeepsTheImage) {
  EXPECT_EQ(shape(Lrn{}, {{1, 8, 3, 3}}), (Shape{1, 8, 3, 3}));
  EXPECT_THAT(shape_error(Lrn{}, {{1, 8}}), HasSubstr("[N,C,H,W]"));
}

}  // namespace
}  // namespace octavo::graph::test
