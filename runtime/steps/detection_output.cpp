// SPDX-License-Identifier: Apache-2.0
// DetectionOutput: from locations and confidences of all priors to the boxes that are kept.
//
// The candidates of each class are found in one pass (runtime/steps/candidates.h) and sorted. Suppression then works in
// waves down the scores of all classes: once keep_top_k boxes are kept, whatever is further down cannot be among the
// best of all classes, so it is neither decoded nor compared.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "runtime/parallel.h"
#include "runtime/steps/boxes.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/candidates.h"
#include "runtime/steps/score_order.h"
#include "runtime/steps/scratch_carver.h"

namespace octavo::runtime {
namespace {

constexpr std::int64_t kDetection = 7;   ///< numbers in a row of the output
constexpr std::int64_t kFirstWave = 16;  ///< candidates of the foremost class in the first wave; each wave doubles it

/// A candidate's place in the order of all classes: by score, then class, then place in its class's list.
struct Place {
  float score;
  std::int64_t label, index;
};

bool stands_before(const Place& a, const Place& b) {
  if (a.score != b.score) return a.score > b.score;
  return a.label != b.label ? a.label < b.label : a.index < b.index;
}

/// How far a class has come. What is kept of its candidates stands at the front of their list.
struct Progress {
  std::int64_t count;  ///< candidates
  std::int64_t next;   ///< the first that has not been looked at
  std::int64_t kept;
  float threshold;  ///< of the overlap: eta lowers it
  KeptBoxes boxes;
};

class DetectionOutputStep final : public Step {
 public:
  DetectionOutputStep(const StepRequest& request, const graph::DetectionOutput& op)
      : op_(op),
        pictures_(request.input_shape(0)[0]),
        rows_(request.output_shape()[2]),
        priors_(graph::element_count(request.input_shape(2)) / 8),
        best_(op.nms_top_k < 0 ? priors_ : std::min(op.nms_top_k, priors_)),
        most_kept_(op.keep_top_k < 0 ? best_ : std::min(op.keep_top_k, best_)),
        threads_(request.context.threads),
        finder_(priors_, op.classes, op.background, best_, op.confidence_threshold),
        location_(request.inputs[0]),
        confidence_(request.inputs[1]),
        prior_(request.inputs[2]),
        output_(request.outputs[0]) {
    info.algorithm = "non-maximum suppression";
  }

  [[nodiscard]] std::size_t scratch_bytes() const override {
    return carved_bytes([this](ScratchCarver& carver) { return carve(carver); });
  }

  void run(RunContext& context) const override {
    ScratchCarver carver(context.scratch);
    const Scratch scratch = carve(carver);
    for (std::int64_t picture = 0; picture < pictures_; ++picture) {
      finder_.find(context.values[confidence_] + picture * priors_ * op_.classes, scratch.candidates);
      for_each_class(context, [&](int thread, std::int64_t label) { sort(label, thread, scratch); });
      suppress(context, picture, scratch);
      keep_best(scratch);
      write(context, picture, scratch);
    }
  }

 private:
  struct Scratch {
    CandidateFinder::Memory candidates;
    ScoredBox* spare;    ///< [threads][capacity of a class's list]
    Progress* progress;  ///< [classes]
    float* arrays;       ///< of KeptBoxes, for each class
    Place* kept;         ///< [classes][most_kept_]
  };

  Scratch carve(ScratchCarver& carver) const {
    return {finder_.carve(carver), carver.take<ScoredBox>(threads_ * finder_.capacity()),
            carver.take<Progress>(op_.classes), carver.take<float>(op_.classes * KeptBoxes::floats(most_kept_)),
            carver.take<Place>(op_.keep_top_k < 0 ? 0 : op_.classes * most_kept_)};
  }
  [[nodiscard]] ScoredBox* candidates_of(std::int64_t label, const Scratch& scratch) const {
    return scratch.candidates.boxes + label * finder_.capacity();
  }

  /// A class may have few candidates or hundreds: it is not known beforehand, so classes are dealt out evenly.
  template <class Body>
  void for_each_class(const RunContext& context, const Body& body) const {
    parallel_for(std::min(context.threads, threads_), op_.classes, 1,
                 [&](int thread, std::int64_t begin, std::int64_t end) {
                   for (std::int64_t label = begin; label < end; ++label) body(thread, label);
                 });
  }

  void sort(std::int64_t label, int thread, const Scratch& scratch) const {
    const std::int64_t count = scratch.candidates.counts[label];
    sort_by_score(candidates_of(label, scratch), count, scratch.spare + thread * finder_.capacity());
    std::construct_at(scratch.progress + label,
                      Progress{std::min(count, best_), 0, 0, op_.nms_threshold,
                               KeptBoxes(scratch.arrays + label * KeptBoxes::floats(most_kept_), most_kept_, 0.0F)});
  }

  [[nodiscard]] Box decode(const RunContext& context, std::int64_t picture, std::int64_t label,
                           std::int64_t prior) const {
    constexpr float kOnes[] = {1.0F, 1.0F, 1.0F, 1.0F};
    const float* const priors = context.values[prior_];
    const std::int64_t box =
        op_.share_location ? picture * priors_ + prior : (picture * priors_ + prior) * op_.classes + label;
    return decode_box(op_.code, context.values[location_] + 4 * box, priors + 4 * prior,
                      op_.variance_in_target ? kOnes : priors + 4 * (priors_ + prior));
  }

