// SPDX-License-Identifier: Apache-2.0
// Bilinear resizing of 8-bit pictures.
#pragma once

#include "octavo/image.h"

namespace octavo::runtime {

/// Pixel centres are matched: output pixel i lies at (i + 0.5) * in / out - 0.5, edge pixels are repeated.
/// Plain: the two neighbours (OpenCV INTER_LINEAR). Antialiased: a triangle as wide as the shrinking asks (Pillow's
/// BILINEAR); the same as plain when enlarging. Within 1 grey level of both.
/// Throws Error(invalid_argument) when a size is not positive or the result is over 2^28 pixels.
[[nodiscard]] Picture resize(const Picture& picture, std::int64_t height, std::int64_t width, bool antialias);

}  // namespace octavo::runtime
