// SPDX-License-Identifier: Apache-2.0
// JPEG through libjpeg-turbo. The library reports errors by longjmp: it is called only within guarded(), from lambdas
// that own nothing.
#include <cstdio>  // jpeglib.h needs FILE
// then
#include <jerror.h>
#include <jpeglib.h>

#include <array>
#include <csetjmp>
#include <string_view>
#include <vector>

#include "octavo/error.h"
#include "runtime/picture_formats.h"

namespace octavo::runtime {
namespace {

constexpr int kExifMarker = JPEG_APP0 + 1;
/// Real progressive files have about ten scans; a hostile one of thousands would keep a CPU busy for minutes.
constexpr int kMaxScans = 256;

/// Every 8x8 block takes at least one bit of the file (its DC code), so that a file of n bytes cannot hold more
/// than 512 n pixels: a larger claim is found out before memory is allocated for it. Not so with arithmetic coding.
constexpr std::uint64_t kMaxPixelsPerByte = 512;

/// Complaints about what surrounds the pixels; all other warnings of the library mean that pixels are missing or wrong.
bool harmless(int warning) {
  return warning == JWRN_EXTRANEOUS_DATA || warning == JWRN_TOO_MUCH_DATA || warning == JWRN_ADOBE_XFORM ||
         warning == JWRN_JFIF_MAJOR || warning == JWRN_BOGUS_ICC;
}

ErrorKind kind_of(int message) {
  switch (message) {
    case JERR_BAD_PRECISION:
    case JERR_ARITH_NOTIMPL:
    case JERR_SOF_UNSUPPORTED:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_IMAGE_TOO_BIG:
    case JERR_COMPONENT_COUNT:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
      return ErrorKind::unsupported;
    case JERR_OUT_OF_MEMORY:
      return ErrorKind::resource;
    default:
      return ErrorKind::malformed;
  }
}

class JpegDecoder {
 public:
  explicit JpegDecoder(const std::string& where) : where_(where) {
    info_.err = jpeg_std_error(&errors_);
    errors_.error_exit = [](j_common_ptr info) {
      auto& self = of(info);
      info->err->format_message(info, self.message_.data());
      std::longjmp(self.jump_, 1);
    };
    errors_.emit_message = [](j_common_ptr info, int level) {
      if (level < 0 && !harmless(info->err->msg_code)) info->err->error_exit(info);
    };
    errors_.output_message = [](j_common_ptr) {};
    info_.client_data = this;
    progress_.progress_monitor = [](j_common_ptr info) {
      if (of(info).info_.input_scan_number <= kMaxScans) return;
      constexpr std::string_view text = "more than 256 scans";
      text.copy(of(info).message_.data(), text.size());
      info->err->msg_code = 0;
      std::longjmp(of(info).jump_, 1);
    };
    guarded([this] { jpeg_create_decompress(&info_); });
    info_.progress = &progress_;
  }
  ~JpegDecoder() { jpeg_destroy_decompress(&info_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  Picture decode(std::span<const std::byte> file) {
    guarded([this, file] {
      // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as the library's bytes
      jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(file.data()), file.size());
      jpeg_save_markers(&info_, kExifMarker, 0xffff);
      jpeg_read_header(&info_, TRUE);
    });
    check_picture_size(info_.image_height, info_.image_width, where_);
    const auto pixels = std::uint64_t{info_.image_height} * info_.image_width;
    if (info_.arith_code == FALSE && pixels > kMaxPixelsPerByte * file.size()) {
      throw Error(ErrorKind::malformed, "too short for the size it claims", where_, "is it cut off?");
    }
    const bool cmyk = choose_colours();
    guarded([this] { jpeg_start_decompress(&info_); });
    Picture picture{info_.output_height, info_.output_width, cmyk ? 3 : info_.output_components, {}};
    picture.pixels.resize(static_cast<std::size_t>(picture.height * picture.width * picture.channels));
    if (cmyk) {
      read_cmyk(picture);
    } else {
      const auto row_bytes = static_cast<std::size_t>(picture.width * picture.channels);
      read_rows([&](std::size_t y) { return &picture.pixels[y * row_bytes]; }, [](std::size_t) {});
    }
    const int stored_orientation = orientation();
    guarded([this] { jpeg_finish_decompress(&info_); });  // frees the markers, too
    return upright(std::move(picture), stored_orientation);
  }

 private:
  static JpegDecoder& of(j_common_ptr info) { return *static_cast<JpegDecoder*>(info->client_data); }

  /// Runs calls of the library; throws what they report. `calls` must own nothing that needs a destructor.
  template <class Calls>
  void guarded(Calls calls) {
    if (setjmp(jump_) == 0) {  // NOLINT(cert-err52-cpp): the library offers no other way
      calls();
      return;
    }
    throw Error(kind_of(errors_.msg_code), "not a readable JPEG: " + std::string(message_.data()), where_);
  }

  /// Gray stays gray, colour becomes RGB; says whether CMYK must be converted here.
  bool choose_colours() {
    switch (info_.jpeg_color_space) {
      case JCS_GRAYSCALE:
        info_.out_color_space = JCS_GRAYSCALE;
        return false;
      case JCS_RGB:
      case JCS_YCbCr:
        info_.out_color_space = JCS_RGB;
        return false;
      case JCS_CMYK:
      case JCS_YCCK:
        info_.out_color_space = JCS_CMYK;
        return true;
      default:
        throw Error(ErrorKind::unsupported,
                    "a JPEG of " + std::to_string(info_.num_components) + " components of unknown meaning", where_);
    }
  }

  template <class RowOf, class Done>
  void read_rows(RowOf row_of, Done done) {
    for (std::size_t y = 0; y < info_.output_height; ++y) {
      JSAMPROW row = row_of(y);
      guarded([this, row] {
        JSAMPROW rows = row;
        jpeg_read_scanlines(&info_, &rows, 1);
      });
      done(y);
    }
  }

  /// Adobe's files store ink upside down (255: none). Without a colour profile: R = (1 - C)(1 - K), and so on.
  void read_cmyk(Picture& picture) {
    const bool inverted = info_.saw_Adobe_marker != FALSE;
    std::vector<JSAMPLE> inks(static_cast<std::size_t>(picture.width) * 4);
    std::size_t out = 0;
    read_rows([&](std::size_t) { return inks.data(); },
              [&](std::size_t) {
                for (std::size_t x = 0; x < inks.size(); x += 4) {
                  const int paper = inverted ? inks[x + 3] : 255 - inks[x + 3];
                  for (std::size_t c = 0; c < 3; ++c) {
                    const int light = inverted ? inks[x + c] : 255 - inks[x + c];
                    picture.pixels[out++] = static_cast<std::uint8_t>((light * paper + 127) / 255);
                  }
                }
              });
  }

  int orientation() const {
    constexpr std::size_t kPrefix = 6;  // "Exif\0\0"
    for (const auto* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
      if (marker->marker != kExifMarker || marker->data_length < kPrefix) continue;
      const auto data = std::as_bytes(std::span(marker->data, marker->data_length));
      if (data[0] == std::byte{'E'} && data[1] == std::byte{'x'}) return exif_orientation(data.subspan(kPrefix));
    }
    return 1;
  }

  const std::string& where_;
  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_{};
  std::array<char, JMSG_LENGTH_MAX> message_{};
};

}  // namespace

Picture decode_jpeg(std::span<const std::byte> file, const std::string& where) {
  return JpegDecoder(where).decode(file);
}

}  // namespace octavo::runtime
