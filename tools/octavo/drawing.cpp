// SPDX-License-Identifier: Apache-2.0
// See drawing.h.
#include "tools/octavo/drawing.h"

#include <png.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "octavo/error.h"

namespace octavo::tool {
namespace {

/// Letters of 3 x 5 pixels: an octal digit a row, from the top; 4 is the left pixel.
constexpr std::array<std::uint16_t, 26> kLetters{
    025755, 065656, 034443, 065556, 074647, 074644, 034553, 055755, 072227, 011152, 055655, 044447, 057755,   // A - M
    065555, 025552, 065644, 025563, 065655, 034216, 072222, 055557, 055552, 055775, 055255, 055222, 071247};  // N - Z
constexpr std::array<std::uint16_t, 10> kDigits{025552, 026227, 061247, 061216, 055711,
                                                074616, 034652, 071222, 025252, 025316};

std::uint16_t glyph(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (std::isalpha(byte) != 0 && byte < 0x80) return kLetters.at(static_cast<std::size_t>(std::toupper(byte) - 'A'));
  if (std::isdigit(byte) != 0) return kDigits.at(byte - '0');
  switch (c) {
    case '.':
      return 000002;
    case ',':
      return 000024;
    case ':':
      return 002020;
    case '%':
      return 051245;
    case '-':
      return 000700;
    case '_':
      return 000007;
    case '/':
      return 011244;
    default:
      return 0;
  }
}

constexpr int kGlyphWidth = 3, kGlyphHeight = 5, kAdvance = kGlyphWidth + 1;

/// Fills [left, right) x [top, bottom), as far as it lies within the picture.
void fill(Picture& picture, std::int64_t left, std::int64_t top, std::int64_t right, std::int64_t bottom,
          Colour colour) {
  left = std::max<std::int64_t>(left, 0);
  top = std::max<std::int64_t>(top, 0);
  right = std::min(right, picture.width);
  bottom = std::min(bottom, picture.height);
  for (std::int64_t y = top; y < bottom; ++y) {
    for (std::int64_t x = left; x < right; ++x) {
      std::copy(colour.begin(), colour.end(), picture.pixels.begin() + 3 * (y * picture.width + x));
    }
  }
}

/// The nearest pixel, not far outside of a picture of this size; NaN: 0.
std::int64_t pixel(float place, std::int64_t size) {
  if (std::isnan(place)) return 0;
  const auto limit = static_cast<float>(size);
  return std::lround(std::clamp(place, -limit, 2 * limit));
}

/// Black or white, whichever can be read on the ground.
Colour ink_on(Colour ground) {
  const int brightness = 299 * ground[0] + 587 * ground[1] + 114 * ground[2];
  return brightness > 140'000 ? Colour{0, 0, 0} : Colour{255, 255, 255};
}

}  // namespace

Colour colour_of(std::int64_t label) {
  // Steps of the golden angle around the circle of hues.
  const double hue = std::fmod(static_cast<double>(label & 0xffff) * 137.508, 360.0) / 60.0;
  const auto channel = [&](double shift) {
    const double distance = std::fabs(std::fmod(hue + shift, 6.0) - 3.0);
    return static_cast<std::uint8_t>(std::lround(230 * std::clamp(distance - 1.0, 0.0, 1.0) + 15));
  };
  return {channel(0), channel(4), channel(2)};
}

Picture to_rgb(const Picture& picture) {
  if (picture.channels == 3) return picture;
  Picture colour{picture.height, picture.width, 3, {}};
  colour.pixels.reserve(3 * picture.pixels.size());
  for (const std::uint8_t gray : picture.pixels) colour.pixels.insert(colour.pixels.end(), 3, gray);
  return colour;
}

void draw_frame(Picture& picture, float left, float top, float right, float bottom, Colour colour, int thickness) {
  const std::int64_t x0 = pixel(left, picture.width), x1 = pixel(right, picture.width);
  const std::int64_t y0 = pixel(top, picture.height), y1 = pixel(bottom, picture.height);
  fill(picture, x0, y0, x1, std::min(y0 + thickness, y1), colour);
  fill(picture, x0, std::max(y1 - thickness, y0), x1, y1, colour);
  fill(picture, x0, y0, std::min(x0 + thickness, x1), y1, colour);
  fill(picture, std::max(x1 - thickness, x0), y0, x1, y1, colour);
}

int label_height(int scale) { return (kGlyphHeight + 2) * scale; }

void draw_label(Picture& picture, float x, float y, std::string_view text, Colour ground, int scale) {
  const std::int64_t width = (static_cast<std::int64_t>(text.size()) * kAdvance + 1) * scale;
  const std::int64_t height = label_height(scale);
  const std::int64_t left = std::max<std::int64_t>(0, std::min(pixel(x, picture.width), picture.width - width));
  const std::int64_t top = std::max<std::int64_t>(0, std::min(pixel(y, picture.height), picture.height - height));
  fill(picture, left, top, left + width, top + height, ground);
  const Colour ink = ink_on(ground);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned rows = glyph(text[i]);
    for (int row = 0; row < kGlyphHeight; ++row) {
      for (int column = 0; column < kGlyphWidth; ++column) {
        const auto bit = static_cast<unsigned>(3 * (kGlyphHeight - 1 - row) + kGlyphWidth - 1 - column);
        if ((rows >> bit & 1U) == 0) continue;
        const std::int64_t at_x = left + (1 + static_cast<std::int64_t>(i) * kAdvance + column) * scale;
        const std::int64_t at_y = top + (1 + row) * scale;
        fill(picture, at_x, at_y, at_x + scale, at_y + scale, ink);
      }
    }
  }
}

Picture thumbnail(const Picture& picture, std::int64_t most) {
  const std::int64_t longer = std::max(picture.height, picture.width);
  if (longer <= most) return picture;
  Picture small{std::max<std::int64_t>(1, picture.height * most / longer),
                std::max<std::int64_t>(1, picture.width * most / longer),
                picture.channels,
                {}};
  small.pixels.reserve(static_cast<std::size_t>(small.height * small.width * small.channels));
  for (std::int64_t y = 0; y < small.height; ++y) {
    const std::int64_t top = y * picture.height / small.height, bottom = (y + 1) * picture.height / small.height;
    for (std::int64_t x = 0; x < small.width; ++x) {
      const std::int64_t left = x * picture.width / small.width, right = (x + 1) * picture.width / small.width;
      for (std::int64_t c = 0; c < picture.channels; ++c) {
        std::int64_t sum = 0;
        for (std::int64_t row = top; row < bottom; ++row) {
          for (std::int64_t column = left; column < right; ++column) {
            sum += picture.pixels[static_cast<std::size_t>((row * picture.width + column) * picture.channels + c)];
          }
        }
        const std::int64_t count = (bottom - top) * (right - left);
        small.pixels.push_back(static_cast<std::uint8_t>((sum + count / 2) / count));
      }
    }
  }
  return small;
}

std::string to_png(const Picture& picture) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = picture.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t size = 0;
  std::string bytes;
  const bool sized = png_image_write_get_memory_size(image, size, 0, picture.pixels.data(), 0, nullptr) != 0;
  if (sized) {
    bytes.resize(size);
    if (png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.pixels.data(), 0, nullptr) != 0) {
      bytes.resize(size);
      return bytes;
    }
  }
  throw Error(ErrorKind::io, std::string("a picture cannot be written as PNG: ") + image.message);
}

}  // namespace octavo::tool
