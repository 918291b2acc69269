// SPDX-License-Identifier: Apache-2.0
// DetectionOutput: from locations and confidences of all priors to the boxes that are kept.
//
// One pass over the confidences gathers, for each class, the boxes that may be among its nms_top_k best: a class keeps
// twice as many at most, then halves them, which raises the bar for those to come. So memory is read once, in order,
// and few boxes are ever decoded. Classes are then thinned one by one, on all threads.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "runtime/parallel.h"
#include "runtime/steps/boxes.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/scratch_carver.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

constexpr std::int64_t kRowsMarked = 512;  ///< priors looked at between two rounds of gathering
constexpr std::int64_t kDetection = 7;     ///< numbers in a row of the output

/// flags[i]: some class of prior i may be above its bar (or is NaN).
OCTAVO_VECTORIZED void mark_rows(const float* confidence, const float* bars, std::int64_t rows, std::int64_t classes,
                                 std::uint8_t* flags) {
  for (std::int64_t row = 0; row < rows; ++row) {
    std::int32_t above = 0;
    for (std::int64_t c = 0; c < classes; ++c) above += confidence[row * classes + c] <= bars[c] ? 0 : 1;
    flags[row] = above > 0 ? 1 : 0;
  }
}

/// What is kept of a class, for the choice among all classes.
struct Kept {
  float score;
  std::int32_t label;
};

class DetectionOutputStep final : public Step {
 public:
  DetectionOutputStep(const StepRequest& request, const graph::DetectionOutput& op)
      : op_(op),
        pictures_(request.input_shape(0)[0]),
        rows_(request.output_shape()[2]),
        threads_(request.context.threads),
        location_(request.inputs[0]),
        confidence_(request.inputs[1]),
        prior_(request.inputs[2]),
        output_(request.outputs[0]) {
    priors_ = graph::element_count(request.input_shape(2)) / 8;
    best_ = op.nms_top_k < 0 ? priors_ : std::min(op.nms_top_k, priors_);
    capacity_ = std::min(2 * best_, priors_);
    info.algorithm = "non-maximum suppression";
  }

  [[nodiscard]] std::size_t scratch_bytes() const override {
    ScratchCarver carver(nullptr);
    static_cast<void>(carve(carver));
    return carver.used();
  }

  void run(RunContext& context) const override {
    ScratchCarver carver(context.scratch);
    Scratch scratch = carve(carver);
    for (std::int64_t picture = 0; picture < pictures_; ++picture) {
      gather(context.values[confidence_] + picture * priors_ * op_.classes, scratch);
      // A class has few boxes above the threshold, or hundreds: it is not known beforehand, so all are cut alike.
      parallel_for(std::min(context.threads, threads_), op_.classes, 1,
                   [&](int thread, std::int64_t begin, std::int64_t end) {
                     for (std::int64_t c = begin; c < end; ++c) thin(context, picture, c, thread, scratch);
                   });
      keep_best(scratch);
      write(context, picture, scratch);
    }
  }

 private:
  struct Scratch {
    ScoredBox* boxes;      ///< [classes][capacity_]
    std::int64_t* counts;  ///< of each class
    float* bars;           ///< what a confidence of each class has to be above
    std::uint8_t* flags;   ///< [kRowsMarked]
    Kept* kept;            ///< [classes * best_]
    float* arrays;         ///< of KeptBoxes, for each thread
  };

  Scratch carve(ScratchCarver& carver) const {
    return {carver.take<ScoredBox>(op_.classes * capacity_),
            carver.take<std::int64_t>(op_.classes),
            carver.take<float>(op_.classes),
            carver.take<std::uint8_t>(kRowsMarked),
            carver.take<Kept>(op_.keep_top_k < 0 ? 0 : op_.classes * best_),
            carver.take<float>(threads_ * floats_of_kept())};
  }
  [[nodiscard]] std::int64_t floats_of_kept() const {
    return static_cast<std::int64_t>(KeptBoxes::bytes(best_) / sizeof(float));
  }

