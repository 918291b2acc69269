// SPDX-License-Identifier: Apache-2.0
// Frames and labels on pictures: where they are, and that nothing lies outside.
#include "tools/octavo/drawing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

namespace octavo::tool {
namespace {

Picture blank(std::int64_t height, std::int64_t width) {
  return {height, width, 3, std::vector<std::uint8_t>(static_cast<std::size_t>(3 * height * width), 0)};
}
bool inked(const Picture& picture, std::int64_t y, std::int64_t x) {
  return picture.pixels[static_cast<std::size_t>(3 * (y * picture.width + x))] != 0;
}

TEST(Drawing, AFrameIsItsEdges) {
  Picture picture = blank(20, 30);
  draw_frame(picture, 5, 4, 15, 12, {255, 1, 2}, 2);
  for (std::int64_t y = 0; y < 20; ++y) {
    for (std::int64_t x = 0; x < 30; ++x) {
      const bool inside = x >= 5 && x < 15 && y >= 4 && y < 12;
      const bool hollow = x >= 7 && x < 13 && y >= 6 && y < 10;
      ASSERT_EQ(inked(picture, y, x), inside && !hollow) << y << ", " << x;
    }
  }
}

TEST(Drawing, PropertyHostileCornersDrawWithinThePicture) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float places[] = {-infinity, -1e30F, -3, 0, 7.4F, 100, 1e30F, infinity, std::nanf("")};
  for (const float left : places) {
    for (const float top : places) {
      for (const float right : places) {
        Picture picture = blank(9, 11);
        draw_frame(picture, left, top, right, 5, {9, 9, 9}, 3);
        draw_label(picture, left, top, "a rather long label: 100%", {9, 9, 9}, 4);
        ASSERT_EQ(picture.pixels.size(), 3U * 9 * 11);
      }
    }
  }
}

TEST(Drawing, LettersDifferAndSmallOnesLookLikeLargeOnes) {
  const auto shape = [](char c) {
    Picture picture = blank(7, 5);
    draw_label(picture, 0, 0, std::string(1, c), {200, 200, 200}, 1);
    return picture.pixels;
  };
  std::set<std::vector<std::uint8_t>> shapes;
  for (char c = 'A'; c <= 'Z'; ++c) {
    shapes.insert(shape(c));
    EXPECT_EQ(shape(c), shape(static_cast<char>(c + 'a' - 'A')));
  }
  for (char c = '0'; c <= '9'; ++c) shapes.insert(shape(c));
  EXPECT_EQ(shapes.size(), 35U) << "only O and 0 are alike";
  EXPECT_EQ(shape('O'), shape('0'));
}

TEST(Drawing, ColoursOfClassesDiffer) {
  std::set<Colour> colours;
  for (std::int64_t label = 0; label < 21; ++label) colours.insert(colour_of(label));
  EXPECT_EQ(colours.size(), 21U);
}

TEST(Thumbnail, IsTheMeanOfThePixelsAndSmallPicturesStay) {
  Picture picture{2, 4, 1, {0, 10, 20, 30, 40, 50, 60, 70}};
  const Picture half = thumbnail(picture, 2);
  EXPECT_EQ(half.height, 1);
  EXPECT_EQ(half.pixels, (std::vector<std::uint8_t>{25, 45}));
  EXPECT_EQ(thumbnail(picture, 4).pixels, picture.pixels);
  EXPECT_EQ(thumbnail(Picture{1, 1000, 1, std::vector<std::uint8_t>(1000, 7)}, 10).height, 1);
}

TEST(ToPng, BeginsAsAPngAndTakesGrayAndColour) {
  EXPECT_EQ(to_png(blank(3, 5)).substr(0, 4), "\x89PNG");
  EXPECT_EQ(to_png({2, 2, 1, {1, 2, 3, 4}}).substr(0, 4), "\x89PNG");
}

}  // namespace
}  // namespace octavo::tool
