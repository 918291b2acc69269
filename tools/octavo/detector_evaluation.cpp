// SPDX-License-Identifier: Apache-2.0
// See detector_evaluation.h.
#include "tools/octavo/detector_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <span>

#include "octavo/detection.h"
#include "octavo/error.h"
#include "tools/octavo/console.h"

namespace octavo::tool {
namespace {

using metrics::Box;
using metrics::Detection;

double overlap(const Box& a, const Box& b) {
  const double width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const double height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  return width * height / (a.width * a.height + b.width * b.height - width * height);
}

constexpr double kCertain = 0.5;

std::vector<std::vector<const Detection*>> by_image(const std::vector<Detection>& detections, std::size_t images) {
  std::vector<std::vector<const Detection*>> sorted(images);
  for (const Detection& detection : detections) sorted.at(detection.image).push_back(&detection);
  return sorted;
}

bool repeated(const Detection& detection, const std::vector<const Detection*>& others) {
  constexpr double kSame = 0.9;
  return std::any_of(others.begin(), others.end(), [&](const Detection* other) {
    return other->category == detection.category && other->score >= detection.score / 2 &&
           overlap(other->box, detection.box) >= kSame;
  });
}

bool finite(const DetectedObject& object) {
  const std::array<float, 5> numbers{object.score, object.left, object.top, object.right, object.bottom};
  return std::all_of(numbers.begin(), numbers.end(), [](float number) { return std::isfinite(number); });
}

std::vector<std::string> names_of(const metrics::TruthSet& truth) {
  std::vector<std::string> names;
  for (const auto& category : truth.categories) names.push_back(category.name);
  return names;
}

/// "cat, dog, bird and 17 more"
std::string first_names(const std::vector<std::string>& names) {
  constexpr std::ptrdiff_t kShown = 5;
  const auto count = static_cast<std::ptrdiff_t>(names.size());
  if (count <= kShown + 1) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{} and {} more", fmt::join(names.begin(), names.begin() + kShown, ", "), count - kShown);
}

void add_detections(const Program& program, const PictureBatch& batch, const ImageInput& description,
                    const std::vector<std::optional<std::size_t>>& categories, DetectorResult& result) {
  const std::size_t which = detection_output(program).value();
  const auto start = std::chrono::steady_clock::now();
  const std::vector<Tensor> outputs = program.predict(std::span<const Tensor>(&batch.input, 1));
  result.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const Shape& shape = program.input_shapes().front();
  const std::size_t length = outputs[which].values().size() / static_cast<std::size_t>(shape[0]);
  for (std::size_t row = 0; row < batch.pictures.size(); ++row) {
    const auto objects = detected_objects(outputs[which].values().subspan(row * length, length),
                                          batch.sizes[row].height, batch.sizes[row].width, description, shape);
    for (const DetectedObject& object : objects) {
      const auto label = static_cast<std::size_t>(object.label);
      if (label >= categories.size() || !categories[label]) continue;
      if (!finite(object)) {
        ++result.not_numbers;
        continue;
      }
      result.detections.push_back({batch.pictures[row],
                                   *categories[label],
                                   static_cast<double>(object.score),
                                   {object.left, object.top, static_cast<double>(object.right) - object.left,
                                    static_cast<double>(object.bottom) - object.top}});
    }
  }
}

}  // namespace

DetectionData spread(DetectionData data, std::size_t count) {
  const std::size_t all = data.truth.images.size();
  if (count >= all) return data;
  constexpr auto kOut = static_cast<std::size_t>(-1);
  std::vector<std::size_t> places(all, kOut);
  DetectionData fewer{{}, {}, data.coco, data.averaging};
  fewer.truth.categories = std::move(data.truth.categories);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t from = i * all / count;
    places[from] = i;
    fewer.truth.images.push_back(std::move(data.truth.images[from]));
    if (!data.files.empty()) fewer.files.push_back(std::move(data.files[from]));
  }
  for (metrics::Truth object : data.truth.truths) {
    object.image = places.at(object.image);
    if (object.image != kOut) fewer.truth.truths.push_back(object);
  }
  return fewer;
}

