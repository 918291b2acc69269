// SPDX-License-Identifier: Apache-2.0
// Which pictures octavo eval takes, and what is known of them: the options, and what they read.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "tools/octavo/datasets.h"
#include "tools/octavo/detector_evaluation.h"
#include "tools/octavo/files_read.h"

namespace octavo::tool {

/// Exactly one of --images (alone or with --labels or --coco), --cifar10, --mnist, --voc, --truth.
struct EvalDataArguments {
  std::string images, labels, cifar10, mnist, voc, split, voc_ap, coco, truth;
  std::size_t limit = 0;

  void declare(CLI::App& app);
  [[nodiscard]] std::variant<Dataset, DetectionData> read() const;
  /// The options' own files and folders; of --images, which may hold much else, only the pictures of `data`.
  void add_to(FilesRead& read, const std::variant<Dataset, DetectionData>& data) const;
  /// What write_detections() will write.
  [[nodiscard]] std::vector<std::filesystem::path> detection_files(const std::string& path,
                                                                   const DetectionData& data) const;
  /// Detections in the form of the data: a COCO results file, or a folder of VOC's text files. Those in pictures that
  /// --limit leaves out are left out.
  [[nodiscard]] std::vector<metrics::Detection> read_detections(const std::string& path,
                                                                const DetectionData& data) const;
  void write_detections(const std::string& path, const DetectionData& data,
                        const std::vector<metrics::Detection>& detections) const;

 private:
  [[nodiscard]] std::string split_name() const { return split.empty() ? "all" : split; }
  [[nodiscard]] Dataset read_classes() const;
  [[nodiscard]] DetectionData read_objects() const;  ///< of all pictures
};

}  // namespace octavo::tool