  void gather(const float* confidence, Scratch& scratch) const {
    std::fill_n(scratch.counts, op_.classes, 0);
    std::fill_n(scratch.bars, op_.classes, op_.confidence_threshold);
    const bool skips = op_.background >= 0 && op_.background < op_.classes;
    if (skips) scratch.bars[op_.background] = std::numeric_limits<float>::infinity();
    for (std::int64_t first = 0; first < priors_; first += kRowsMarked) {
      const std::int64_t count = std::min(kRowsMarked, priors_ - first);
      mark_rows(confidence + first * op_.classes, scratch.bars, count, op_.classes, scratch.flags);
      for (std::int64_t i = 0; i < count; ++i) {
        if (scratch.flags[i] != 0) gather_row(confidence + (first + i) * op_.classes, first + i, scratch);
      }
    }
  }

  void gather_row(const float* row, std::int64_t prior, Scratch& scratch) const {
    for (std::int64_t c = 0; c < op_.classes; ++c) {
      if (row[c] <= scratch.bars[c] || c == op_.background) continue;
      ScoredBox* const boxes = scratch.boxes + c * capacity_;
      if (scratch.counts[c] == capacity_) {
        std::nth_element(boxes, boxes + best_ - 1, boxes + capacity_, comes_first);
        scratch.counts[c] = best_;
        scratch.bars[c] = std::max(scratch.bars[c], boxes[best_ - 1].score);
        if (row[c] <= scratch.bars[c]) continue;
      }
      boxes[scratch.counts[c]++] = {score_key(row[c]), static_cast<std::int32_t>(prior)};
    }
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

  /// Leaves the boxes of the class that are kept at the front of its list, best first.
  void thin(const RunContext& context, std::int64_t picture, std::int64_t label, int thread, Scratch& scratch) const {
    ScoredBox* const boxes = scratch.boxes + label * capacity_;
    std::int64_t count = scratch.counts[label];
    if (count > best_) {
      std::nth_element(boxes, boxes + best_ - 1, boxes + count, comes_first);
      count = best_;
    }
    std::sort(boxes, boxes + count, comes_first);
    KeptBoxes kept(scratch.arrays + thread * floats_of_kept(), best_, 0.0F);
    float threshold = op_.nms_threshold;
    std::int64_t left = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const Box box = decode(context, picture, label, boxes[i].index);
      if (kept.overlaps(box, threshold)) continue;
      kept.keep(box);
      boxes[left++] = boxes[i];
      if (op_.nms_eta < 1.0F && threshold > 0.5F) threshold *= op_.nms_eta;
    }
    scratch.counts[label] = left;
  }

  /// Cuts the lists so that the keep_top_k best of all classes are left: a list is in order, so its best are a prefix.
  void keep_best(Scratch& scratch) const {
    if (op_.keep_top_k < 0) return;
    std::int64_t total = 0;
    for (std::int64_t c = 0; c < op_.classes; ++c) {
      for (std::int64_t i = 0; i < scratch.counts[c]; ++i) {
        scratch.kept[total++] = {scratch.boxes[c * capacity_ + i].score, static_cast<std::int32_t>(c)};
      }
    }
    if (total <= op_.keep_top_k) return;
    std::nth_element(
        scratch.kept, scratch.kept + op_.keep_top_k, scratch.kept + total,
        [](const Kept& a, const Kept& b) { return a.score != b.score ? a.score > b.score : a.label < b.label; });
    std::fill_n(scratch.counts, op_.classes, 0);
    for (std::int64_t i = 0; i < op_.keep_top_k; ++i) ++scratch.counts[scratch.kept[i].label];
  }

  void write(RunContext& context, std::int64_t picture, const Scratch& scratch) const {
    float* row = context.values[output_] + picture * rows_ * kDetection;
    float* const end = row + rows_ * kDetection;
    const float* const confidence = context.values[confidence_] + picture * priors_ * op_.classes;
    for (std::int64_t c = 0; c < op_.classes; ++c) {
      for (std::int64_t i = 0; i < scratch.counts[c]; ++i, row += kDetection) {
        const std::int64_t prior = scratch.boxes[c * capacity_ + i].index;
        const Box box = decode(context, picture, c, prior);
        const float values[] = {static_cast<float>(picture),
                                static_cast<float>(c),
                                confidence[prior * op_.classes + c],
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
  std::int64_t pictures_, rows_, priors_ = 0, best_ = 0, capacity_ = 0;
  int threads_;
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
