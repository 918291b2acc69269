// SPDX-License-Identifier: Apache-2.0
// Reading JPEG and PNG: every kind of pixel, orientation, and hostile files.
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <random>

#include "octavo/error.h"
#include "octavo/image.h"
#include "runtime/picture_formats.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/picture_files.h"

namespace octavo {
namespace {

using test::Bytes;
using test::encode_jpeg;
using test::encode_png;
using test::expect_error;
using test::sample_picture;

class PictureTest : public testing::Test {
 protected:
  Picture read(const Bytes& file) const { return read_picture(folder_.put("picture", file)); }
  test::TemporaryFolder folder_;
};

int largest_difference(const Picture& a, const Picture& b) {
  EXPECT_EQ(a.height, b.height);
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.channels, b.channels);
  if (a.pixels.size() != b.pixels.size()) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  return largest;
}

TEST_F(PictureTest, JpegGivesBackColourAndGrayWithinAFewLevels) {
  for (const std::int64_t channels : {3, 1}) {
    for (const bool progressive : {false, true}) {
      const Picture picture = sample_picture(61, 83, channels);
      EXPECT_LE(largest_difference(read(encode_jpeg(picture, {.progressive = progressive})), picture), 6)
          << channels << " channels";
    }
  }
}

TEST_F(PictureTest, CmykJpegIsLightTimesPaper) {
  // Written by libjpeg with an Adobe marker: 255 means no ink.
  Picture inks{16, 16, 4, {}};
  for (int i = 0; i < 256; ++i) inks.pixels.insert(inks.pixels.end(), {200, 100, 50, 128});
  Bytes file = encode_jpeg(inks, {.quality = 100, .colours = JCS_CMYK});
  const Picture adobe = read(file);
  ASSERT_EQ(adobe.channels, 3);
  EXPECT_NEAR(adobe.pixels[0], 200 * 128 / 255, 2);
  EXPECT_NEAR(adobe.pixels[1], 100 * 128 / 255, 2);
  EXPECT_NEAR(adobe.pixels[2], 50 * 128 / 255, 2);
  // The same without the marker ("Adobe" spoilt): 255 means full ink.
  constexpr std::string_view name = "Adobe";
  const auto marker = std::search(file.begin(), file.end(), name.begin(), name.end());
  ASSERT_NE(marker, file.end());
  *marker = 'X';
  EXPECT_NEAR(read(file).pixels[0], (255 - 200) * (255 - 128) / 255, 2);
}

TEST_F(PictureTest, PngIsExactInterlacedOrNot) {
  for (const std::int64_t channels : {3, 1}) {
    for (const bool interlaced : {false, true}) {
      const Picture picture = sample_picture(37, 29, channels);
      EXPECT_EQ(read(encode_png(picture, {.interlaced = interlaced})).pixels, picture.pixels);
    }
  }
}

TEST_F(PictureTest, SixteenBitPngIsRoundedToEight) {
  const Bytes rows = {0x00, 0x00, 0x00, 0x80, 0x00, 0x81, 0x7f, 0xff, 0xff, 0x7e, 0xff, 0xff};  // 6 gray pixels
  const Picture picture = read(encode_png(1, 6, rows, {.colour_type = PNG_COLOR_TYPE_GRAY, .bit_depth = 16}));
  ASSERT_EQ(picture.pixels.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    const int wide = rows[2 * i] * 256 + rows[2 * i + 1];
    EXPECT_EQ(picture.pixels[i], (wide + 128) / 257) << wide;
  }
}

TEST_F(PictureTest, OneBitGrayBecomesBlackAndWhite) {
  const Picture picture =
      read(encode_png(1, 8, Bytes{0b10110001}, {.colour_type = PNG_COLOR_TYPE_GRAY, .bit_depth = 1}));
  EXPECT_EQ(picture.channels, 1);
  EXPECT_EQ(picture.pixels, (Bytes{255, 0, 255, 255, 0, 0, 0, 255}));
}

TEST_F(PictureTest, PaletteBecomesColours) {
  const Picture picture =
      read(encode_png(1, 3, Bytes{2, 0, 1},
                      {.colour_type = PNG_COLOR_TYPE_PALETTE, .palette = {{10, 20, 30}, {40, 50, 60}, {70, 80, 90}}}));
  EXPECT_EQ(picture.channels, 3);
  EXPECT_EQ(picture.pixels, (Bytes{70, 80, 90, 10, 20, 30, 40, 50, 60}));
}

TEST_F(PictureTest, AlphaIsDropped) {
  const Bytes rgba = {1, 2, 3, 0, 4, 5, 6, 128};
  EXPECT_EQ(read(encode_png(1, 2, rgba, {.colour_type = PNG_COLOR_TYPE_RGB_ALPHA})).pixels, (Bytes{1, 2, 3, 4, 5, 6}));
  const Bytes gray_alpha = {9, 0, 8, 255};
  const Picture gray = read(encode_png(1, 2, gray_alpha, {.colour_type = PNG_COLOR_TYPE_GRAY_ALPHA}));
  EXPECT_EQ(gray.channels, 1);
  EXPECT_EQ(gray.pixels, (Bytes{9, 8}));
}

TEST_F(PictureTest, OrientationPutsTheUprightPictureBack) {
  // The eight orientations of  1 2 3   as a camera stores them (Exif 2.3, tag 0x0112: where the 0th row and column
  //                            4 5 6   of the stored picture belong).
  const Bytes upright = {1, 2, 3, 4, 5, 6};
  struct Stored {
    std::int64_t height, width;
    Bytes pixels;
  };
  const Stored stored[] = {{2, 3, {1, 2, 3, 4, 5, 6}}, {2, 3, {3, 2, 1, 6, 5, 4}}, {2, 3, {6, 5, 4, 3, 2, 1}},
                           {2, 3, {4, 5, 6, 1, 2, 3}}, {3, 2, {1, 4, 2, 5, 3, 6}}, {3, 2, {3, 6, 2, 5, 1, 4}},
                           {3, 2, {6, 3, 5, 2, 4, 1}}, {3, 2, {4, 1, 5, 2, 6, 3}}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Stored& file = stored[orientation - 1];
    const Picture picture = read(encode_png(file.height, file.width, file.pixels,
                                            {.colour_type = PNG_COLOR_TYPE_GRAY, .orientation = orientation}));
    EXPECT_EQ(picture.height, 2) << orientation;
    EXPECT_EQ(picture.width, 3) << orientation;
    EXPECT_EQ(picture.pixels, upright) << orientation;
  }
}

TEST_F(PictureTest, JpegOrientationIsApplied) {
  const Picture picture = sample_picture(40, 64, 3);
  const Picture turned = read(encode_jpeg(picture, {.orientation = 6}));  // to be turned clockwise
  ASSERT_EQ(turned.height, 64);
  ASSERT_EQ(turned.width, 40);
  EXPECT_LE(largest_difference(turned, runtime::upright(picture, 6)), 6);
}

TEST(ExifOrientation, BrokenDataMeansUpright) {
  const Bytes good = test::exif_bytes(6);
  EXPECT_EQ(runtime::exif_orientation(std::as_bytes(std::span(good))), 6);
  for (std::size_t size = 0; size < 20; ++size) {
    EXPECT_EQ(runtime::exif_orientation(std::as_bytes(std::span(good).first(size))), 1) << size;
  }
  const Bytes big_endian = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0};
  EXPECT_EQ(runtime::exif_orientation(std::as_bytes(std::span(big_endian))), 8);
  Bytes far = good;
  far[4] = far[5] = far[6] = far[7] = 0xff;  // a directory far outside
  EXPECT_EQ(runtime::exif_orientation(std::as_bytes(std::span(far))), 1);
  Bytes out_of_range = good;
  out_of_range[18] = 9;
  EXPECT_EQ(runtime::exif_orientation(std::as_bytes(std::span(out_of_range))), 1);
}

