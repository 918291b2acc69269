// SPDX-License-Identifier: Apache-2.0
// See voc_files.h.
#include "tools/metrics/voc_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <sstream>
#include <system_error>

#include "octavo/error.h"
#include "tools/metrics/text_file.h"
#include "tools/metrics/xml_reader.h"

namespace octavo::metrics {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 20> kVocCategories{
    "aeroplane",   "bicycle", "bird",  "boat",      "bottle", "bus",         "car",   "cat",  "chair", "cow",
    "diningtable", "dog",     "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"};

[[noreturn]] void malformed_voc(const std::string& what, const std::string& where) {
  throw Error(ErrorKind::malformed, what, where);
}

double number(std::string_view text, const std::string& where) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    malformed_voc(fmt::format("'{}' is not a number", text), where);
  }
  return value;
}

Box corners(double left, double top, double right, double bottom) { return {left, top, right - left, bottom - top}; }

std::vector<fs::path> files_in(const fs::path& folder, const char* extension) {
  std::error_code problem;
  std::vector<fs::path> files;
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end; at.increment(problem)) {
    if (at->path().extension() == extension) files.push_back(at->path());
  }
  if (problem) throw Error(ErrorKind::io, "cannot read: " + problem.message(), folder.string());
  std::sort(files.begin(), files.end());
  return files;
}

template <class Item>
std::optional<std::size_t> find_named(const std::vector<Item>& items, std::string_view name) {
  const auto found = std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.name == name; });
  if (found == items.end()) return std::nullopt;
  return static_cast<std::size_t>(found - items.begin());
}

std::size_t category_of(std::string_view name, TruthSet& truth) {
  if (const auto known = find_named(truth.categories, name)) return *known;
  const auto id = static_cast<std::int64_t>(truth.categories.size()) + 1;
  truth.categories.push_back({std::string(name), id});
  return truth.categories.size() - 1;
}

/// The words of each line that has any, and its place.
void each_line(const fs::path& file,
               const std::function<void(const std::vector<std::string>&, const std::string& where)>& use) {
  std::istringstream text(read_text(file));
  std::string line;
  for (std::size_t count = 1; std::getline(text, line); ++count) {
    std::istringstream words(line);
    std::vector<std::string> found;
    for (std::string word; words >> word;) found.push_back(word);
    if (!found.empty()) use(found, fmt::format("{}:{}", file.string(), count));
  }
}

void read_annotation(const fs::path& file, std::size_t image, TruthSet& truth) {
  struct Object {
    std::string name;
    bool difficult = false;
    double left = 0, top = 0, right = 0, bottom = 0;
    int sides = 0;
  } object;
  const std::string where = file.string();
  const auto side = [&](double& to, std::string_view text) {
    to = number(text, where);
    ++object.sides;
  };
  const auto leave = [&](std::string_view path, std::string_view text) {
    TruthSet::Image& entry = truth.images[image];
    if (path == "annotation/size/width") entry.width = static_cast<std::int64_t>(number(text, where));
    if (path == "annotation/size/height") entry.height = static_cast<std::int64_t>(number(text, where));
    if (path == "annotation/object/name") object.name = text;
    if (path == "annotation/object/difficult") object.difficult = text == "1";
    if (path == "annotation/object/bndbox/xmin") side(object.left, text);
    if (path == "annotation/object/bndbox/ymin") side(object.top, text);
    if (path == "annotation/object/bndbox/xmax") side(object.right, text);
    if (path == "annotation/object/bndbox/ymax") side(object.bottom, text);
    if (path != "annotation/object") return;
    if (object.name.empty() || object.sides != 4) malformed_voc("an object without a name or a box", where);
    const Box box = corners(object.left, object.top, object.right, object.bottom);
    truth.truths.push_back(
        {image, category_of(object.name, truth), box, box.width * box.height, false, object.difficult});
    object = {};
  };
  try {
    read_xml(read_text(file), leave);
  } catch (const Error& error) {
    if (!error.where().empty()) throw;
    throw Error(error.kind(), error.what(), where);
  }
}

Box line_box(const std::vector<std::string>& words, std::size_t first, const std::string& where) {
  return corners(number(words[first], where), number(words[first + 1], where), number(words[first + 2], where),
                 number(words[first + 3], where));
}

}  // namespace

