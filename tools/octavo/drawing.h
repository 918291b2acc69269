// SPDX-License-Identifier: Apache-2.0
// Boxes with labels on pictures, and pictures as PNG.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "octavo/image.h"

namespace octavo::tool {

using Colour = std::array<std::uint8_t, 3>;  ///< red, green, blue

/// A colour for each class: neighbours differ well; the same on every run.
[[nodiscard]] Colour colour_of(std::int64_t label);

/// The same picture with three channels.
[[nodiscard]] Picture to_rgb(const Picture& picture);

/// A frame `thickness` pixels wide, inside the box; what lies outside the picture is left out. Corners may be anything,
/// also no numbers. `picture` has three channels.
void draw_frame(Picture& picture, float left, float top, float right, float bottom, Colour colour, int thickness);

/// Text on a filled ground, its upper left corner at (x, y), moved so that it lies within the picture where it can.
/// Small letters look like large ones; other characters than letters, digits and . , : % - _ / are blanks. A pixel of
/// a letter is `scale` pixels wide; letters are 3 x 5 such pixels.
void draw_label(Picture& picture, float x, float y, std::string_view text, Colour ground, int scale);
/// Height of a label.
[[nodiscard]] int label_height(int scale);

/// The picture, if its longer side is at most `most` pixels; else shrunk to that, each pixel the mean of those it
/// stands for.
[[nodiscard]] Picture thumbnail(const Picture& picture, std::int64_t most);

/// A PNG file's bytes. Throws Error(io).
[[nodiscard]] std::string to_png(const Picture& picture);

}  // namespace octavo::tool
