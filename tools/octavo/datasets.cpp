// SPDX-License-Identifier: Apache-2.0
// Pictures with classes: see datasets.h.
#include "tools/octavo/datasets.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <system_error>

#include "octavo/error.h"
#include "tools/octavo/text.h"

namespace octavo::tool {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

[[noreturn]] void malformed(const fs::path& file, const std::string& what) {
  throw Error(ErrorKind::malformed, what, file.string());
}

/// The folder's subfolders, sorted.
std::vector<fs::path> subfolders(const fs::path& folder) {
  std::error_code problem;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end; at.increment(problem)) {
    if (at->is_directory(problem)) found.push_back(at->path());
  }
  if (problem) throw Error(ErrorKind::io, "cannot read: " + problem.message(), folder.string());
  std::sort(found.begin(), found.end());
  return found;
}

/// The whole file, decompressed if it is compressed; zlib reads both alike.
Bytes read_bytes(const fs::path& file) {
  constexpr std::size_t kMost = std::size_t{1} << 30;
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> in(gzopen(file.c_str(), "rb"), gzclose);
  if (!in) throw Error(ErrorKind::io, "cannot open", file.string());
  Bytes bytes;
  for (;;) {
    constexpr std::size_t kPiece = std::size_t{1} << 20;
    const std::size_t before = bytes.size();
    if (before > kMost) malformed(file, "more than 1 GiB");
    bytes.resize(before + kPiece);
    const int got = gzread(in.get(), bytes.data() + before, kPiece);
    if (got < 0) malformed(file, "cannot be decompressed");
    bytes.resize(before + static_cast<std::size_t>(got));
    if (got == 0) return bytes;
  }
}

fs::path idx_file(const fs::path& folder, const char* name) {
  fs::path file = folder / name;
  std::error_code ignored;
  return fs::exists(file, ignored) ? file : fs::path(file.string() + ".gz");
}

/// An idx file of bytes: its dimensions and where its numbers begin.
struct Idx {
  Bytes bytes;
  std::vector<std::size_t> dims;
  std::size_t first = 0;
};

Idx read_idx(const fs::path& file, std::size_t dimensions) {
  Idx idx{read_bytes(file), {}, 4 + 4 * dimensions};
  const Bytes& b = idx.bytes;
  if (b.size() < idx.first || b[0] != 0 || b[1] != 0 || b[2] != 8 || b[3] != dimensions) {
    malformed(file, fmt::format("not an idx file of bytes in {} dimensions", dimensions));
  }
  std::size_t count = 1;
  for (std::size_t d = 0; d < dimensions; ++d) {
    std::size_t dim = 0;
    for (std::size_t i = 0; i < 4; ++i) dim = dim << 8U | b[4 + 4 * d + i];
    idx.dims.push_back(dim);
    if (__builtin_mul_overflow(count, dim, &count)) malformed(file, "dimensions that are too large");
  }
  if (b.size() - idx.first != count)
    malformed(file, fmt::format("{} bytes for {} numbers", b.size() - idx.first, count));
  return idx;
}

}  // namespace

Dataset read_class_folders(const fs::path& folder) {
  Dataset dataset;
  const std::vector<fs::path> classes = subfolders(folder);
  std::vector<fs::path> files;
  if (classes.empty()) {
    throw Error(ErrorKind::invalid_argument, "no folder a class here", folder.string(),
                "a list of `name index` lines can be given with --labels");
  }
  for (std::size_t c = 0; c < classes.size(); ++c) {
    dataset.class_names.push_back(classes[c].filename().string());
    for (fs::path& file : find_pictures(classes[c])) {
      files.push_back(std::move(file));
      dataset.classes.push_back(c);
    }
  }
  dataset.pictures = PictureSource(std::move(files));
  return dataset;
}

