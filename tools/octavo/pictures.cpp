// SPDX-License-Identifier: Apache-2.0
// Pictures: see pictures.h.
#include "tools/octavo/pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <system_error>
#include <thread>

#include "octavo/error.h"

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

PictureSource::PictureSource(std::vector<Picture> pictures, const fs::path& origin)
    : held_(std::make_shared<const std::vector<Picture>>(std::move(pictures))) {
  for (std::size_t i = 0; i < held_->size(); ++i) {
    names_.emplace_back(fmt::format("{}:{}", origin.string(), i));
    places_.push_back(i);
  }
}

Picture PictureSource::read(std::size_t i) const {
  return held_ ? held_->at(places_.at(i)) : read_picture(names_.at(i));
}

PictureSource PictureSource::chosen(const std::vector<std::size_t>& which) const {
  PictureSource fewer;
  fewer.held_ = held_;
  for (const std::size_t i : which) {
    fewer.names_.push_back(names_.at(i));
    if (held_) fewer.places_.push_back(places_.at(i));
  }
  return fewer;
}

PictureLoader::PictureLoader(PictureSource source, ImageInput description, Shape shape, int threads)
    : source_(std::move(source)),
      description_(std::move(description)),
      shape_(std::move(shape)),
      threads_(threads > 0 ? threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))) {
  if (shape_.empty() || shape_[0] < 1) throw Error(ErrorKind::invalid_argument, "a batch holds at least one picture");
}

std::optional<PictureBatch> PictureLoader::next() {
  if (begin_ >= source_.size()) return std::nullopt;
  const std::size_t end = std::min(source_.size(), begin_ + static_cast<std::size_t>(shape_[0]));
  Loaded loaded = load(begin_, end);
  begin_ = end;
  skipped_.insert(skipped_.end(), loaded.skipped.begin(), loaded.skipped.end());
  return std::move(loaded.batch);
}

PictureLoader::Loaded PictureLoader::load(std::size_t begin, std::size_t end) const {
  const std::size_t count = end - begin;
  std::vector<Tensor> prepared(count);
  std::vector<PictureBatch::Size> sizes(count);
  std::vector<std::string> problems(count);
  std::vector<std::exception_ptr> failures(count);
  Shape one = shape_;
  one[0] = 1;

  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        const Picture picture = source_.read(begin + i);
        sizes[i] = {picture.height, picture.width};
        prepared[i] = to_input(picture, description_, one);
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
      loaded.skipped.push_back({source_.name(begin + i), problems[i]});
      continue;
    }
    row = std::copy(prepared[i].values().begin(), prepared[i].values().end(), row);
    loaded.batch.pictures.push_back(begin + i);
    loaded.batch.sizes.push_back(sizes[i]);
  }
  return loaded;
}

}  // namespace octavo::tool
