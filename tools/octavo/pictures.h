// SPDX-License-Identifier: Apache-2.0
// Pictures: finding files of them, and reading them in batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "octavo/image.h"
#include "octavo/tensor.h"

namespace octavo::tool {

/// A file: itself. A folder: every .jpg, .jpeg and .png below it (any case), sorted; Error(io) when there is none.
[[nodiscard]] std::vector<std::filesystem::path> find_pictures(const std::filesystem::path& file_or_folder);

/// Where pictures come from: files, or memory, for data sets that hold many pictures in one file. A plain value that
/// shares its pictures.
class PictureSource {
 public:
  PictureSource() = default;
  explicit PictureSource(std::vector<std::filesystem::path> files) : names_(std::move(files)) {}
  /// The picture i of `origin` is called "origin:i".
  PictureSource(std::vector<Picture> pictures, const std::filesystem::path& origin);

  [[nodiscard]] std::size_t size() const { return names_.size(); }
  /// Of the file, or of the place.
  [[nodiscard]] const std::filesystem::path& name(std::size_t i) const { return names_.at(i); }
  [[nodiscard]] Picture read(std::size_t i) const;
  /// These pictures alone, in this order.
  [[nodiscard]] PictureSource chosen(const std::vector<std::size_t>& which) const;

 private:
  std::vector<std::filesystem::path> names_;
  std::shared_ptr<const std::vector<Picture>> held_;  ///< null: files
  std::vector<std::size_t> places_;                   ///< in held_, of each name
};

/// A picture that could not be read, and why.
struct SkippedPicture {
  std::filesystem::path file;
  std::string reason;
};

/// Consecutive pictures as the network's input; the rows of the tensor after the last picture are zeros.
struct PictureBatch {
  Tensor input;
  std::vector<std::size_t> pictures;  ///< of each row: which of the source's
  struct Size {
    std::int64_t height = 0, width = 0;
  };
  std::vector<Size> sizes;  ///< of the picture in each row, as it was read
};

/// Reads and prepares pictures batch by batch, on several threads. Not beside the network's work: both want all cores,
/// and threads that wait for one another at the end of each layer suffer most from company.
class PictureLoader {
 public:
  /// `shape`: the network's input, the batch its first dimension.
  PictureLoader(PictureSource source, ImageInput description, Shape shape, int threads);
  /// Nothing after the last picture.
  [[nodiscard]] std::optional<PictureBatch> next();
  /// Those met so far, in the order of the source.
  [[nodiscard]] const std::vector<SkippedPicture>& skipped() const { return skipped_; }

 private:
  struct Loaded {
    PictureBatch batch;
    std::vector<SkippedPicture> skipped;
  };
  [[nodiscard]] Loaded load(std::size_t begin, std::size_t end) const;

  const PictureSource source_;
  const ImageInput description_;
  const Shape shape_;
  const int threads_;
  std::size_t begin_ = 0;
  std::vector<SkippedPicture> skipped_;
};

}  // namespace octavo::tool
