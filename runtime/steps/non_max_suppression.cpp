// SPDX-License-Identifier: Apache-2.0
// NonMaxSuppression: of each picture and class, the best boxes that lie apart.
#include <algorithm>
#include <cstdint>

#include "runtime/steps/boxes.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/scratch_carver.h"

namespace octavo::runtime {
namespace {

constexpr std::int64_t kRowNumbers = 3;

class NonMaxSuppressionStep final : public Step {
 public:
  NonMaxSuppressionStep(const StepRequest& request, const graph::NonMaxSuppression& op)
      : op_(op),
        pictures_(request.input_shape(1)[0]),
        classes_(request.input_shape(1)[1]),
        boxes_(request.input_shape(1)[2]),
        most_(std::min(op.max_per_class, boxes_)),
        rows_(request.output_shape()[0]),
        places_(request.inputs[0]),
        scores_(request.inputs[1]),
        output_(request.outputs[0]) {
    info.algorithm = "non-maximum suppression";
  }

  [[nodiscard]] std::size_t scratch_bytes() const override {
    return carved_bytes([this](ScratchCarver& carver) { return carve(carver); });
  }

  void run(RunContext& context) const override {
    ScratchCarver carver(context.scratch);
    const Scratch scratch = carve(carver);
    float* row = context.values[output_];
    float* const end = row + rows_ * kRowNumbers;
    for (std::int64_t picture = 0; picture < pictures_; ++picture) {
      const float* const places = context.values[places_] + picture * boxes_ * 4;
      for (std::int64_t b = 0; b < boxes_; ++b) scratch.boxes[b] = box_at(places + 4 * b);
      for (std::int64_t c = 0; c < classes_; ++c) {
        row = thin(context.values[scores_] + (picture * classes_ + c) * boxes_, scratch,
                   {static_cast<float>(picture), static_cast<float>(c)}, row);
      }
    }
    std::fill(row, end, -1.0F);
  }

 private:
  struct Scratch {
    Box* boxes;        ///< of a picture
    ScoredBox* order;  ///< of those that compete in a class
    float* arrays;     ///< of KeptBoxes
  };
  struct Origin {
    float picture, of_class;
  };

  Scratch carve(ScratchCarver& carver) const {
    return {carver.take<Box>(boxes_), carver.take<ScoredBox>(boxes_), carver.take<float>(KeptBoxes::floats(most_))};
  }

  [[nodiscard]] Box box_at(const float* place) const {
    if (op_.center_size) {
      const float half_width = place[2] / 2, half_height = place[3] / 2;
      return {place[0] - half_width, place[1] - half_height, place[0] + half_width, place[1] + half_height};
    }
    return {std::min(place[1], place[3]), std::min(place[0], place[2]), std::max(place[1], place[3]),
            std::max(place[0], place[2])};
  }

  /// Writes a row for each box that is kept; where the next row goes.
  float* thin(const float* scores, const Scratch& scratch, Origin origin, float* row) const {
    std::int64_t count = 0;
    for (std::int64_t b = 0; b < boxes_; ++b) {
      const float score = score_key(scores[b]);
      if (op_.has_score_threshold && !(score > op_.score_threshold)) continue;
      scratch.order[count++] = {score, static_cast<std::int32_t>(b)};
    }
    std::sort(scratch.order, scratch.order + count, comes_first);
    KeptBoxes kept(scratch.arrays, most_, 0.0F);
    std::int64_t room = most_;
    for (std::int64_t i = 0; i < count && room > 0; ++i) {
      const Box& box = scratch.boxes[scratch.order[i].index];
      if (kept.overlaps(box, op_.iou_threshold)) continue;
      kept.keep(box);
      --room;
      for (const float value : {origin.picture, origin.of_class, static_cast<float>(scratch.order[i].index)}) {
        *row++ = value;
      }
    }
    return row;
  }

  graph::NonMaxSuppression op_;
  std::int64_t pictures_, classes_, boxes_, most_, rows_;
  Slot places_, scores_, output_;
};

}  // namespace

BuiltStep build_non_max_suppression(const StepRequest& request) {
  BuiltStep built;
  built.step = std::make_unique<NonMaxSuppressionStep>(request, std::get<graph::NonMaxSuppression>(request.node.op));
  built.outputs = {Layout::plain};
  return built;
}

}  // namespace octavo::runtime
