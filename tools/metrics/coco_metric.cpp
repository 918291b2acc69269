// SPDX-License-Identifier: Apache-2.0
// See coco_metric.h. Categories are counted one after the other; within one, each range of sizes.
#include "tools/metrics/coco_metric.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace octavo::metrics {
namespace {

constexpr std::size_t kOverlaps = 10, kRecalls = 101, kMostDetections = 100;
constexpr std::array<std::size_t, 3> kLimits{1, 10, kMostDetections};  ///< detections a picture
/// all, small, medium, large
constexpr std::array<std::pair<double, double>, 4> kRanges{
    {{0, 1e10}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, 1e10}}};

/// Recalls and overlaps as NumPy's linspace rounds them: detections right at a threshold are common.
double overlap_at(std::size_t i) {
  return i + 1 == kOverlaps ? 0.95 : 0.5 + static_cast<double>(i) * ((0.95 - 0.5) / 9);
}
double recall_at(std::size_t i) { return i + 1 == kRecalls ? 1.0 : static_cast<double>(i) * (1.0 / 100); }

double overlap(const Box& detection, const Truth& truth) {
  const Box& box = truth.box;
  const double width = std::min(detection.x + detection.width, box.x + box.width) - std::max(detection.x, box.x);
  const double height = std::min(detection.y + detection.height, box.y + box.height) - std::max(detection.y, box.y);
  if (width <= 0 || height <= 0) return 0;
  const double shared = width * height, own = detection.width * detection.height;
  return shared / (truth.crowd ? own : own + box.width * box.height - shared);
}

/// One category in one picture.
struct Scene {
  std::vector<const Truth*> truths;
  std::vector<const Detection*> detections;  ///< the best, in falling order of score
  std::vector<double> overlaps;              ///< [detection][truth]
};

enum class Verdict : std::uint8_t { right, wrong, ignored };

/// A detection judged at each overlap.
struct Judged {
  double score;
  std::size_t rank;  ///< in its picture, from 0
  std::array<Verdict, kOverlaps> at;
};

class Category {
 public:
  void add(const Truth& truth) { scenes_[truth.image].truths.push_back(&truth); }
  void add(const Detection& detection) { scenes_[detection.image].detections.push_back(&detection); }

  void prepare() {
    for (auto& [image, scene] : scenes_) {
      std::stable_sort(scene.detections.begin(), scene.detections.end(),
                       [](const Detection* a, const Detection* b) { return a->score > b->score; });
      if (scene.detections.size() > kMostDetections) scene.detections.resize(kMostDetections);
      for (const Detection* detection : scene.detections) {
        for (const Truth* truth : scene.truths) scene.overlaps.push_back(overlap(detection->box, *truth));
      }
    }
  }

  /// Judges every detection; the number of objects to find is added to `to_find`.
  [[nodiscard]] std::vector<Judged> judge(const std::pair<double, double>& range, std::size_t& to_find) const {
    std::vector<Judged> judged;
    for (const auto& [image, scene] : scenes_) judge(scene, range, to_find, judged);
    return judged;
  }

 private:
  static void judge(const Scene& scene, const std::pair<double, double>& range, std::size_t& to_find,
                    std::vector<Judged>& judged) {
    const auto outside = [&](double area) { return area < range.first || area > range.second; };
    // Objects that count come first: a detection takes one that does not only when none that does is left for it.
    std::vector<std::size_t> order;
    std::vector<bool> ignored(scene.truths.size());
    for (std::size_t t = 0; t < scene.truths.size(); ++t) {
      ignored[t] = scene.truths[t]->crowd || outside(scene.truths[t]->area);
      if (!ignored[t]) order.push_back(t);
    }
    to_find += order.size();
    for (std::size_t t = 0; t < scene.truths.size(); ++t) {
      if (ignored[t]) order.push_back(t);
    }

    const std::size_t first = judged.size();
    for (std::size_t d = 0; d < scene.detections.size(); ++d) judged.push_back({scene.detections[d]->score, d, {}});
    for (std::size_t o = 0; o < kOverlaps; ++o) {
      std::vector<bool> taken(scene.truths.size(), false);
      for (std::size_t d = 0; d < scene.detections.size(); ++d) {
        const double* const overlaps = scene.overlaps.data() + d * scene.truths.size();
        double most = std::min(overlap_at(o), 1 - 1e-10);
        std::optional<std::size_t> match;
        for (const std::size_t t : order) {
          if (taken[t] && !scene.truths[t]->crowd) continue;
          if (match && !ignored[*match] && ignored[t]) break;
          if (overlaps[t] < most) continue;
          most = overlaps[t];
          match = t;
        }
        if (match) taken[*match] = true;
        const Box& box = scene.detections[d]->box;
        const bool none = match ? ignored[*match] : outside(box.width * box.height);
        judged[first + d].at.at(o) = none ? Verdict::ignored : match ? Verdict::right : Verdict::wrong;
      }
    }
  }

