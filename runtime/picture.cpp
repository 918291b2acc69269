// SPDX-License-Identifier: Apache-2.0
// Reading a picture file: into memory, then by its first bytes to a decoder.
#include <array>
#include <fstream>
#include <new>
#include <string_view>
#include <vector>

#include "octavo/error.h"
#include "octavo/image.h"
#include "runtime/picture_formats.h"

namespace octavo {
namespace runtime {
namespace {

using namespace std::string_view_literals;

constexpr std::int64_t kMaxFileBytes = std::int64_t{1} << 30U;

/// Into memory rather than mapped: pictures often lie in folders that others write to.
std::vector<std::byte> read_file(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (error) throw Error(ErrorKind::io, "cannot open: " + error.message(), file.string());
  if (!std::filesystem::is_regular_file(status)) throw Error(ErrorKind::io, "not a regular file", file.string());
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  if (!stream) throw Error(ErrorKind::io, "cannot open", file.string());
  const std::int64_t size = stream.tellg();
  if (size > kMaxFileBytes) {
    throw Error(ErrorKind::unsupported, "a picture file of more than 1 GB", file.string());
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  stream.seekg(0);
  stream.read(reinterpret_cast<char*>(bytes.data()), size);  // NOLINT: bytes as characters
  if (!stream) throw Error(ErrorKind::io, "cannot read", file.string());
  return bytes;
}

bool starts_with(std::span<const std::byte> file, std::string_view text) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as characters
  return std::string_view(reinterpret_cast<const char*>(file.data()), file.size()).starts_with(text);
}

struct OtherFormat {
  std::string_view magic, name;
};
constexpr std::array kOtherFormats = {
    OtherFormat{"GIF8"sv, "GIF"},         OtherFormat{"BM"sv, "BMP"},     OtherFormat{"RIFF"sv, "WebP"},
    OtherFormat{"II*\0"sv, "TIFF"},       OtherFormat{"MM\0*"sv, "TIFF"}, OtherFormat{"\0\0\0\x0cjP  "sv, "JPEG 2000"},
    OtherFormat{"%PDF"sv, "PDF"},         OtherFormat{"P5\n"sv, "PGM"},   OtherFormat{"P6\n"sv, "PPM"},
    OtherFormat{"\xff\x0a"sv, "JPEG XL"},
};

}  // namespace

void check_picture_size(std::uint64_t height, std::uint64_t width, const std::string& where) {
  if (height == 0 || width == 0) throw Error(ErrorKind::malformed, "a picture without pixels", where);
  if (height > kMaxPictureSide || width > kMaxPictureSide || height * width > kMaxPicturePixels) {
    throw Error(ErrorKind::unsupported,
                "a picture of " + std::to_string(width) + " x " + std::to_string(height) + " pixels", where,
                "at most 65535 a side and 2^28 in all");
  }
}

}  // namespace runtime

Picture read_picture(const std::filesystem::path& file) {
  const auto bytes = runtime::read_file(file);
  const std::string where = file.string();
  try {
    if (runtime::starts_with(bytes, "\xff\xd8\xff")) return runtime::decode_jpeg(bytes, where);
    if (runtime::starts_with(bytes, "\x89PNG\r\n\x1a\n")) return runtime::decode_png(bytes, where);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::resource, "no memory for this picture", where);
  }
  for (const auto& other : runtime::kOtherFormats) {
    if (runtime::starts_with(bytes, other.magic)) {
      throw Error(ErrorKind::unsupported, "a " + std::string(other.name) + " file", where,
                  "pictures are JPEG or PNG files");
    }
  }
  throw Error(ErrorKind::malformed, bytes.empty() ? "an empty file" : "neither a JPEG nor a PNG file", where,
              "pictures are JPEG or PNG files");
}

}  // namespace octavo
