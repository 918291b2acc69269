// SPDX-License-Identifier: Apache-2.0
// Separable: each output row is a weighted sum of input rows, then of that row's pixels.
#include "runtime/resize.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "octavo/error.h"
#include "runtime/picture_formats.h"

namespace octavo::runtime {
namespace {

/// The input positions first, first + 1, ... that make an output position, and their weights (sum 1).
struct Taps {
  std::int64_t first = 0;
  std::vector<float> weights;
};

Taps plain_taps(std::int64_t at, std::int64_t in, double step) {
  const double position = std::clamp((static_cast<double>(at) + 0.5) * step - 0.5, 0.0, static_cast<double>(in - 1));
  const auto first = std::min(static_cast<std::int64_t>(position), std::max<std::int64_t>(in - 2, 0));
  const auto part = static_cast<float>(position - static_cast<double>(first));
  return {first, in == 1 ? std::vector{1.0F} : std::vector{1.0F - part, part}};
}

Taps triangle_taps(std::int64_t at, std::int64_t in, double step) {
  const double reach = std::max(step, 1.0);
  const double centre = (static_cast<double>(at) + 0.5) * step;
  const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(centre - reach + 0.5), 0);
  const auto last = std::min(static_cast<std::int64_t>(centre + reach + 0.5), in);
  Taps taps{first, {}};
  double sum = 0.0;
  for (std::int64_t i = first; i < last; ++i) {
    const double weight = std::max(1.0 - std::abs(static_cast<double>(i) - centre + 0.5) / reach, 0.0);
    taps.weights.push_back(static_cast<float>(weight));
    sum += weight;
  }
  for (float& weight : taps.weights) weight = static_cast<float>(weight / sum);
  return taps;
}

std::vector<Taps> all_taps(std::int64_t in, std::int64_t out, bool antialias) {
  const double step = static_cast<double>(in) / static_cast<double>(out);
  std::vector<Taps> taps;
  taps.reserve(static_cast<std::size_t>(out));
  for (std::int64_t i = 0; i < out; ++i) {
    taps.push_back(antialias ? triangle_taps(i, in, step) : plain_taps(i, in, step));
  }
  return taps;
}

}  // namespace

Picture resize(const Picture& picture, std::int64_t height, std::int64_t width, bool antialias) {
  if (height <= 0 || width <= 0 || height > kMaxPicturePixels / width) {
    throw Error(ErrorKind::invalid_argument,
                "cannot resize a picture to " + std::to_string(width) + " x " + std::to_string(height) + " pixels");
  }
  if (height == picture.height && width == picture.width) return picture;
  const auto rows = all_taps(picture.height, height, antialias), columns = all_taps(picture.width, width, antialias);
  const auto channels = static_cast<std::size_t>(picture.channels);
  const auto in_row = static_cast<std::size_t>(picture.width) * channels;
  Picture out{height, width, picture.channels, {}};
  out.pixels.resize(static_cast<std::size_t>(height * width) * channels);
  std::uint8_t* to = out.pixels.data();
  std::vector<float> mixed(in_row);
  for (const Taps& row : rows) {
    std::fill(mixed.begin(), mixed.end(), 0.0F);
    for (std::size_t k = 0; k < row.weights.size(); ++k) {
      const float weight = row.weights[k];
      const std::uint8_t* from = &picture.pixels[(static_cast<std::size_t>(row.first) + k) * in_row];
      for (std::size_t i = 0; i < in_row; ++i) mixed[i] += weight * static_cast<float>(from[i]);
    }
    for (const Taps& column : columns) {
      const float* from = &mixed[static_cast<std::size_t>(column.first) * channels];
      for (std::size_t c = 0; c < channels; ++c) {
        float sum = 0.5F;  // then truncated: rounded to the nearest
        for (std::size_t k = 0; k < column.weights.size(); ++k) sum += column.weights[k] * from[k * channels + c];
        *to++ = static_cast<std::uint8_t>(std::clamp(sum, 0.0F, 255.0F));
      }
    }
  }
  return out;
}

}  // namespace octavo::runtime