TruthSet read_voc_devkit(const fs::path& folder, std::string_view split) {
  TruthSet truth;
  for (const char* name : kVocCategories) static_cast<void>(category_of(name, truth));
  std::vector<std::string> names;
  if (split.empty()) {
    for (const fs::path& file : files_in(folder / "Annotations", ".xml")) names.push_back(file.stem().string());
  } else {
    each_line(folder / "ImageSets" / "Main" / (std::string(split) + ".txt"),
              [&](const std::vector<std::string>& words, const std::string&) { names.push_back(words[0]); });
  }
  if (names.empty()) malformed_voc("there is no picture", folder.string());
  for (const std::string& name : names) {
    truth.images.push_back({name, static_cast<std::int64_t>(truth.images.size()) + 1, 0, 0});
    read_annotation(folder / "Annotations" / (name + ".xml"), truth.images.size() - 1, truth);
  }
  return truth;
}

fs::path voc_picture(const fs::path& folder, const TruthSet::Image& image) {
  return folder / "JPEGImages" / (image.name + ".jpg");
}

TruthSet read_text_truth(const fs::path& folder) {
  TruthSet truth;
  for (const fs::path& file : files_in(folder, ".txt")) {
    const std::size_t image = truth.images.size();
    truth.images.push_back({file.stem().string(), static_cast<std::int64_t>(image) + 1, 0, 0});
    each_line(file, [&](const std::vector<std::string>& words, const std::string& where) {
      const bool difficult = words.size() == 6 && words[5] == "difficult";
      if (words.size() != 5 && !difficult)
        malformed_voc("not a `category left top right bottom [difficult]` line", where);
      const Box box = line_box(words, 1, where);
      truth.truths.push_back({image, category_of(words[0], truth), box, box.width * box.height, false, difficult});
    });
  }
  if (truth.images.empty()) malformed_voc("there is no .txt file", folder.string());
  return truth;
}

std::vector<Detection> read_voc_detections(const fs::path& folder, const TruthSet& truth) {
  std::map<std::string, std::size_t, std::less<>> images;
  for (std::size_t i = 0; i < truth.images.size(); ++i) images.emplace(truth.images[i].name, i);
  std::vector<Detection> detections;
  bool any = false;
  for (const fs::path& file : files_in(folder, ".txt")) {
    const std::string stem = file.stem().string();
    const auto image = images.find(stem);
    const std::optional<std::size_t> category = find_named(truth.categories, stem.substr(stem.rfind('_') + 1));
    if (image == images.end() && !category) continue;  // of a category or a picture that is not asked for
    any = true;
    each_line(file, [&](const std::vector<std::string>& words, const std::string& where) {
      if (words.size() != 6) malformed_voc("not six words: name, score, left, top, right, bottom", where);
      const double score = number(words[1], where);
      const Box box = line_box(words, 2, where);
      if (image != images.end()) {
        const std::optional<std::size_t> named = find_named(truth.categories, words[0]);
        if (named) detections.push_back({image->second, *named, score, box});
        return;
      }
      const auto at = images.find(words[0]);
      if (at == images.end()) malformed_voc(fmt::format("there is no picture '{}'", words[0]), where);
      detections.push_back({at->second, *category, score, box});
    });
  }
  if (!any) malformed_voc("no file of detections is here, neither *_CATEGORY.txt nor PICTURE.txt", folder.string());
  return detections;
}

std::map<std::string, std::string> voc_detections(const TruthSet& truth, std::span<const Detection> detections,
                                                  std::string_view split) {
  std::vector<std::string> texts(truth.categories.size());
  for (const Detection& d : detections) {
    texts.at(d.category) += fmt::format("{} {} {} {} {} {}\n", truth.images.at(d.image).name, d.score, d.box.x, d.box.y,
                                        d.box.x + d.box.width, d.box.y + d.box.height);
  }
  std::map<std::string, std::string> files;
  for (std::size_t c = 0; c < texts.size(); ++c) {
    files[fmt::format("comp4_det_{}_{}.txt", split, truth.categories[c].name)] = std::move(texts[c]);
  }
  return files;
}

}  // namespace octavo::metrics
