// SPDX-License-Identifier: Apache-2.0
// Which pictures octavo eval takes, and what is known of them: the options, and what they read.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <variant>

#include "tools/octavo/datasets.h"
#include "tools/octavo/detector_evaluation.h"

namespace octavo::tool {

/// Exactly one of --images (alone or with --labels or --coco), --cifar10, --mnist, --voc, --truth.
struct EvalDataArguments {
  std::string images, labels, cifar10, mnist, voc, split, voc_ap, coco, truth;
  std::size_t limit = 0;

  void declare(CLI::App& app);
  [[nodiscard]] std::variant<Dataset, DetectionData> read() const;
  /// Detections in the form of the data: a COCO results file, or a folder of VOC's text files.
  [[nodiscard]] std::vector<metrics::Detection> read_detections(const std::string& path,
                                                                const DetectionData& data) const;
  void write_detections(const std::string& path, const DetectionData& data,
                        const std::vector<metrics::Detection>& detections) const;

 private:
  [[nodiscard]] Dataset read_classes() const;
  [[nodiscard]] DetectionData read_objects() const;
};

}  // namespace octavo::tool