TEST_F(PictureTest, WhatIsNoPictureIsNamed) {
  expect_error(ErrorKind::io, "nowhere.jpg", [&] { (void)read_picture(folder_ / "nowhere.jpg"); });
  expect_error(ErrorKind::io, "regular file", [&] { (void)read_picture(folder_.path()); });
  expect_error(ErrorKind::malformed, "empty", [&] { (void)read({}); });
  expect_error(ErrorKind::malformed, "neither", [&] { (void)read({'h', 'e', 'l', 'l', 'o'}); });
  expect_error(ErrorKind::unsupported, "GIF", [&] { (void)read({'G', 'I', 'F', '8', '9', 'a'}); });
  expect_error(ErrorKind::unsupported, "TIFF", [&] { (void)read({'I', 'I', '*', 0, 8, 0}); });
}

TEST_F(PictureTest, EveryTruncationIsAnError) {
  const Bytes files[] = {
      encode_jpeg(sample_picture(33, 47, 3)), encode_jpeg(sample_picture(33, 47, 3), {.progressive = true}),
      encode_png(sample_picture(33, 47, 3)), encode_png(sample_picture(33, 47, 1), {.interlaced = true})};
  for (const Bytes& file : files) {
    for (std::size_t size = 0; size < file.size(); ++size) {
      // The last bytes of a JPEG may be the fill bits of the last code: a decoder has all pixels without them.
      if (file[0] == 0xff && size + 4 > file.size()) break;
      const Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_THROW((void)read(cut), Error) << "cut to " << size << " of " << file.size();
    }
  }
}

