// SPDX-License-Identifier: Apache-2.0
// See octavo/detection.h.
#include "octavo/detection.h"

#include <algorithm>
#include <cmath>

#include "graph/ops.h"
#include "octavo/error.h"
#include "runtime/image_geometry.h"

namespace octavo {
namespace {

constexpr std::size_t kRow = 7;  ///< picture, class, score, xmin, ymin, xmax, ymax

/// From shares of the network's input to pixels of the picture, in one direction.
struct Direction {
  double scale, offset;
  [[nodiscard]] float operator()(float share) const {
    return static_cast<float>(static_cast<double>(share) * scale + offset);
  }
};

Direction direction(std::int64_t picture, std::int64_t resized, std::int64_t crop, std::int64_t corner) {
  const double pixels = static_cast<double>(picture) / static_cast<double>(resized);
  return {static_cast<double>(crop) * pixels, static_cast<double>(corner) * pixels};
}

}  // namespace

std::optional<std::size_t> detection_output(const Program& program) {
  const std::vector<Shape>& shapes = program.output_shapes();
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const auto makes_it = [&](const LayerInfo& layer) {
      return layer.type == graph::DetectionOutput::kName && layer.output == shapes[i];
    };
    if (std::any_of(program.layers().begin(), program.layers().end(), makes_it)) return i;
  }
  return std::nullopt;
}

std::vector<DetectedObject> detected_objects(std::span<const float> rows, std::int64_t height, std::int64_t width,
                                             const ImageInput& input, const Shape& shape, float least_score) {
  const bool shaped = shape.size() == 4 && shape[2] > 0 && shape[3] > 0;
  if (rows.size() % kRow != 0 || !shaped || height < 1 || width < 1) {
    throw Error(ErrorKind::invalid_argument, "these are not the detections of a picture");
  }
  const runtime::PixelSize network{shape[2], shape[3]};
  const runtime::PixelSize resized = runtime::resized_size({height, width}, input, network);
  const auto [top, left] = runtime::crop_corner(resized, network);
  const Direction down = direction(height, resized.height, network.height, top);
  const Direction across = direction(width, resized.width, network.width, left);
  std::vector<DetectedObject> objects;
  for (; !rows.empty(); rows = rows.subspan(kRow)) {
    constexpr float kMostClasses = 0x1p31F;
    if (rows[1] < 0 || rows[2] < least_score) continue;
    if (!(rows[1] < kMostClasses))
      throw Error(ErrorKind::invalid_argument, "a detection's class is " + std::to_string(rows[1]));
    objects.push_back(
        {static_cast<std::int64_t>(rows[1]), rows[2], across(rows[3]), down(rows[4]), across(rows[5]), down(rows[6])});
  }
  // A score that is NaN comes first: it has to show.
  const auto key = [](const DetectedObject& object) { return std::isnan(object.score) ? HUGE_VALF : object.score; };
  std::stable_sort(objects.begin(), objects.end(),
                   [&](const DetectedObject& a, const DetectedObject& b) { return key(a) > key(b); });
  return objects;
}

}  // namespace octavo