Dataset read_class_list(const fs::path& folder, const fs::path& list) {
  Dataset dataset;
  std::vector<fs::path> files;
  std::size_t number = 0;
  for (const std::string& line : read_lines(list)) {
    ++number;
    const std::size_t last = line.find_last_not_of(" \t");
    if (last == std::string::npos) continue;
    const std::size_t blank = line.find_last_of(" \t", last);
    std::size_t index = 0;
    const char* begin = line.data() + (blank == std::string::npos ? 0 : blank + 1);
    const char* end = line.data() + last + 1;
    const auto [stop, problem] = std::from_chars(begin, end, index);
    const std::size_t name_end = blank == std::string::npos ? blank : line.find_last_not_of(" \t", blank);
    if (problem != std::errc{} || stop != end || name_end == std::string::npos) {
      throw Error(ErrorKind::malformed, "not a `name index` line", fmt::format("{}:{}", list.string(), number));
    }
    files.push_back(folder / line.substr(0, name_end + 1));
    dataset.classes.push_back(index);
  }
  if (files.empty()) throw Error(ErrorKind::malformed, "the list is empty", list.string());
  dataset.pictures = PictureSource(std::move(files));
  return dataset;
}

Dataset read_cifar10(const fs::path& file_or_folder) {
  constexpr std::size_t kSide = 32, kPlane = kSide * kSide, kRecord = 1 + 3 * kPlane;
  std::error_code ignored;
  const fs::path file = fs::is_directory(file_or_folder, ignored) ? file_or_folder / "test_batch.bin" : file_or_folder;
  const Bytes bytes = read_bytes(file);
  if (bytes.empty() || bytes.size() % kRecord != 0) {
    malformed(file, fmt::format("not records of {} bytes: a class and a picture of 32x32", kRecord));
  }
  Dataset dataset;
  dataset.class_names = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  std::vector<Picture> pictures;
  for (std::size_t at = 0; at < bytes.size(); at += kRecord) {
    if (bytes[at] >= dataset.class_names.size()) malformed(file, fmt::format("a class of {}", bytes[at]));
    dataset.classes.push_back(bytes[at]);
    Picture& picture = pictures.emplace_back(Picture{kSide, kSide, 3, {}});
    for (std::size_t pixel = 0; pixel < kPlane; ++pixel) {
      for (std::size_t c = 0; c < 3; ++c) picture.pixels.push_back(bytes[at + 1 + c * kPlane + pixel]);
    }
  }
  dataset.pictures = PictureSource(std::move(pictures), file);
  return dataset;
}

Dataset read_mnist(const fs::path& folder) {
  const fs::path pictures_file = idx_file(folder, "t10k-images-idx3-ubyte");
  const fs::path classes_file = idx_file(folder, "t10k-labels-idx1-ubyte");
  const Idx images = read_idx(pictures_file, 3);
  const Idx labels = read_idx(classes_file, 1);
  const std::size_t count = images.dims[0], height = images.dims[1], width = images.dims[2];
  if (labels.dims[0] != count)
    malformed(classes_file, fmt::format("{} classes for {} pictures", labels.dims[0], count));
  if (count == 0 || height == 0 || width == 0) malformed(pictures_file, "no pictures");
  Dataset dataset;
  std::vector<Picture> pictures;
  auto at = images.bytes.begin() + static_cast<std::ptrdiff_t>(images.first);
  for (std::size_t i = 0; i < count; ++i) {
    const auto end = at + static_cast<std::ptrdiff_t>(height * width);
    pictures.push_back({static_cast<std::int64_t>(height), static_cast<std::int64_t>(width), 1, Bytes(at, end)});
    at = end;
    dataset.classes.push_back(labels.bytes[labels.first + i]);
  }
  dataset.pictures = PictureSource(std::move(pictures), pictures_file);
  return dataset;
}

Dataset spread(Dataset dataset, std::size_t count) {
  const std::size_t all = dataset.classes.size();
  if (count >= all) return dataset;
  std::vector<std::size_t> which, classes;
  for (std::size_t i = 0; i < count; ++i) {
    which.push_back(i * all / count);
    classes.push_back(dataset.classes[which.back()]);
  }
  dataset.pictures = dataset.pictures.chosen(which);
  dataset.classes = std::move(classes);
  return dataset;
}

}  // namespace octavo::tool