TEST_F(PictureTest, FlippedBytesGiveAPictureOrAnErrorNeverACrash) {
  std::mt19937 random(7);
  const Bytes files[] = {encode_jpeg(sample_picture(33, 47, 3)),
                         encode_jpeg(sample_picture(33, 47, 1), {.progressive = true, .orientation = 5}),
                         encode_png(sample_picture(33, 47, 3), {.orientation = 3}),
                         encode_png(sample_picture(33, 47, 1), {.interlaced = true})};
  int errors = 0;
  for (const Bytes& file : files) {
    for (std::size_t at = 0; at < file.size(); ++at) {
      Bytes spoilt = file;
      spoilt[at] ^= static_cast<std::uint8_t>(1 + random() % 255);
      try {
        const Picture picture = read(spoilt);
        EXPECT_EQ(static_cast<std::int64_t>(picture.pixels.size()), picture.height * picture.width * picture.channels);
      } catch (const Error&) {
        ++errors;
      }
    }
  }
  EXPECT_GT(errors, 300);
}

TEST_F(PictureTest, ClaimsOfHugePicturesAreRefusedBeforeMemoryIsTaken) {
  Bytes jpeg = encode_jpeg(sample_picture(16, 16, 3));
  constexpr std::uint8_t start_of_frame[] = {0xff, 0xc0};
  const auto frame = std::search(jpeg.begin(), jpeg.end(), std::begin(start_of_frame), std::end(start_of_frame));
  ASSERT_NE(frame, jpeg.end());
  for (int i = 5; i < 9; ++i) frame[i] = 0x3f;  // 16191 x 16191, within the limits
  expect_error(ErrorKind::malformed, "too short", [&] { (void)read(jpeg); });
  for (int i = 5; i < 9; ++i) frame[i] = 0xf0;  // 61680 x 61680, beyond them
  expect_error(ErrorKind::unsupported, "61680 x 61680", [&] { (void)read(jpeg); });

  for (const auto& [side, kind] : {std::pair{16000, ErrorKind::malformed}, std::pair{60000, ErrorKind::unsupported},
                                   std::pair{1000000, ErrorKind::unsupported}}) {
    Bytes png = encode_png(sample_picture(8, 8, 3));
    for (const std::size_t field : {16U, 20U}) {
      for (std::size_t i = 0; i < 4; ++i) png[field + i] = static_cast<std::uint8_t>(side >> (24U - 8U * i));
    }
    const auto crc = crc32(0, &png[12], 17);
    for (std::size_t i = 0; i < 4; ++i) png[29 + i] = static_cast<std::uint8_t>(crc >> (24U - 8U * i));
    EXPECT_THROW((void)read(png), Error);
    try {
      (void)read(png);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
    }
  }
}

TEST_F(PictureTest, AProgressiveFileOfHundredsOfScansIsRefused) {
  // Valid, but made to keep a decoder busy: each coefficient in a scan of its own, bit by bit.
  const auto scans = [](int bits) {
    std::vector<jpeg_scan_info> list = {{1, {0}, 0, 0, 0, 0}};
    for (int coefficient = 1; coefficient < 64; ++coefficient) {
      list.push_back({1, {0}, coefficient, coefficient, 0, bits});
      for (int bit = bits; bit > 0; --bit) list.push_back({1, {0}, coefficient, coefficient, bit, bit - 1});
    }
    return list;
  };
  const Picture picture = sample_picture(16, 16, 1);
  EXPECT_LE(largest_difference(read(encode_jpeg(picture, {.scans = scans(1)})), picture), 6);  // 127 scans
  expect_error(ErrorKind::malformed, "256 scans", [&] { (void)read(encode_jpeg(picture, {.scans = scans(5)})); });
}

}  // namespace
}  // namespace octavo