std::vector<std::optional<std::size_t>> categories_of(const std::vector<std::string>& labels, std::size_t classes,
                                                      const metrics::TruthSet& truth) {
  const std::size_t count = truth.categories.size();
  std::vector<std::optional<std::size_t>> categories(classes);
  bool named = false;
  for (std::size_t label = 0; label < std::min(labels.size(), classes); ++label) {
    for (std::size_t c = 0; c < count; ++c) {
      if (truth.categories[c].name != labels[label]) continue;
      categories[label] = c;
      named = true;
    }
  }
  if (named) return categories;
  if (classes != count && classes != count + 1) {
    if (!labels.empty() && count > 0) {
      throw Error(ErrorKind::invalid_argument,
                  fmt::format("none of the network's labels ({}) names a category of the data ({})",
                              first_names(labels), first_names(names_of(truth))),
                  {}, "octavo convert --labels gives the network labels that do");
    }
    throw Error(ErrorKind::invalid_argument,
                fmt::format("the network has {} classes, the data {} categories", classes, count), {},
                "give the network labels that name the categories: octavo convert --labels");
  }
  const std::size_t background = classes - count;
  for (std::size_t c = 0; c < count; ++c) categories[c + background] = c;
  return categories;
}

std::string strangers_text(const std::vector<std::optional<std::size_t>>& categories,
                           const std::vector<std::string>& labels, const metrics::TruthSet& truth) {
  std::vector<bool> objects(truth.categories.size(), false);
  for (const metrics::Truth& object : truth.truths) objects.at(object.category) = true;
  std::vector<std::string> unknown_categories, unknown_labels;
  for (std::size_t c = 0; c < objects.size(); ++c) {
    if (objects[c] && std::find(categories.begin(), categories.end(), c) == categories.end()) {
      unknown_categories.push_back(truth.categories[c].name);
    }
  }
  for (std::size_t label = 1; label < std::min(labels.size(), categories.size()); ++label) {
    if (!categories[label]) unknown_labels.push_back(labels[label]);
  }
  std::string text;
  if (!unknown_categories.empty()) {
    text = "categories that the network does not know, whose objects count as not found: " +
           first_names(unknown_categories);
  }
  if (!unknown_labels.empty()) {
    text += fmt::format("{}labels that name no category, whose detections are left out: {}", text.empty() ? "" : "; ",
                        first_names(unknown_labels));
  }
  return text;
}

void DetectorResult::score(const DetectionData& data) {
  if (data.coco) {
    coco = metrics::coco_scores(data.truth, detections);
  } else {
    voc = metrics::voc_scores(data.truth, detections, data.averaging);
  }
}

Agreement agreement_of(const std::vector<Detection>& first, const std::vector<Detection>& second, std::size_t images) {
  const auto a = by_image(first, images), b = by_image(second, images);
  Agreement agreement;
  for (std::size_t image = 0; image < images; ++image) {
    Agreement::Difference difference{image, {}, {}};
    for (const Detection* detection : a[image]) {
      if (detection->score <= kCertain) continue;
      ++agreement.certain;
      if (repeated(*detection, b[image])) {
        ++agreement.found;
      } else {
        difference.only_first.push_back(*detection);
      }
    }
    for (const Detection* detection : b[image]) {
      if (detection->score > kCertain && !repeated(*detection, a[image])) difference.only_second.push_back(*detection);
    }
    if (!difference.only_first.empty() || !difference.only_second.empty()) {
      agreement.differences.push_back(std::move(difference));
    }
  }
  return agreement;
}

void DetectorEvaluation::run(const DetectionData& data, const Program* fp32_program, const Program* int8_program,
                             const ImageInput& description, const std::vector<std::optional<std::size_t>>& categories) {
  const Program& any = fp32_program != nullptr ? *fp32_program : *int8_program;
  if (fp32_program != nullptr) fp32.emplace();
  if (int8_program != nullptr) int8.emplace();
  PictureLoader loader(PictureSource(data.files), description, any.input_shapes().front(), any.threads());
  Progress progress("eval", data.files.size());
  while (const std::optional<PictureBatch> batch = loader.next()) {
    if (fp32) add_detections(*fp32_program, *batch, description, categories, *fp32);
    if (int8) add_detections(*int8_program, *batch, description, categories, *int8);
    pictures += batch->pictures.size();
    progress.advance(pictures + loader.skipped().size());
  }
  skipped = loader.skipped();
  if (fp32) fp32->score(data);
  if (int8) int8->score(data);
  if (fp32 && int8) agreement = agreement_of(fp32->detections, int8->detections, data.truth.images.size());
}

}  // namespace octavo::tool
