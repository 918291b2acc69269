// SPDX-License-Identifier: Apache-2.0
// COCO's files: instances (what is in the pictures) and results (what was found).
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "tools/metrics/detections.h"

namespace octavo::metrics {

/// `instances_*.json`: images, annotations, categories; in order of their ids. Throws Error(io, malformed).
[[nodiscard]] TruthSet read_coco_instances(const std::filesystem::path& file);
/// A list of {image_id, category_id, bbox: [x, y, width, height], score}. Throws Error(io, malformed), also for an
/// image or category that the truth does not know.
[[nodiscard]] std::vector<Detection> read_coco_results(const std::filesystem::path& file, const TruthSet& truth);
/// The text of such a file; numbers have all their digits, so that scores of what is read are the same.
[[nodiscard]] std::string coco_results(const TruthSet& truth, std::span<const Detection> detections);

}  // namespace octavo::metrics
