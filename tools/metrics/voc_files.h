// SPDX-License-Identifier: Apache-2.0
// Pascal VOC's files: the devkit's annotations, and detections as text.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/metrics/detections.h"

namespace octavo::metrics {

/// A devkit's year folder ("VOCdevkit/VOC2007": Annotations/, ImageSets/Main/SPLIT.txt, JPEGImages/): the pictures of
/// the split, or of all annotations when there is no such list and `split` is empty. Categories are the twenty of VOC;
/// others that the annotations name follow. Throws Error(io, malformed).
[[nodiscard]] TruthSet read_voc_devkit(const std::filesystem::path& folder, std::string_view split);

/// The picture of an image of the devkit.
[[nodiscard]] std::filesystem::path voc_picture(const std::filesystem::path& folder, const TruthSet::Image& image);

/// A folder with a file a picture, each line `category left top right bottom [difficult]`.
[[nodiscard]] TruthSet read_text_truth(const std::filesystem::path& folder);

/// Detections in a folder. Either a file a category, `*_CATEGORY.txt` of lines `image score left top right bottom`, as
/// the devkit has them; or a file a picture, `IMAGE.txt` of lines `category score left top right bottom`. Those of
/// categories that the truth does not have are left out. Throws Error(io, malformed), also where no file is of either
/// kind.
[[nodiscard]] std::vector<Detection> read_voc_detections(const std::filesystem::path& folder, const TruthSet& truth);

/// The devkit's files by name: `comp4_det_SPLIT_CATEGORY.txt`, one for each category; numbers have all their digits.
[[nodiscard]] std::map<std::string, std::string> voc_detections(const TruthSet& truth,
                                                                std::span<const Detection> detections,
                                                                std::string_view split);

}  // namespace octavo::metrics
