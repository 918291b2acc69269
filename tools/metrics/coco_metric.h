// SPDX-License-Identifier: Apache-2.0
// Average precision and recall of boxes as COCO counts them: the twelve numbers of its evaluation server.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tools/metrics/detections.h"

namespace octavo::metrics {

/// Means over categories (and overlaps of 0.50, 0.55, ... 0.95); none where nothing of the kind is there to find.
struct CocoScores {
  using Mean = std::optional<double>;
  Mean ap, ap50, ap75;                 ///< of the 100 best detections of a category in a picture
  Mean ap_small, ap_medium, ap_large;  ///< objects up to 32^2, up to 96^2 and larger, in pixels of area
  Mean ar1, ar10, ar100;               ///< recall with the 1, 10, 100 best detections
  Mean ar_small, ar_medium, ar_large;  ///< with 100
  std::vector<Mean> ap_of_category, ap50_of_category;
};

/// Precision is interpolated at 101 recalls. A crowd, and an object outside the range of sizes, counts neither for nor
/// against; nor does a detection that matches one, or that matches nothing and is itself outside the range.
[[nodiscard]] CocoScores coco_scores(const TruthSet& truth, std::span<const Detection> detections);

}  // namespace octavo::metrics
