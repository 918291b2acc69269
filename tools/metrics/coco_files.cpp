// SPDX-License-Identifier: Apache-2.0
// See coco_files.h.
#include "tools/metrics/coco_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "octavo/error.h"
#include "tools/metrics/text_file.h"

namespace octavo::metrics {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

[[noreturn]] void malformed(const fs::path& file, const std::string& what) {
  throw Error(ErrorKind::malformed, what, file.string());
}

json parse(const fs::path& file) {
  try {
    return json::parse(read_text(file));
  } catch (const json::parse_error& error) {
    malformed(file, fmt::format("not JSON, or cut off, at byte {}", error.byte));
  }
}

/// The member of an object, or Error(malformed) that says where it is missing.
const json& member(const json& object, const char* key, const char* of, const fs::path& file) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end()) malformed(file, fmt::format("{} without '{}'", of, key));
  return *found;
}

double number(const json& object, const char* key, const char* of, const fs::path& file) {
  const json& value = member(object, key, of, file);
  if (!value.is_number()) malformed(file, fmt::format("'{}' of {} is not a number", key, of));
  return value.get<double>();
}

std::int64_t id(const json& object, const char* key, const char* of, const fs::path& file) {
  const json& value = member(object, key, of, file);
  if (!value.is_number_integer()) malformed(file, fmt::format("'{}' of {} is not a whole number", key, of));
  return value.get<std::int64_t>();
}

const json& list(const json& document, const char* key, const fs::path& file) {
  const json& value = member(document, key, "the file", file);
  if (!value.is_array()) malformed(file, fmt::format("'{}' is not a list", key));
  return value;
}

Box box(const json& object, const char* of, const fs::path& file) {
  const json& value = member(object, "bbox", of, file);
  const bool sound = value.is_array() && value.size() == 4 &&
                     std::all_of(value.begin(), value.end(), [](const json& n) { return n.is_number(); });
  if (!sound) malformed(file, fmt::format("'bbox' of {} is not four numbers", of));
  return {value[0].get<double>(), value[1].get<double>(), value[2].get<double>(), value[3].get<double>()};
}

using Places = std::unordered_map<std::int64_t, std::size_t>;

/// Sorts by id and says where each id is.
template <class Item>
Places places_of(std::vector<Item>& items, const char* of, const fs::path& file) {
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.id < b.id; });
  Places places;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!places.emplace(items[i].id, i).second) malformed(file, fmt::format("two {} have the id {}", of, items[i].id));
  }
  return places;
}

std::size_t place(const Places& places, std::int64_t wanted, const char* of, const fs::path& file) {
  const auto found = places.find(wanted);
  if (found == places.end()) malformed(file, fmt::format("there is no {} of id {}", of, wanted));
  return found->second;
}

}  // namespace

TruthSet read_coco_instances(const fs::path& file) {
  const json document = parse(file);
  TruthSet truth;
  for (const json& image : list(document, "images", file)) {
    TruthSet::Image entry{{}, id(image, "id", "an image", file), 0, 0};
    const json& name = member(image, "file_name", "an image", file);
    if (!name.is_string()) malformed(file, "'file_name' of an image is not text");
    entry.name = name.get<std::string>();
    entry.width = id(image, "width", "an image", file);
    entry.height = id(image, "height", "an image", file);
    truth.images.push_back(std::move(entry));
  }
  for (const json& category : list(document, "categories", file)) {
    const json& name = member(category, "name", "a category", file);
    if (!name.is_string()) malformed(file, "'name' of a category is not text");
    truth.categories.push_back({name.get<std::string>(), id(category, "id", "a category", file)});
  }
  const Places images = places_of(truth.images, "images", file);
  const Places categories = places_of(truth.categories, "categories", file);
  for (const json& annotation : list(document, "annotations", file)) {
    Truth object;
    object.image = place(images, id(annotation, "image_id", "an annotation", file), "image", file);
    object.category = place(categories, id(annotation, "category_id", "an annotation", file), "category", file);
    object.box = box(annotation, "an annotation", file);
    object.area = annotation.contains("area") ? number(annotation, "area", "an annotation", file)
                                              : object.box.width * object.box.height;
    object.crowd = annotation.contains("iscrowd") && id(annotation, "iscrowd", "an annotation", file) != 0;
    truth.truths.push_back(object);
  }
  return truth;
}

std::vector<Detection> read_coco_results(const fs::path& file, const TruthSet& truth) {
  Places images, categories;
  for (std::size_t i = 0; i < truth.images.size(); ++i) images.emplace(truth.images[i].id, i);
  for (std::size_t i = 0; i < truth.categories.size(); ++i) categories.emplace(truth.categories[i].id, i);
  const json document = parse(file);
  if (!document.is_array()) malformed(file, "not a list of results");
  std::vector<Detection> detections;
  for (const json& result : document) {
    detections.push_back({place(images, id(result, "image_id", "a result", file), "image", file),
                          place(categories, id(result, "category_id", "a result", file), "category", file),
                          number(result, "score", "a result", file), box(result, "a result", file)});
  }
  return detections;
}

std::string coco_results(const TruthSet& truth, std::span<const Detection> detections) {
  std::string text = "[";
  for (const Detection& d : detections) {
    text += fmt::format(R"({}{{"image_id":{},"category_id":{},"bbox":[{},{},{},{}],"score":{}}})",
                        text.size() > 1 ? ",\n" : "\n", truth.images.at(d.image).id, truth.categories.at(d.category).id,
                        d.box.x, d.box.y, d.box.width, d.box.height, d.score);
  }
  return text + "\n]\n";
}

}  // namespace octavo::metrics
