// SPDX-License-Identifier: Apache-2.0
// Interpolation weights: see runtime/steps/resample.h.
#include "runtime/steps/resample.h"

#include <algorithm>
#include <cmath>

namespace octavo::runtime {
namespace {

using graph::Resize;
using graph::ResizeCoordinates;
using graph::ResizeKind;
using graph::ResizeRounding;

/// One axis: `in` input pixels are stretched to `width` output pixels, of which `out` whole ones are made.
struct Stretch {
  std::int64_t in, out;
  double width;
  double grown, from;  ///< `grown` output pixels for `from` input pixels: a fraction, as its value is rounded

  Stretch(std::int64_t in_size, std::int64_t out_size, std::optional<float> scale)
      : in(in_size),
        out(out_size),
        width(scale ? static_cast<double>(in) * static_cast<double>(*scale) : static_cast<double>(out)),
        grown(scale ? static_cast<double>(*scale) : static_cast<double>(out)),
        from(scale ? 1.0 : static_cast<double>(in)) {}

  [[nodiscard]] double to_input(double at) const { return at * from / grown; }
};

/// Where output pixel `o` lies in the input.
double coordinate(ResizeCoordinates rule, std::int64_t o, const Stretch& axis) {
  const auto at = static_cast<double>(o), size = static_cast<double>(axis.in);
  switch (rule) {
    case ResizeCoordinates::half_pixel:
      return axis.to_input(at + 0.5) - 0.5;
    case ResizeCoordinates::pytorch_half_pixel:
      return axis.out > 1 ? axis.to_input(at + 0.5) - 0.5 : 0.0;
    case ResizeCoordinates::half_pixel_symmetric:
      return size / 2 * (1 - static_cast<double>(axis.out) / axis.width) + axis.to_input(at + 0.5) - 0.5;
    case ResizeCoordinates::asymmetric:
      return axis.to_input(at);
    case ResizeCoordinates::align_corners:
      return axis.out > 1 ? at * (size - 1) / (axis.width - 1) : 0.0;
  }
  return 0.0;
}

double rounded(ResizeRounding rounding, double at) {
  switch (rounding) {
    case ResizeRounding::prefer_floor:
      return std::ceil(at - 0.5);
    case ResizeRounding::prefer_ceil:
      return std::floor(at + 0.5);
    case ResizeRounding::floor:
      return std::floor(at);
    case ResizeRounding::ceil:
      return std::ceil(at);
  }
  return at;
}

/// The weight of a pixel at that distance.
double filter(const Resize& op, double distance) {
  const double d = std::fabs(distance);
  if (op.kind == ResizeKind::linear) return std::max(0.0, 1.0 - d);
  const auto a = static_cast<double>(op.cubic);
  if (d <= 1.0) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2.0) return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return 0.0;
}

}  // namespace

AxisTaps axis_taps(const Resize& op, std::int64_t in, std::int64_t out, std::optional<float> scale) {
  const Stretch axis(in, out, scale);
  AxisTaps result;
  const auto clamped = [in](double at) {
    return static_cast<std::int64_t>(std::clamp(at, 0.0, static_cast<double>(in - 1)));
  };
  if (op.kind == ResizeKind::nearest) {
    for (std::int64_t o = 0; o < out; ++o) {
      result.indices.push_back(clamped(rounded(op.rounding, coordinate(op.coordinates, o, axis))));
    }
    result.weights.assign(result.indices.size(), 1.0F);
    return result;
  }
  // Shrinking with antialias stretches the filter; its reach is cut where all the axis is in it anyway.
  const double squeeze = op.antialias ? std::min(axis.grown / axis.from, 1.0) : 1.0;
  const double support = op.kind == ResizeKind::linear ? 1.0 : 2.0;
  const auto reach = static_cast<std::int64_t>(std::ceil(std::min(support / squeeze, static_cast<double>(in) + 2)));
  result.taps = 2 * reach;
  for (std::int64_t o = 0; o < out; ++o) {
    const double at = coordinate(op.coordinates, o, axis);
    const double first = std::floor(at) - static_cast<double>(reach) + 1;
    double sum = 0;
    std::vector<double> weights;
    for (std::int64_t k = 0; k < result.taps; ++k) {
      const double pixel = first + static_cast<double>(k);
      const bool outside = pixel < 0 || pixel > static_cast<double>(in - 1);
      weights.push_back(outside && op.exclude_outside ? 0.0 : filter(op, (pixel - at) * squeeze));
      result.indices.push_back(clamped(pixel));
      sum += weights.back();
    }
    const double norm = (op.antialias || op.exclude_outside) && sum != 0 ? sum : 1.0;
    for (const double weight : weights) result.weights.push_back(static_cast<float>(weight / norm));
  }
  return result;
}

}  // namespace octavo::runtime
