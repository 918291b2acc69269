// SPDX-License-Identifier: Apache-2.0
// PNG through libpng. The library reports errors by longjmp: it is called only within guarded(), from lambdas that own
// nothing.
#include <png.h>

#include <array>
#include <csetjmp>
#include <cstring>

#include "octavo/error.h"
#include "runtime/picture_formats.h"

namespace octavo::runtime {
namespace {

/// Deflate cannot pack tighter: a file that claims more is found out before memory is allocated for it.
constexpr std::uint64_t kMaxDeflateRatio = 1032;
constexpr png_alloc_size_t kMaxChunkBytes = 8U << 20U;

class PngDecoder {
 public:
  PngDecoder(std::span<const std::byte> file, const std::string& where) : file_(file), left_(file), where_(where) {
    png_ = png_create_read_struct(
        PNG_LIBPNG_VER_STRING, this,
        [](png_structp png, png_const_charp text) {
          auto& self = *static_cast<PngDecoder*>(png_get_error_ptr(png));
          std::strncpy(self.message_.data(), text, self.message_.size() - 1);
          png_longjmp(png, 1);
        },
        [](png_structp, png_const_charp) {});
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw Error(ErrorKind::resource, "cannot start libpng", where_);
    }
  }
  ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  Picture decode() {
    guarded([this] {
      png_set_read_fn(png_, this, [](png_structp png, png_bytep to, png_size_t count) {
        auto& left = static_cast<PngDecoder*>(png_get_io_ptr(png))->left_;
        if (count > left.size()) png_error(png, "the file ends too early");
        std::memcpy(to, left.data(), count);
        left = left.subspan(count);
      });
      png_set_chunk_malloc_max(png_, kMaxChunkBytes);
      png_read_info(png_, info_);
    });
    const std::uint64_t height = png_get_image_height(png_, info_), width = png_get_image_width(png_, info_);
    check_picture_size(height, width, where_);
    if (height * png_get_rowbytes(png_, info_) > kMaxDeflateRatio * file_.size()) {
      throw Error(ErrorKind::malformed, "too short for the size it claims", where_, "is it cut off?");
    }
    int passes = 0;
    guarded([this, &passes] {
      png_set_expand(png_);       // palette to RGB, 1/2/4 bits to 8
      png_set_scale_16(png_);     // 16 bits to 8, rounded
      png_set_strip_alpha(png_);  // the colour under a transparent pixel counts, as with other image readers
      passes = png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
    });
    Picture picture{
        static_cast<std::int64_t>(height), static_cast<std::int64_t>(width), png_get_channels(png_, info_), {}};
    const std::size_t row_bytes = png_get_rowbytes(png_, info_);
    picture.pixels.resize(row_bytes * height);
    guarded([this, passes, height, row_bytes, pixels = picture.pixels.data()] {
      for (int pass = 0; pass < passes; ++pass) {
        for (std::size_t y = 0; y < height; ++y) png_read_row(png_, pixels + y * row_bytes, nullptr);
      }
      png_read_end(png_, info_);
    });
    return upright(std::move(picture), orientation());
  }

 private:
  /// Runs calls of the library; throws what they report. `calls` must own nothing that needs a destructor.
  template <class Calls>
  void guarded(Calls calls) {
    if (setjmp(png_jmpbuf(png_)) == 0) {  // NOLINT(cert-err52-cpp): the library offers no other way
      calls();
      return;
    }
    throw Error(ErrorKind::malformed, "not a readable PNG: " + std::string(message_.data()), where_);
  }

  int orientation() {
    png_bytep exif = nullptr;
    png_uint_32 size = 0;
    if (png_get_eXIf_1(png_, info_, &size, &exif) == 0) return 1;
    return exif_orientation(std::as_bytes(std::span(exif, size)));
  }

  std::span<const std::byte> file_, left_;
  const std::string& where_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::array<char, 256> message_{};
};

}  // namespace

Picture decode_png(std::span<const std::byte> file, const std::string& where) {
  return PngDecoder(file, where).decode();
}

}  // namespace octavo::runtime