  void suppress(const RunContext& context, std::int64_t picture, const Scratch& scratch) const {
    if (op_.keep_top_k < 0) {
      const Place behind_all{-std::numeric_limits<float>::infinity(), op_.classes, 0};
      for_each_class(context, [&](int, std::int64_t label) { advance(context, picture, label, behind_all, scratch); });
      return;
    }
    for (std::int64_t wave = std::min(kFirstWave, best_); kept_of_all(scratch) < op_.keep_top_k;
         wave = std::min(2 * wave, best_)) {
      const std::optional<Place> last = last_of_wave(wave, scratch);
      if (!last) return;
      for_each_class(context, [&](int, std::int64_t label) { advance(context, picture, label, *last, scratch); });
    }
  }

  /// The class that gets to its wave-th next candidate first, in the order of all classes, says where the wave ends: so
  /// no class looks at more than that. Nothing where no class has a candidate left.
  [[nodiscard]] std::optional<Place> last_of_wave(std::int64_t wave, const Scratch& scratch) const {
    std::optional<Place> last;
    for (std::int64_t label = 0; label < op_.classes; ++label) {
      const Progress& progress = scratch.progress[label];
      if (progress.next == progress.count) continue;
      const std::int64_t index = std::min(progress.next + wave, progress.count) - 1;
      const Place place{candidates_of(label, scratch)[index].score, label, index};
      if (!last || stands_before(place, *last)) last = place;
    }
    return last;
  }

  [[nodiscard]] std::int64_t kept_of_all(const Scratch& scratch) const {
    std::int64_t sum = 0;
    for (std::int64_t label = 0; label < op_.classes; ++label) sum += scratch.progress[label].kept;
    return sum;
  }

  /// Looks at the candidates of the class up to the last one of the wave.
  void advance(const RunContext& context, std::int64_t picture, std::int64_t label, const Place& last,
               const Scratch& scratch) const {
    Progress& progress = scratch.progress[label];
    ScoredBox* const boxes = candidates_of(label, scratch);
    for (; progress.next < progress.count; ++progress.next) {
      const ScoredBox& candidate = boxes[progress.next];
      if (stands_before(last, {candidate.score, label, progress.next})) return;
      if (progress.kept == most_kept_) {
        progress.next = progress.count;  // the class alone has as many as all may keep
        return;
      }
      const Box box = decode(context, picture, label, candidate.index);
      if (progress.boxes.overlaps(box, progress.threshold)) continue;
      progress.boxes.keep(box);
      boxes[progress.kept++] = candidate;
      if (op_.nms_eta < 1.0F && progress.threshold > 0.5F) progress.threshold *= op_.nms_eta;
    }
  }

  /// Cuts the lists so that the keep_top_k best of all classes are left: a list is in order, so its best are a prefix.
  void keep_best(const Scratch& scratch) const {
    if (op_.keep_top_k < 0) return;
    std::int64_t total = 0;
    for (std::int64_t label = 0; label < op_.classes; ++label) {
      const ScoredBox* const boxes = candidates_of(label, scratch);
      for (std::int64_t i = 0; i < scratch.progress[label].kept; ++i)
        std::construct_at(scratch.kept + total++, Place{boxes[i].score, label, i});
    }
    if (total <= op_.keep_top_k) return;
    std::nth_element(scratch.kept, scratch.kept + op_.keep_top_k, scratch.kept + total, stands_before);
    for (std::int64_t label = 0; label < op_.classes; ++label) scratch.progress[label].kept = 0;
    for (std::int64_t i = 0; i < op_.keep_top_k; ++i) ++scratch.progress[scratch.kept[i].label].kept;
  }

  void write(RunContext& context, std::int64_t picture, const Scratch& scratch) const {
    float* row = context.values[output_] + picture * rows_ * kDetection;
    float* const end = row + rows_ * kDetection;
    const float* const confidence = context.values[confidence_] + picture * priors_ * op_.classes;
    for (std::int64_t label = 0; label < op_.classes; ++label) {
      for (std::int64_t i = 0; i < scratch.progress[label].kept; ++i, row += kDetection) {
        const std::int64_t prior = candidates_of(label, scratch)[i].index;
        const Box box = decode(context, picture, label, prior);
        const float values[] = {static_cast<float>(picture),
                                static_cast<float>(label),
                                confidence[prior * op_.classes + label],
                                box.xmin,
                                box.ymin,
                                box.xmax,
                                box.ymax};
        std::copy(std::begin(values), std::end(values), row);
      }
    }
    for (; row < end; row += kDetection) {
      row[0] = static_cast<float>(picture);
      std::fill_n(row + 1, kDetection - 1, -1.0F);
    }
  }

  graph::DetectionOutput op_;
  std::int64_t pictures_, rows_, priors_, best_, most_kept_;
  int threads_;
  CandidateFinder finder_;
  Slot location_, confidence_, prior_, output_;
};

}  // namespace

BuiltStep build_detection_output(const StepRequest& request) {
  BuiltStep built;
  built.step = std::make_unique<DetectionOutputStep>(request, std::get<graph::DetectionOutput>(request.node.op));
  built.outputs = {Layout::plain};
  return built;
}

}  // namespace octavo::runtime
