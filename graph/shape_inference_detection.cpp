// SPDX-License-Identifier: Apache-2.0
// Shape rules of the ops of detection networks.
#include <algorithm>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/shape_rules.h"

namespace octavo::graph {
namespace {

constexpr std::int64_t kMostPriors = (std::int64_t{1} << 31) - 1;  // execution counts them in 32 bits

void require_image(const Shape& x, const char* what) {
  require(x.size() == 4, "the {} has to be [N,C,H,W], not {}", what, to_text(x));
}

std::int64_t row_size(const Shape& x) { return count_between(x, 1, static_cast<std::int64_t>(x.size())); }

}  // namespace

std::int64_t priors_per_cell(const PriorBox& op) {
  return static_cast<std::int64_t>(op.min_sizes.size() * (1 + op.aspect_ratios.size()) + op.max_sizes.size());
}

Shape shape_of(const Normalize& op, const Shapes& inputs) {
  const Shape& x = inputs[0];
  require_image(x, "input");
  const std::int64_t factors = op.factor->shape[0];
  require(factors == 1 || factors == x[1], "{} factors for {} channels", factors, x[1]);
  return x;
}

Shape shape_of(const PriorBox& op, const Shapes& inputs) {
  require_image(inputs[0], "feature map");
  require_image(inputs[1], "picture");
  const std::int64_t cells = checked_product(inputs[0][2], inputs[0][3]);
  return {1, 2, checked_product(checked_product(cells, priors_per_cell(op)), 4)};
}

Shape shape_of(const DetectionOutput& op, const Shapes& inputs) {
  const Shape& location = inputs[0];
  const Shape& confidence = inputs[1];
  const Shape& prior = inputs[2];
  require(prior.size() >= 2 && prior[1] == 2, "priors {} are not boxes and variances", to_text(prior));
  const std::int64_t numbers = row_size(prior) / 2;
  require(prior[0] == 1 && numbers % 4 == 0, "priors {} are not boxes for every picture", to_text(prior));
  const std::int64_t priors = numbers / 4;
  require(priors <= kMostPriors, "{} priors are more than {}", priors, kMostPriors);
  const std::int64_t located = op.share_location ? 1 : op.classes;
  require(location.size() >= 2 && row_size(location) == checked_product(checked_product(priors, located), 4),
          "locations {} do not fit {} priors", to_text(location), priors);
  require(confidence.size() >= 2 && row_size(confidence) == checked_product(priors, op.classes),
          "confidences {} do not fit {} priors and {} classes", to_text(confidence), priors, op.classes);
  require(location[0] == confidence[0], "locations of {} pictures, confidences of {}", location[0], confidence[0]);
  const std::int64_t chosen = op.nms_top_k < 0 ? priors : std::min(op.nms_top_k, priors);
  const std::int64_t most = checked_product(chosen, op.classes);
  return {location[0], 1, op.keep_top_k < 0 ? most : std::min(op.keep_top_k, most), 7};
}

Shape shape_of(const Proposal& op, const Shapes& inputs) {
  const Shape& scores = inputs[0];
  const Shape& deltas = inputs[1];
  require_image(scores, "map of scores");
  require_image(deltas, "map of deltas");
  const auto anchors = static_cast<std::int64_t>(op.ratios.size() * op.scales.size());
  const std::int64_t places = checked_product(checked_product(anchors, scores[2]), scores[3]);
  require(places <= kMostPriors, "{} anchors are more than {}", places, kMostPriors);
  require(scores[0] == 1 && deltas[0] == 1, "regions are proposed for one picture at a time, not for {}", scores[0]);
  require(scores[1] == 2 * anchors, "{} channels of scores for {} anchors", scores[1], anchors);
  const Shape expected{1, 4 * anchors, scores[2], scores[3]};
  require(deltas == expected, "deltas {} are not {}", to_text(deltas), to_text(expected));
  require(element_count(inputs[2]) >= 3, "the picture's height, width and scale are not in {}", to_text(inputs[2]));
  return {op.post_nms_top_n, 5};
}

Shape shape_of(const RoiPooling& op, const Shapes& inputs) {
  const Shape& x = inputs[0];
  const Shape& regions = inputs[1];
  require_image(x, "feature map");
  require(regions.size() >= 2 && row_size(regions) == 5, "regions {} are not rows of 5", to_text(regions));
  return {regions[0], x[1], op.pooled_h, op.pooled_w};
}

Shape shape_of(const NonMaxSuppression& op, const Shapes& inputs) {
  const Shape& boxes = inputs[0];
  const Shape& scores = inputs[1];
  require(boxes.size() == 3 && boxes[2] == 4, "boxes {} are not [N,boxes,4]", to_text(boxes));
  require(scores.size() == 3, "scores {} are not [N,classes,boxes]", to_text(scores));
  require(scores[0] == boxes[0] && scores[2] == boxes[1], "scores {} do not fit boxes {}", to_text(scores),
          to_text(boxes));
  require(boxes[1] <= kMostPriors, "{} boxes are more than {}", boxes[1], kMostPriors);
  return {checked_product(checked_product(scores[0], scores[1]), std::min(op.max_per_class, boxes[1])), 3};
}

Shape shape_of(const RoiAlign& op, const Shapes& inputs) {
  const Shape& x = inputs[0];
  const Shape& regions = inputs[1];
  require_image(x, "feature map");
  require(regions.size() == 2 && regions[1] == 4, "regions {} are not [R,4]", to_text(regions));
  require(inputs[2] == Shape{regions[0]}, "pictures {} for regions {}", to_text(inputs[2]), to_text(regions));
  return {regions[0], x[1], op.pooled_h, op.pooled_w};
}

}  // namespace octavo::graph
