// SPDX-License-Identifier: Apache-2.0
// EXIF orientation (Exif 2.3, tag 0x0112): reading it, and turning the picture.
#include <array>
#include <optional>
#include <utility>

#include "runtime/picture_formats.h"

namespace octavo::runtime {
namespace {

/// Reads 16- and 32-bit numbers of either byte order, never beyond the end.
class TiffReader {
 public:
  explicit TiffReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  bool start() {
    if (bytes_.size() < 2 || bytes_[0] != bytes_[1]) return false;
    big_endian_ = bytes_[0] == std::byte{'M'};
    return big_endian_ || bytes_[0] == std::byte{'I'};
  }
  [[nodiscard]] std::optional<std::uint32_t> number(std::size_t at, std::size_t count) const {
    if (at > bytes_.size() || count > bytes_.size() - at) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      value = (value << 8U) | static_cast<std::uint32_t>(bytes_[at + (big_endian_ ? i : count - 1 - i)]);
    }
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  bool big_endian_ = false;
};

constexpr std::uint32_t kTiffMagic = 42, kOrientationTag = 0x0112, kShortType = 3;
constexpr std::size_t kEntryBytes = 12;

}  // namespace

int exif_orientation(std::span<const std::byte> tiff) noexcept {
  TiffReader reader(tiff);
  if (!reader.start() || reader.number(2, 2) != kTiffMagic) return 1;
  const auto directory = reader.number(4, 4);
  const auto entries = directory ? reader.number(*directory, 2) : std::nullopt;
  for (std::size_t i = 0; i < entries.value_or(0); ++i) {
    const std::size_t entry = *directory + 2 + i * kEntryBytes;
    if (reader.number(entry, 2) != kOrientationTag) continue;
    const auto value = reader.number(entry + 8, 2);
    const bool valid = reader.number(entry + 2, 2) == kShortType && value.value_or(0) >= 1 && *value <= 8;
    return valid ? static_cast<int>(*value) : 1;
  }
  return 1;
}

Picture upright(Picture picture, int orientation) {
  if (orientation <= 1 || orientation > 8) return picture;
  // Output pixel (y, x) comes from (a, b) = transposed ? (x, y) : (y, x), counted from the far side where flipped.
  const bool transposed = orientation >= 5;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  Picture turned{picture.height, picture.width, picture.channels, {}};
  if (transposed) std::swap(turned.height, turned.width);
  turned.pixels.reserve(picture.pixels.size());
  for (std::int64_t y = 0; y < turned.height; ++y) {
    for (std::int64_t x = 0; x < turned.width; ++x) {
      std::int64_t a = transposed ? x : y, b = transposed ? y : x;
      if (from_bottom) a = picture.height - 1 - a;
      if (from_right) b = picture.width - 1 - b;
      const std::int64_t from = (a * picture.width + b) * picture.channels;
      for (std::int64_t c = 0; c < picture.channels; ++c) {
        turned.pixels.push_back(picture.pixels[static_cast<std::size_t>(from + c)]);
      }
    }
  }
  return turned;
}

}  // namespace octavo::runtime
