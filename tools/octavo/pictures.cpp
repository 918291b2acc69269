// SPDX-License-Identifier: Apache-2.0
// Picture files: see pictures.h.
#include "tools/octavo/pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <charconv>
#include <system_error>
#include <thread>

#include "octavo/error.h"
#include "tools/octavo/text.h"

namespace octavo::tool {
namespace {

namespace fs = std::filesystem;

bool looks_like_picture(const fs::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

Error unreadable(const fs::path& path, const std::string& why) {
  return {ErrorKind::io, "cannot read: " + why, path.string()};
}

/// The folder's subfolders, sorted.
std::vector<fs::path> subfolders(const fs::path& folder) {
  std::error_code problem;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end; at.increment(problem)) {
    if (at->is_directory(problem)) found.push_back(at->path());
  }
  if (problem) throw unreadable(folder, problem.message());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::vector<fs::path> find_pictures(const fs::path& file_or_folder) {
  std::error_code problem;
  if (!fs::is_directory(file_or_folder, problem)) return {file_or_folder};
  std::vector<fs::path> found;
  for (fs::recursive_directory_iterator at(file_or_folder, problem), end; !problem && at != end;
       at.increment(problem)) {
    if (at->is_regular_file(problem) && looks_like_picture(at->path())) found.push_back(at->path());
  }
  if (problem) throw unreadable(file_or_folder, problem.message());
  if (found.empty()) throw unreadable(file_or_folder, "no .jpg, .jpeg or .png below this folder");
  std::sort(found.begin(), found.end());
  return found;
}

Dataset read_class_folders(const fs::path& folder) {
  Dataset dataset;
  const std::vector<fs::path> classes = subfolders(folder);
  if (classes.empty()) {
    throw Error(ErrorKind::invalid_argument, "no folder a class here", folder.string(),
                "a list of `name index` lines can be given with --labels");
  }
  for (std::size_t c = 0; c < classes.size(); ++c) {
    dataset.class_names.push_back(classes[c].filename().string());
    for (fs::path& file : find_pictures(classes[c])) {
      dataset.files.push_back(std::move(file));
      dataset.classes.push_back(c);
    }
  }
  return dataset;
}

Dataset read_class_list(const fs::path& folder, const fs::path& list) {
  Dataset dataset;
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
    dataset.files.push_back(folder / line.substr(0, name_end + 1));
    dataset.classes.push_back(index);
  }
  if (dataset.files.empty()) throw Error(ErrorKind::malformed, "the list is empty", list.string());
  return dataset;
}

PictureLoader::PictureLoader(std::vector<fs::path> files, ImageInput description, Shape shape, int threads)
    : files_(std::move(files)),
      description_(std::move(description)),
      shape_(std::move(shape)),
      threads_(threads > 0 ? threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))) {
  if (shape_.empty() || shape_[0] < 1) throw Error(ErrorKind::invalid_argument, "a batch holds at least one picture");
}

std::optional<PictureBatch> PictureLoader::next() {
  if (begin_ >= files_.size()) return std::nullopt;
  const std::size_t end = std::min(files_.size(), begin_ + static_cast<std::size_t>(shape_[0]));
  Loaded loaded = load(begin_, end);
  begin_ = end;
  skipped_.insert(skipped_.end(), loaded.skipped.begin(), loaded.skipped.end());
  return std::move(loaded.batch);
}

PictureLoader::Loaded PictureLoader::load(std::size_t begin, std::size_t end) const {
  const std::size_t count = end - begin;
  std::vector<Tensor> prepared(count);
  std::vector<std::string> problems(count);
  std::vector<std::exception_ptr> failures(count);
  Shape one = shape_;
  one[0] = 1;

  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        prepared[i] = to_input(read_picture(files_[begin + i]), description_, one);
      } catch (const Error& error) {
        // A broken picture is skipped; a description that fits no picture, or no memory, is everybody's problem.
        if (error.kind() == ErrorKind::invalid_argument || error.kind() == ErrorKind::resource) {
          failures[i] = std::current_exception();
        }
        problems[i] = error.what();
      } catch (...) {
        failures[i] = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (int t = 1; t < std::min(threads_, static_cast<int>(count)); ++t) helpers.emplace_back(work);
    work();
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }

  Loaded loaded;
  loaded.batch.input = Tensor(shape_);
  float* row = loaded.batch.input.data();
  for (std::size_t i = 0; i < count; ++i) {
    if (!problems[i].empty()) {
      loaded.skipped.push_back({files_[begin + i], problems[i]});
      continue;
    }
    row = std::copy(prepared[i].values().begin(), prepared[i].values().end(), row);
    loaded.batch.pictures.push_back(begin + i);
  }
  return loaded;
}

}  // namespace octavo::tool
