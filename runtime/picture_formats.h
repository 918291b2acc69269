// SPDX-License-Identifier: Apache-2.0
// The decoders behind read_picture(), one format each, and what they share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "octavo/image.h"

namespace octavo::runtime {

constexpr std::int64_t kMaxPicturePixels = std::int64_t{1} << 28U;
constexpr std::int64_t kMaxPictureSide = 65535;

/// Throws Error(unsupported) beyond the two limits above, Error(malformed) when a side is 0.
void check_picture_size(std::uint64_t height, std::uint64_t width, const std::string& where);

/// Both throw Error(malformed, unsupported, resource) with `where`, and apply the picture's EXIF orientation.
[[nodiscard]] Picture decode_jpeg(std::span<const std::byte> file, const std::string& where);
[[nodiscard]] Picture decode_png(std::span<const std::byte> file, const std::string& where);

/// The orientation (1 to 8) that EXIF data (from its TIFF header on) states; 1 when it states none or is broken.
[[nodiscard]] int exif_orientation(std::span<const std::byte> tiff) noexcept;
/// The picture as it is meant to be seen.
[[nodiscard]] Picture upright(Picture picture, int orientation);

}  // namespace octavo::runtime
