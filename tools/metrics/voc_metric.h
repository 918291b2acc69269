// SPDX-License-Identifier: Apache-2.0
// Average precision as Pascal VOC's devkit counts it.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tools/metrics/detections.h"

namespace octavo::metrics {

enum class VocAveraging {
  eleven_points,  ///< mean of the best precision at recalls 0, 0.1, ... 1 (VOC 2007)
  area,           ///< below the curve, each precision raised to the best at any higher recall (from VOC 2010 on)
};

struct VocScores {
  std::vector<std::optional<double>> average_precision;  ///< of each category; none where there is nothing to find
  std::optional<double> mean;                            ///< of those that there are
};

/// Detections in falling order of score (of equal ones, as given) each take the object of their picture and category
/// that they overlap most, in pixels inclusive. From `least_overlap` on it is right, unless the object was taken
/// before; a difficult object, taken or not, is as if the detection had not been.
[[nodiscard]] VocScores voc_scores(const TruthSet& truth, std::span<const Detection> detections, VocAveraging averaging,
                                   double least_overlap = 0.5);

}  // namespace octavo::metrics
