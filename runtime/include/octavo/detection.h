// SPDX-License-Identifier: Apache-2.0
// From the output of a detector (SSD's DetectionOutput) to objects in the picture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "octavo/image.h"
#include "octavo/program.h"

namespace octavo {

/// In pixels of the picture, not clipped to it.
struct DetectedObject {
  std::int64_t label = 0;  ///< the network's class; the background is usually class 0
  float score = 0;
  float left = 0, top = 0, right = 0, bottom = 0;
};

/// Which output of the program holds detections, [N, 1, rows, 7]: none for a network that is no detector.
[[nodiscard]] std::optional<std::size_t> detection_output(const Program& program);

/// The objects in the rows of one picture (picture, class, score, box in shares of the network's input), best first;
/// those below `least_score` are left out. The picture of height x width pixels went in by to_input() with the same
/// `input` and `shape`. Throws Error(invalid_argument) unless `rows` are whole rows whose
/// classes are numbers.
[[nodiscard]] std::vector<DetectedObject> detected_objects(std::span<const float> rows, std::int64_t height,
                                                           std::int64_t width, const ImageInput& input,
                                                           const Shape& shape, float least_score = 0);

}  // namespace octavo
