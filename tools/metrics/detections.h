// SPDX-License-Identifier: Apache-2.0
// What detectors find and what they should have found: the terms of all metrics and files of detections.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace octavo::metrics {

/// In pixels of the picture; x and y are its left and upper ends.
struct Box {
  double x = 0, y = 0, width = 0, height = 0;
};

/// An object in a picture.
struct Truth {
  std::size_t image = 0, category = 0;  ///< indices into TruthSet
  Box box;
  double area = 0;         ///< of the object itself, which its box may exceed (COCO sorts objects by it)
  bool crowd = false;      ///< COCO: a group; may be found several times, or not at all
  bool difficult = false;  ///< VOC: finding it counts neither for nor against
};

struct TruthSet {
  struct Image {
    std::string name;                    ///< "000025", or a file name
    std::int64_t id = 0;                 ///< COCO's
    std::int64_t width = 0, height = 0;  ///< 0 where the file does not say
  };
  struct Category {
    std::string name;
    std::int64_t id = 0;  ///< COCO's
  };
  std::vector<Image> images;
  std::vector<Category> categories;
  std::vector<Truth> truths;
};

struct Detection {
  std::size_t image = 0, category = 0;  ///< indices into TruthSet
  double score = 0;
  Box box;
};

}  // namespace octavo::metrics
