// SPDX-License-Identifier: Apache-2.0
// JPEG and PNG files made in memory, for the tests of the decoders.
#pragma once

#include <cstdio>  // jpeglib.h needs FILE
// then
#include <jpeglib.h>
#include <png.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "octavo/image.h"
#include "tests/runtime/temporary_folder.h"

namespace octavo::test {

/// Smooth colours with a few edges: any decoder gives them back within a few grey levels.
inline Picture sample_picture(std::int64_t height, std::int64_t width, std::int64_t channels) {
  Picture picture{height, width, channels, {}};
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::int64_t ramp = c == 0   ? 255 * y / height
                                  : c == 1 ? 255 * x / width
                                           : 255 * (x + y) / (height + width);
        picture.pixels.push_back(static_cast<std::uint8_t>(ramp));
      }
    }
  }
  return picture;
}

/// A little-endian TIFF directory with one entry: the orientation.
inline Bytes exif_bytes(int orientation) {
  return {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, static_cast<std::uint8_t>(orientation),
          0,   0,   0,  0, 0, 0, 0};
}

struct JpegOptions {
  int quality = 95;
  bool progressive = false;
  J_COLOR_SPACE colours = JCS_UNKNOWN;  ///< JCS_CMYK: the picture has four channels
  int orientation = 0;
  std::vector<jpeg_scan_info> scans = {};  ///< a progression of one's own
};

inline Bytes encode_jpeg(const Picture& picture, const JpegOptions& options = {}) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;  // NOLINT(google-runtime-int): the library's type
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_height = static_cast<JDIMENSION>(picture.height);
  info.image_width = static_cast<JDIMENSION>(picture.width);
  info.input_components = static_cast<int>(picture.channels);
  info.in_color_space = options.colours != JCS_UNKNOWN ? options.colours
                        : picture.channels == 1        ? JCS_GRAYSCALE
                                                       : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, options.quality, TRUE);
  if (options.progressive) jpeg_simple_progression(&info);
  if (!options.scans.empty()) {
    info.scan_info = options.scans.data();
    info.num_scans = static_cast<int>(options.scans.size());
  }
  jpeg_start_compress(&info, TRUE);
  if (options.orientation != 0) {
    Bytes exif = {'E', 'x', 'i', 'f', 0, 0};
    const Bytes tiff = exif_bytes(options.orientation);
    exif.insert(exif.end(), tiff.begin(), tiff.end());
    jpeg_write_marker(&info, JPEG_APP0 + 1, exif.data(), static_cast<unsigned>(exif.size()));
  }
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<JSAMPROW>(  // NOLINT: the library reads only
        &picture.pixels[static_cast<std::size_t>(info.next_scanline * picture.width * picture.channels)]);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  Bytes file(buffer, buffer + size);
  std::free(buffer);  // NOLINT: the library's malloc
  return file;
}

struct PngOptions {
  int colour_type = PNG_COLOR_TYPE_RGB, bit_depth = 8;
  bool interlaced = false;
  int orientation = 0;
  std::vector<png_color> palette = {};
};

/// `rows`: packed as PNG packs them (16 bits: big-endian).
inline Bytes encode_png(std::int64_t height, std::int64_t width, const Bytes& rows, const PngOptions& options = {}) {
  Bytes file;
  auto* png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  auto* info = png_create_info_struct(png);
  png_set_write_fn(
      png, &file,
      [](png_structp self, png_bytep data, png_size_t count) {
        auto& to = *static_cast<Bytes*>(png_get_io_ptr(self));
        to.insert(to.end(), data, data + count);
      },
      [](png_structp) {});
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), options.bit_depth,
               options.colour_type, options.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!options.palette.empty()) {
    png_set_PLTE(png, info, options.palette.data(), static_cast<int>(options.palette.size()));
  }
  if (options.orientation != 0) {
    Bytes exif = exif_bytes(options.orientation);
    png_set_eXIf_1(png, info, static_cast<png_uint_32>(exif.size()), exif.data());
  }
  png_write_info(png, info);
  const std::size_t row_bytes = rows.size() / static_cast<std::size_t>(height);
  std::vector<png_bytep> pointers;
  for (std::int64_t y = 0; y < height; ++y) {
    pointers.push_back(const_cast<png_bytep>(&rows[static_cast<std::size_t>(y) * row_bytes]));  // NOLINT: read only
  }
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return file;
}

inline Bytes encode_png(const Picture& picture, PngOptions options = {}) {
  options.colour_type = picture.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB;
  return encode_png(picture.height, picture.width, picture.pixels, options);
}

}  // namespace octavo::test