  std::map<std::size_t, Scene> scenes_;  ///< by picture
};

/// The mean of the interpolated precisions, and the recall that is reached.
struct Curve {
  double precision = 0, recall = 0;
};

/// `judged` in falling order of score; those of a rank from `limit` on are left out.
Curve curve_at(const std::vector<Judged>& judged, std::size_t overlap, std::size_t limit, std::size_t to_find) {
  std::vector<double> recalls, precisions;
  double right = 0, wrong = 0;
  for (const Judged& detection : judged) {
    if (detection.rank >= limit) continue;
    const Verdict verdict = detection.at.at(overlap);
    right += verdict == Verdict::right ? 1 : 0;
    wrong += verdict == Verdict::wrong ? 1 : 0;
    recalls.push_back(right / static_cast<double>(to_find));
    precisions.push_back(right / (right + wrong + std::numeric_limits<double>::epsilon()));
  }
  Curve curve;
  if (recalls.empty()) return curve;
  curve.recall = recalls.back();
  for (std::size_t i = precisions.size() - 1; i > 0; --i)
    precisions[i - 1] = std::max(precisions[i - 1], precisions[i]);
  std::size_t at = 0;
  for (std::size_t r = 0; r < kRecalls; ++r) {
    while (at < recalls.size() && recalls[at] < recall_at(r)) ++at;
    if (at == recalls.size()) break;
    curve.precision += precisions[at];
  }
  curve.precision /= kRecalls;
  return curve;
}

class Average {
 public:
  void add(double value) {
    sum_ += value;
    ++count_;
  }
  [[nodiscard]] CocoScores::Mean value() const {
    if (count_ == 0) return std::nullopt;
    return sum_ / static_cast<double>(count_);
  }

 private:
  double sum_ = 0;
  std::size_t count_ = 0;
};

struct Averages {
  std::array<Average, kRanges.size()> precision, recall;  ///< with all detections
  Average precision50, precision75;
  std::array<Average, kLimits.size()> recall_within;  ///< of any size
};

void add_category(const Category& category, Averages& averages, CocoScores& scores) {
  Average own, own50;
  for (std::size_t range = 0; range < kRanges.size(); ++range) {
    std::size_t to_find = 0;
    std::vector<Judged> judged = category.judge(kRanges.at(range), to_find);
    if (to_find == 0) continue;
    std::stable_sort(judged.begin(), judged.end(), [](const Judged& a, const Judged& b) { return a.score > b.score; });
    for (std::size_t o = 0; o < kOverlaps; ++o) {
      const Curve curve = curve_at(judged, o, kMostDetections, to_find);
      averages.precision.at(range).add(curve.precision);
      averages.recall.at(range).add(curve.recall);
      if (range != 0) continue;
      own.add(curve.precision);
      if (o == 0) own50.add(curve.precision);
      if (o == 0) averages.precision50.add(curve.precision);
      if (o == 5) averages.precision75.add(curve.precision);
      for (std::size_t l = 0; l < kLimits.size(); ++l) {
        averages.recall_within.at(l).add(curve_at(judged, o, kLimits.at(l), to_find).recall);
      }
    }
  }
  scores.ap_of_category.push_back(own.value());
  scores.ap50_of_category.push_back(own50.value());
}

}  // namespace

CocoScores coco_scores(const TruthSet& truth, std::span<const Detection> detections) {
  std::vector<Category> categories(truth.categories.size());
  for (const Truth& object : truth.truths) categories.at(object.category).add(object);
  for (const Detection& detection : detections) categories.at(detection.category).add(detection);

  CocoScores scores;
  Averages averages;
  for (Category& category : categories) {
    category.prepare();
    add_category(category, averages, scores);
  }
  scores.ap = averages.precision[0].value();
  scores.ap50 = averages.precision50.value();
  scores.ap75 = averages.precision75.value();
  scores.ap_small = averages.precision[1].value();
  scores.ap_medium = averages.precision[2].value();
  scores.ap_large = averages.precision[3].value();
  scores.ar1 = averages.recall_within[0].value();
  scores.ar10 = averages.recall_within[1].value();
  scores.ar100 = averages.recall_within[2].value();
  scores.ar_small = averages.recall[1].value();
  scores.ar_medium = averages.recall[2].value();
  scores.ar_large = averages.recall[3].value();
  return scores;
}

}  // namespace octavo::metrics
