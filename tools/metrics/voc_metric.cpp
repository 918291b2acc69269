// SPDX-License-Identifier: Apache-2.0
// See voc_metric.h.
#include "tools/metrics/voc_metric.h"

#include <algorithm>
#include <utility>

namespace octavo::metrics {
namespace {

/// Pixels from x to x + width, both included.
double overlap(const Box& a, const Box& b) {
  const double width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x) + 1;
  const double height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y) + 1;
  if (width <= 0 || height <= 0) return 0;
  const auto area = [](const Box& box) { return (box.width + 1) * (box.height + 1); };
  return width * height / (area(a) + area(b) - width * height);
}

struct Object {
  const Truth* truth;
  bool taken = false;
};

struct Point {
  double recall, precision;
};

double eleven_points(const std::vector<Point>& curve) {
  double sum = 0;
  for (int i = 0; i <= 10; ++i) {
    double best = 0;
    for (const Point& point : curve) {
      if (point.recall >= i / 10.0) best = std::max(best, point.precision);
    }
    sum += best;
  }
  return sum / 11;
}

double area_below(const std::vector<Point>& curve) {
  double best = 0, sum = 0;
  for (std::size_t i = curve.size(); i-- > 0;) {
    best = std::max(best, curve[i].precision);
    sum += (curve[i].recall - (i > 0 ? curve[i - 1].recall : 0)) * best;
  }
  return sum;
}

/// Precision after each detection that counts. `detections` fall in score; `objects` are those of each picture.
std::vector<Point> curve_of(const std::vector<const Detection*>& detections, std::vector<std::vector<Object>>& objects,
                            std::size_t to_find, double least_overlap) {
  std::vector<Point> curve;
  std::size_t right = 0, wrong = 0;
  for (const Detection* detection : detections) {
    Object* best = nullptr;
    double most = 0;
    for (Object& object : objects[detection->image]) {
      const double share = overlap(detection->box, object.truth->box);
      if (share > most) {
        most = share;
        best = &object;
      }
    }
    const bool found = best != nullptr && most >= least_overlap;
    if (found && best->truth->difficult) continue;
    ++(found && !best->taken ? right : wrong);
    if (found) best->taken = true;
    curve.push_back({static_cast<double>(right) / static_cast<double>(to_find),
                     static_cast<double>(right) / static_cast<double>(right + wrong)});
  }
  return curve;
}

}  // namespace

VocScores voc_scores(const TruthSet& truth, std::span<const Detection> detections, VocAveraging averaging,
                     double least_overlap) {
  const std::size_t categories = truth.categories.size();
  std::vector<std::vector<const Detection*>> found(categories);
  for (const Detection& detection : detections) found.at(detection.category).push_back(&detection);
  std::vector<std::vector<const Truth*>> wanted(categories);
  for (const Truth& object : truth.truths) wanted.at(object.category).push_back(&object);

  VocScores scores;
  double sum = 0;
  std::size_t counted = 0;
  for (std::size_t category = 0; category < categories; ++category) {
    std::vector<std::vector<Object>> objects(truth.images.size());
    std::size_t to_find = 0;
    for (const Truth* object : wanted[category]) {
      objects.at(object->image).push_back({object, false});
      if (!object->difficult) ++to_find;
    }
    scores.average_precision.emplace_back();
    if (to_find == 0) continue;
    std::stable_sort(found[category].begin(), found[category].end(),
                     [](const Detection* a, const Detection* b) { return a->score > b->score; });
    const std::vector<Point> curve = curve_of(found[category], objects, to_find, least_overlap);
    const double precision = averaging == VocAveraging::area ? area_below(curve) : eleven_points(curve);
    scores.average_precision.back() = precision;
    sum += precision;
    ++counted;
  }
  if (counted > 0) scores.mean = sum / static_cast<double>(counted);
  return scores;
}

}  // namespace octavo::metrics
