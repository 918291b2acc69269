// SPDX-License-Identifier: Apache-2.0
// Proposal: the regions in which Faster R-CNN looks for objects. Boxes are in whole pixels, so a width is
// xmax - xmin + 1.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "runtime/steps/boxes.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/scratch_carver.h"

namespace octavo::runtime {
namespace {

constexpr float kBorder = 1.0F;
constexpr std::int64_t kRegion = 5;  ///< numbers in a row of the output

/// The anchors around the first cell: a ratio after the other, and for each a scale after the other.
std::vector<Box> anchors_of(const graph::Proposal& op) {
  const auto base = static_cast<double>(op.base_size);
  const double center = (base - 1) / 2;
  std::vector<Box> anchors;
  for (const float ratio : op.ratios) {
    const double width = std::nearbyint(std::sqrt(base * base / static_cast<double>(ratio)));
    const double height = std::nearbyint(width * static_cast<double>(ratio));
    for (const float scale : op.scales) {
      const double half_w = (width * static_cast<double>(scale) - 1) / 2;
      const double half_h = (height * static_cast<double>(scale) - 1) / 2;
      anchors.push_back({static_cast<float>(center - half_w), static_cast<float>(center - half_h),
                         static_cast<float>(center + half_w), static_cast<float>(center + half_h)});
    }
  }
  return anchors;
}

Box moved(const Box& anchor, float dx, float dy, float dw, float dh) {
  const float width = anchor.xmax - anchor.xmin + kBorder, height = anchor.ymax - anchor.ymin + kBorder;
  const float center_x = dx * width + anchor.xmin + 0.5F * width;
  const float center_y = dy * height + anchor.ymin + 0.5F * height;
  const float half_w = 0.5F * std::exp(dw) * width, half_h = 0.5F * std::exp(dh) * height;
  return {center_x - half_w, center_y - half_h, center_x + half_w, center_y + half_h};
}

class ProposalStep final : public Step {
 public:
  ProposalStep(const StepRequest& request, const graph::Proposal& op)
      : op_(op),
        anchors_(anchors_of(op)),
        height_(request.input_shape()[2]),
        width_(request.input_shape()[3]),
        scores_(request.inputs[0]),
        deltas_(request.inputs[1]),
        picture_(request.inputs[2]),
        output_(request.outputs[0]) {
    info.algorithm = "non-maximum suppression";
  }

  [[nodiscard]] std::size_t scratch_bytes() const override {
    return carved_bytes([this](ScratchCarver& carver) { return carve(carver); });
  }

  void run(RunContext& context) const override {
    ScratchCarver carver(context.scratch);
    const Scratch scratch = carve(carver);
    std::int64_t count = propose(context, scratch);
    if (count > op_.pre_nms_top_n) {
      std::nth_element(scratch.order, scratch.order + op_.pre_nms_top_n - 1, scratch.order + count, comes_first);
      count = op_.pre_nms_top_n;
    }
    std::sort(scratch.order, scratch.order + count, comes_first);

    KeptBoxes kept(scratch.arrays, op_.post_nms_top_n, kBorder);
    float* row = context.values[output_];
    float* const end = row + op_.post_nms_top_n * kRegion;
    for (std::int64_t i = 0; i < count && row < end; ++i) {
      const Box& box = scratch.boxes[scratch.order[i].index];
      if (kept.overlaps(box, op_.nms_threshold)) continue;
      kept.keep(box);
      for (const float value : {0.0F, box.xmin, box.ymin, box.xmax, box.ymax}) *row++ = value;
    }
    for (; row < end; row += kRegion) {
      row[0] = -1.0F;
      std::fill_n(row + 1, kRegion - 1, 0.0F);
    }
  }

 private:
  struct Scratch {
    Box* boxes;        ///< of every anchor at every cell
    ScoredBox* order;  ///< of those that are large enough
    float* arrays;     ///< of KeptBoxes
  };

  Scratch carve(ScratchCarver& carver) const {
    const std::int64_t count = height_ * width_ * static_cast<std::int64_t>(anchors_.size());
    return {carver.take<Box>(count), carver.take<ScoredBox>(count),
            carver.take<float>(KeptBoxes::floats(op_.post_nms_top_n))};
  }

  /// How many boxes are large enough. Cells row by row, the anchors of a cell together.
  std::int64_t propose(const RunContext& context, const Scratch& scratch) const {
    const auto anchors = static_cast<std::int64_t>(anchors_.size());
    const std::int64_t plane = height_ * width_;
    const float* const scores = context.values[scores_] + anchors * plane;  // behind those of the background
    const float* const deltas = context.values[deltas_];
    const float* const picture = context.values[picture_];
    const float right = picture[1] - 1.0F, bottom = picture[0] - 1.0F;
    const float least = op_.min_size * picture[2];
    std::int64_t made = 0, count = 0;
    for (std::int64_t cell = 0; cell < plane; ++cell) {
      const auto x = static_cast<float>(cell % width_ * op_.feat_stride);
      const auto y = static_cast<float>(cell / width_ * op_.feat_stride);
      for (std::int64_t a = 0; a < anchors; ++a, ++made) {
        const Box& at = anchors_[static_cast<std::size_t>(a)];
        const float* const delta = deltas + 4 * a * plane + cell;
        Box box = moved({at.xmin + x, at.ymin + y, at.xmax + x, at.ymax + y}, delta[0], delta[plane], delta[2 * plane],
                        delta[3 * plane]);
        box = {std::max(std::min(box.xmin, right), 0.0F), std::max(std::min(box.ymin, bottom), 0.0F),
               std::max(std::min(box.xmax, right), 0.0F), std::max(std::min(box.ymax, bottom), 0.0F)};
        scratch.boxes[made] = box;
        if (box.xmax - box.xmin + kBorder < least || box.ymax - box.ymin + kBorder < least) continue;
        scratch.order[count++] = {score_key(scores[a * plane + cell]), static_cast<std::int32_t>(made)};
      }
    }
    return count;
  }

  graph::Proposal op_;
  std::vector<Box> anchors_;
  std::int64_t height_, width_;
  Slot scores_, deltas_, picture_, output_;
};

}  // namespace

BuiltStep build_proposal(const StepRequest& request) {
  BuiltStep built;
  built.step = std::make_unique<ProposalStep>(request, std::get<graph::Proposal>(request.node.op));
  built.outputs = {Layout::plain};
  return built;
}

}  // namespace octavo::runtime
