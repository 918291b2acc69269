// SPDX-License-Identifier: Apache-2.0
// Picture files: finding them, their classes, and reading them in batches.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "octavo/image.h"
#include "octavo/tensor.h"

namespace octavo::tool {

/// A file: itself. A folder: every .jpg, .jpeg and .png below it (any case), sorted; Error(io) when there is none.
[[nodiscard]] std::vector<std::filesystem::path> find_pictures(const std::filesystem::path& file_or_folder);

struct Dataset {
  std::vector<std::filesystem::path> files;
  std::vector<std::size_t> classes;      ///< of each file
  std::vector<std::string> class_names;  ///< folder names; empty with a list file
};
/// A folder a class, classes numbered in the sorted order of the folders.
[[nodiscard]] Dataset read_class_folders(const std::filesystem::path& folder);
/// Lines `name index`: a picture below `folder` and its class.
[[nodiscard]] Dataset read_class_list(const std::filesystem::path& folder, const std::filesystem::path& list);

/// A picture that could not be read, and why.
struct SkippedPicture {
  std::filesystem::path file;
  std::string reason;
};

/// Consecutive pictures as the network's input; the rows of the tensor after the last picture are zeros.
struct PictureBatch {
  Tensor input;
  std::vector<std::size_t> pictures;  ///< of each row: which of the files
};

/// Reads and prepares pictures batch by batch, on several threads. Not beside the network's work: both want all cores,
/// and threads that wait for one another at the end of each layer suffer most from company.
class PictureLoader {
 public:
  /// `shape`: the network's input, the batch its first dimension.
  PictureLoader(std::vector<std::filesystem::path> files, ImageInput description, Shape shape, int threads);
  /// Nothing after the last picture.
  [[nodiscard]] std::optional<PictureBatch> next();
  /// Those met so far, in the order of the files.
  [[nodiscard]] const std::vector<SkippedPicture>& skipped() const { return skipped_; }

 private:
  struct Loaded {
    PictureBatch batch;
    std::vector<SkippedPicture> skipped;
  };
  [[nodiscard]] Loaded load(std::size_t begin, std::size_t end) const;

  const std::vector<std::filesystem::path> files_;
  const ImageInput description_;
  const Shape shape_;
  const int threads_;
  std::size_t begin_ = 0;
  std::vector<SkippedPicture> skipped_;
};

}  // namespace octavo::tool
