// SPDX-License-Identifier: Apache-2.0
// Sizes on the way from a picture to a network's input; shared by what goes in and by what comes back as boxes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "octavo/error.h"
#include "octavo/image.h"

namespace octavo::runtime {

struct PixelSize {
  std::int64_t height, width;
  bool operator==(const PixelSize&) const = default;
};

/// Of the picture before it is cropped to `network`, the size of the network's input.
[[nodiscard]] inline PixelSize resized_size(PixelSize picture, const ImageInput& input, PixelSize network) {
  const PixelSize wanted{input.resize_h != 0 ? input.resize_h : network.height,
                         input.resize_w != 0 ? input.resize_w : network.width};
  if (input.resize_mode == ResizeMode::stretch) return wanted;
  const std::int64_t shorter = std::min(wanted.height, wanted.width);
  if (shorter > std::numeric_limits<std::int32_t>::max()) {
    throw Error(ErrorKind::invalid_argument, "a side of " + std::to_string(shorter) + " pixels", "image input");
  }
  if (picture.height < picture.width) return {shorter, shorter * picture.width / picture.height};
  return {shorter * picture.height / picture.width, shorter};
}

/// Top and left of the centre crop.
[[nodiscard]] inline std::pair<std::int64_t, std::int64_t> crop_corner(PixelSize resized, PixelSize crop) {
  return {(resized.height - crop.height) / 2, (resized.width - crop.width) / 2};
}

}  // namespace octavo::runtime
