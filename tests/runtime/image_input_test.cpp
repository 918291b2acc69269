// SPDX-License-Identifier: Apache-2.0
// From pictures to network inputs: resizing, cropping, channel order, mean and scale.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include "octavo/image.h"
#include "runtime/resize.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/picture_files.h"

namespace octavo {
namespace {

using runtime::resize;
using test::expect_error;
using test::sample_picture;

Picture gray(std::int64_t height, std::int64_t width, std::vector<std::uint8_t> pixels) {
  return {height, width, 1, std::move(pixels)};
}

TEST(Resize, TheSameSizeIsTheSamePicture) {
  const Picture picture = sample_picture(9, 7, 3);
  EXPECT_EQ(resize(picture, 9, 7, false).pixels, picture.pixels);
  EXPECT_EQ(resize(picture, 9, 7, true).pixels, picture.pixels);
}

TEST(Resize, MatchesPixelCentres) {
  // Twice as large: output i lies at (i + 0.5) / 2 - 0.5 = -0.25, 0.25, 0.75, 1.25; the first and last are repeated.
  EXPECT_EQ(resize(gray(1, 2, {0, 200}), 1, 4, false).pixels, (std::vector<std::uint8_t>{0, 50, 150, 200}));
  EXPECT_EQ(resize(gray(2, 1, {0, 200}), 4, 1, false).pixels, (std::vector<std::uint8_t>{0, 50, 150, 200}));
  // A third: output 0 lies at 1.0, exactly on the middle pixel.
  EXPECT_EQ(resize(gray(1, 3, {10, 90, 50}), 1, 1, false).pixels, (std::vector<std::uint8_t>{90}));
}

TEST(Resize, AntialiasedShrinkingIsATriangle) {
  // Half: the triangle reaches 2 pixels, weights 1/8 3/8 3/8 1/8 inside; the edge cuts it to 3/7 3/7 1/7.
  const Picture small = resize(gray(1, 8, {0, 0, 0, 80, 80, 0, 0, 0}), 1, 4, true);
  EXPECT_EQ(small.pixels, (std::vector<std::uint8_t>{0, 40, 40, 0}));
}

TEST(Resize, AConstantStaysConstant) {
  const Picture flat{31, 17, 3, std::vector<std::uint8_t>(31 * 17 * 3, 137)};
  for (const bool antialias : {false, true}) {
    for (const auto& [h, w] : {std::pair{5, 90}, {64, 3}, {1, 1}, {200, 200}}) {
      const Picture out = resize(flat, h, w, antialias);
      EXPECT_TRUE(std::all_of(out.pixels.begin(), out.pixels.end(), [](auto p) { return p == 137; })) << h << " " << w;
    }
  }
}

TEST(Resize, SizesOutOfRangeAreErrors) {
  expect_error(ErrorKind::invalid_argument, "0 x 3", [] { (void)resize(sample_picture(2, 2, 1), 3, 0, false); });
  expect_error(ErrorKind::invalid_argument, "cannot resize",
               [] { (void)resize(sample_picture(2, 2, 1), std::int64_t{1} << 40U, 1LL << 40U, false); });
}

TEST(ToInput, ChannelsGoWhereTheOrderSays) {
  const Picture picture{1, 2, 3, {1, 2, 3, 4, 5, 6}};
  ImageInput input;
  input.order = ChannelOrder::bgr;
  const Tensor bgr = to_input(picture, input, {1, 3, 1, 2});
  EXPECT_EQ(bgr.shape(), (Shape{1, 3, 1, 2}));
  EXPECT_TRUE(std::ranges::equal(bgr.values(), std::vector<float>{3, 6, 2, 5, 1, 4}));
  input.order = ChannelOrder::rgb;
  EXPECT_TRUE(
      std::ranges::equal(to_input(picture, input, {1, 3, 1, 2}).values(), std::vector<float>{1, 4, 2, 5, 3, 6}));
  input.order = ChannelOrder::gray;  // 0.299 R + 0.587 G + 0.114 B
  EXPECT_TRUE(std::ranges::equal(to_input(picture, input, {1, 1, 1, 2}).values(), std::vector<float>{2, 5}));
  input.order = ChannelOrder::rgb;
  EXPECT_TRUE(std::ranges::equal(to_input(gray(1, 2, {7, 8}), input, {1, 3, 1, 2}).values(),
                                 std::vector<float>{7, 8, 7, 8, 7, 8}));
}

TEST(ToInput, MeanIsTakenOffThenScaled) {
  const Picture picture{1, 1, 3, {10, 20, 30}};
  ImageInput input;
  input.order = ChannelOrder::rgb;
  input.mean = {1, 2, 3};
  input.scale = {2, 0.5F, 1};
  EXPECT_TRUE(std::ranges::equal(to_input(picture, input, {1, 3, 1, 1}).values(), std::vector<float>{18, 9, 27}));
  input.mean = {10};
  input.scale = {0.5F};
  EXPECT_TRUE(std::ranges::equal(to_input(picture, input, {1, 3, 1, 1}).values(), std::vector<float>{0, 5, 10}));
}

TEST(ToInput, TheCentreIsCropped) {
  // 4 x 5 to a network of 2 x 2: one row off the top, one column off the left (the odd pixel goes at the right).
  std::vector<std::uint8_t> pixels(20);
  for (std::size_t i = 0; i < 20; ++i) pixels[i] = static_cast<std::uint8_t>(i);
  ImageInput input;
  input.order = ChannelOrder::gray;
  input.resize_h = 4;
  input.resize_w = 5;
  EXPECT_TRUE(
      std::ranges::equal(to_input(gray(4, 5, pixels), input, {1, 1, 2, 2}).values(), std::vector<float>{6, 7, 11, 12}));
}

TEST(ToInput, AMeanImageOfTheResizedSizeIsCroppedAlong) {
  ImageInput input;
  input.order = ChannelOrder::gray;
  input.resize_h = input.resize_w = 3;
  input.mean_image = Tensor({1, 3, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8});
  const Picture flat = gray(3, 3, std::vector<std::uint8_t>(9, 10));
  EXPECT_TRUE(std::ranges::equal(to_input(flat, input, {1, 1, 1, 1}).values(), std::vector<float>{6}));
  input.mean_image = Tensor({1, 1, 1}, {3});
  EXPECT_TRUE(std::ranges::equal(to_input(flat, input, {1, 1, 1, 1}).values(), std::vector<float>{7}));
  input.mean_image = Tensor({1, 2, 2}, {1, 2, 3, 4});
  expect_error(ErrorKind::invalid_argument, "mean image is 2 x 2", [&] { (void)to_input(flat, input, {1, 1, 1, 1}); });
}

TEST(ToInput, TheShorterSideIsResizedAndTheAspectKept) {
  ImageInput input;
  input.order = ChannelOrder::rgb;
  input.resize_mode = ResizeMode::shorter_side;
  input.resize_h = input.resize_w = 8;
  // 40 wide, 20 high, the colour tells the column: resized to 16 x 8, then columns 4..11 are kept.
  Picture wide{20, 40, 3, {}};
  for (int i = 0; i < 20 * 40; ++i) {
    const auto column = static_cast<std::uint8_t>(i % 40 * 4);
    wide.pixels.insert(wide.pixels.end(), {column, column, column});
  }
  const Tensor tensor = to_input(wide, input, {1, 3, 8, 8});
  for (int x = 0; x < 8; ++x) {
    const double column = (x + 4 + 0.5) * 2.5 - 0.5;  // of the original
    EXPECT_NEAR(tensor.data()[x], column * 4, 0.51) << x;
  }
}

TEST(ToInput, WhatDoesNotFitIsNamed) {
  const Picture picture = sample_picture(8, 8, 3);
  const auto fails = [&](const char* part, const Shape& shape, const std::function<void(ImageInput&)>& change) {
    ImageInput input;
    change(input);
    expect_error(ErrorKind::invalid_argument, part, [&] { (void)to_input(picture, input, shape); });
  };
  const auto nothing = [](ImageInput&) {};
  fails("not [N, C, H, W]", {1, 10}, nothing);
  fails("takes 1 channels", {1, 1, 8, 8}, nothing);
  fails("cropped to 4 x 4", {1, 3, 8, 8}, [](ImageInput& i) { i.crop_h = i.crop_w = 4; });
  fails("less than the network's input", {1, 3, 8, 8}, [](ImageInput& i) { i.resize_h = 4; });
  fails("2 mean values", {1, 3, 8, 8}, [](ImageInput& i) { i.mean = {1, 2}; });
  fails("0 scales", {1, 3, 8, 8}, [](ImageInput& i) { i.scale.clear(); });
  fails("negative", {1, 3, 8, 8}, [](ImageInput& i) { i.resize_w = -1; });
  fails("both mean", {1, 3, 8, 8}, [](ImageInput& i) {
    i.mean = {1};
    i.mean_image = Tensor(Shape{3, 8, 8});
  });
  Picture broken = picture;
  broken.pixels.pop_back();
  expect_error(ErrorKind::invalid_argument, "191 bytes", [&] { (void)to_input(broken, ImageInput{}, {1, 3, 8, 8}); });
}

TEST(ToInput, RealPicturesGiveInputsInRange) {
  const std::filesystem::path folder = std::filesystem::path(OCTAVO_SHARED_DATA) / "images/imagenet500";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no real pictures at " << folder;
  ImageInput input;
  input.resize_h = input.resize_w = 256;
  input.mean = {104, 117, 123};
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const Picture picture = read_picture(entry.path());
    const Tensor tensor = to_input(picture, input, {1, 3, 224, 224});
    double sum = 0;
    for (const float value : tensor.values()) {
      ASSERT_GE(value, -123.0F);
      ASSERT_LE(value, 151.0F);
      sum += value;
    }
    EXPECT_LT(std::abs(sum / static_cast<double>(tensor.size())), 130.0) << entry.path();
    if (++seen == 40) break;
  }
  EXPECT_EQ(seen, 40);
}

}  // namespace
}  // namespace octavo
