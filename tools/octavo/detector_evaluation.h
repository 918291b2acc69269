// SPDX-License-Identifier: Apache-2.0
// One pass over pictures with known objects, with a detector or with two that are compared; and what is said of
// detections that came from elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "octavo/image.h"
#include "octavo/program.h"
#include "tools/metrics/coco_metric.h"
#include "tools/metrics/detections.h"
#include "tools/metrics/voc_metric.h"
#include "tools/octavo/pictures.h"

namespace octavo::tool {

/// Pictures with known objects, and how detectors of them are scored.
struct DetectionData {
  metrics::TruthSet truth;
  std::vector<std::filesystem::path> files;  ///< of each image; empty where no picture is needed
  bool coco = false;                         ///< scored as COCO, else as VOC
  metrics::VocAveraging averaging = metrics::VocAveraging::eleven_points;
};

/// `count` pictures, evenly spread, and their objects; all when there are no more.
[[nodiscard]] DetectionData spread(DetectionData data, std::size_t count);

/// Of each class of a network, the category that it stands for; none for the background and for strangers. By name
/// where the labels of the network name a category; else in order, behind the background where there is one more class
/// than categories. Throws Error(invalid_argument) when neither fits.
[[nodiscard]] std::vector<std::optional<std::size_t>> categories_of(const std::vector<std::string>& labels,
                                                                    std::size_t classes,
                                                                    const metrics::TruthSet& truth);

/// Says which categories with objects no class stands for, and which labels stand for none (that of class 0, usually
/// the background, aside); empty where there are neither.
[[nodiscard]] std::string strangers_text(const std::vector<std::optional<std::size_t>>& categories,
                                         const std::vector<std::string>& labels, const metrics::TruthSet& truth);

/// One side: a network's detections, or a file's.
struct DetectorResult {
  std::vector<metrics::Detection> detections;
  double seconds = 0;           ///< in predict() alone
  std::size_t not_numbers = 0;  ///< detections left out because their score or a corner is no number, or infinite
  std::optional<metrics::CocoScores> coco;
  std::optional<metrics::VocScores> voc;

  void score(const DetectionData& data);
};

/// How well the detections of one network repeat those of another.
struct Agreement {
  std::size_t certain = 0;  ///< detections of the first above 0.5
  std::size_t found = 0;    ///< of these, found by the second: the category, half the score, an overlap of 0.9
  /// An image with detections above 0.5 that the other lacks.
  struct Difference {
    std::size_t image = 0;
    std::vector<metrics::Detection> only_first, only_second;
  };
  std::vector<Difference> differences;
};
[[nodiscard]] Agreement agreement_of(const std::vector<metrics::Detection>& first,
                                     const std::vector<metrics::Detection>& second, std::size_t images);

struct DetectorEvaluation {
  std::optional<DetectorResult> fp32, int8;
  std::optional<DetectorResult> given;  ///< detections that came as a file
  std::optional<Agreement> agreement;   ///< of fp32 and int8, where there are both
  std::vector<SkippedPicture> skipped;
  std::size_t pictures = 0;

  /// Runs every picture through the programs, of which at least one is given; `categories`: of each class.
  void run(const DetectionData& data, const Program* fp32_program, const Program* int8_program,
           const ImageInput& description, const std::vector<std::optional<std::size_t>>& categories);
};

}  // namespace octavo::tool
