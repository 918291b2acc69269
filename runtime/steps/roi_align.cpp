// SPDX-License-Identifier: Apache-2.0
// RoiAlign: each part of each region from points between the map's cells. Channels-last.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

/// Points of a part in a direction: a region that is larger than the map by far is not looked at more closely.
constexpr float kMostPoints = 1024;

/// A point in one direction, between two cells.
struct PointBetween {
  std::int64_t low = 0, high = 0;
  float of_low = 0, of_high = 0;  ///< weights
  bool outside = true;
};

/// Where a region lies in one direction, its parts, and the points of a part.
class RegionStretch {
 public:
  RegionStretch(float low, float high, const graph::RoiAlign& op, std::int64_t parts, std::int64_t cells)
      : cells_(cells) {
    const float shift = op.half_pixel ? 0.5F : 0.0F;
    begin_ = low * op.spatial_scale - shift;
    float length = high * op.spatial_scale - shift - begin_;
    if (!op.half_pixel) length = std::max(length, 1.0F);
    part_ = length / static_cast<float>(parts);
    const float points = op.sampling_ratio > 0 ? static_cast<float>(op.sampling_ratio) : std::ceil(part_);
    points_ = points > 0 ? static_cast<std::int64_t>(std::min(points, kMostPoints)) : 0;  // NaN: none
  }
  [[nodiscard]] std::int64_t points() const { return points_; }

  [[nodiscard]] PointBetween at(std::int64_t part, std::int64_t point) const {
    const float place = begin_ + static_cast<float>(part) * part_ +
                        (static_cast<float>(point) + 0.5F) * part_ / static_cast<float>(points_);
    if (!(place >= -1.0F && place <= static_cast<float>(cells_))) return {};
    const float inside = std::max(place, 0.0F);
    const auto low = static_cast<std::int64_t>(inside);
    if (low >= cells_ - 1) return {cells_ - 1, cells_ - 1, 1.0F, 0.0F, false};
    const float share = inside - static_cast<float>(low);
    return {low, low + 1, 1.0F - share, share, false};
  }

 private:
  std::int64_t cells_, points_ = 0;
  float begin_ = 0, part_ = 0;
};

OCTAVO_VECTORIZED void add_corner(const float* x, float weight, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] += weight * x[i];
}

/// NaN stays.
OCTAVO_VECTORIZED void raise_to_corner(const float* x, float weight, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = weight * x[i];
    y[i] = value <= y[i] ? y[i] : value;
  }
}

OCTAVO_VECTORIZED void raise_to_zero(float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = 0.0F <= y[i] || y[i] != y[i] ? y[i] : 0.0F;
}

OCTAVO_VECTORIZED void scale_cells(float factor, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] *= factor;
}

class RoiAlignStep final : public Step {
 public:
  RoiAlignStep(const StepRequest& request, const graph::RoiAlign& op)
      : op_(op),
        shape_(request.input_shape(0)),
        regions_(request.input_shape(1)[0]),
        input_(request.inputs[0]),
        places_(request.inputs[1]),
        pictures_(request.inputs[2]),
        output_(request.outputs[0]) {
    info.algorithm = "loop";
  }

  void run(RunContext& context) const override {
    const float* const x = context.values[input_];
    const float* const places = context.values[places_];
    const float* const pictures = context.values[pictures_];
    float* const y = context.values[output_];
    const std::int64_t size = op_.pooled_h * op_.pooled_w * shape_[1];
    parallel_for(context.threads, regions_, 1, [&](int, std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) align(x, places + 4 * r, pictures[r], y + r * size);
    });
  }

 private:
  void align(const float* x, const float* region, float picture, float* y) const {
    const std::int64_t channels = shape_[1], height = shape_[2], width = shape_[3];
    std::fill_n(y, op_.pooled_h * op_.pooled_w * channels, 0.0F);
    if (!(picture >= 0.0F && picture < static_cast<float>(shape_[0]))) return;
    const float* const map = x + static_cast<std::int64_t>(picture) * channels * height * width;
    const RegionStretch across(region[0], region[2], op_, op_.pooled_w, width);
    const RegionStretch down(region[1], region[3], op_, op_.pooled_h, height);
    const std::int64_t points = across.points() * down.points();
    if (points == 0) return;
    for (std::int64_t ph = 0; ph < op_.pooled_h; ++ph) {
      for (std::int64_t pw = 0; pw < op_.pooled_w; ++pw, y += channels) {
        bool first = true;
        for (std::int64_t iy = 0; iy < down.points(); ++iy) {
          const PointBetween row = down.at(ph, iy);
          for (std::int64_t ix = 0; ix < across.points(); ++ix) {
            take(map, row, across.at(pw, ix), first, y);
            first = false;
          }
        }
        if (!op_.maximum) scale_cells(1.0F / static_cast<float>(points), y, channels);
      }
    }
  }

  /// What one point adds to y. A point outside is 0, which the greatest of several sees, too.
  void take(const float* map, const PointBetween& row, const PointBetween& column, bool first, float* y) const {
    const std::int64_t channels = shape_[1], width = shape_[3];
    const auto pixel = [&](std::int64_t r, std::int64_t c) { return map + (r * width + c) * channels; };
    const bool outside = row.outside || column.outside;
    if (!op_.maximum) {
      if (outside) return;
      add_corner(pixel(row.low, column.low), row.of_low * column.of_low, y, channels);
      add_corner(pixel(row.low, column.high), row.of_low * column.of_high, y, channels);
      add_corner(pixel(row.high, column.low), row.of_high * column.of_low, y, channels);
      add_corner(pixel(row.high, column.high), row.of_high * column.of_high, y, channels);
      return;
    }
    if (outside) {
      if (!first) raise_to_zero(y, channels);
      return;
    }
    if (first) {
      std::copy_n(pixel(row.low, column.low), channels, y);
      scale_cells(row.of_low * column.of_low, y, channels);
    } else {
      raise_to_corner(pixel(row.low, column.low), row.of_low * column.of_low, y, channels);
    }
    raise_to_corner(pixel(row.low, column.high), row.of_low * column.of_high, y, channels);
    raise_to_corner(pixel(row.high, column.low), row.of_high * column.of_low, y, channels);
    raise_to_corner(pixel(row.high, column.high), row.of_high * column.of_high, y, channels);
  }

  graph::RoiAlign op_;
  Shape shape_;
  std::int64_t regions_;
  Slot input_, places_, pictures_, output_;
};

}  // namespace

BuiltStep build_roi_align(const StepRequest& request) {
  BuiltStep built;
  built.step = std::make_unique<RoiAlignStep>(request, std::get<graph::RoiAlign>(request.node.op));
  built.outputs = {Layout::nhwc};
  return built;
}

}  // namespace octavo::runtime
