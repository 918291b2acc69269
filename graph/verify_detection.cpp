// SPDX-License-Identifier: Apache-2.0
// Attributes of the ops of detection networks: see graph/verify_rules.h.
#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "graph/verify_checks.h"
#include "graph/verify_rules.h"

namespace octavo::graph {
namespace {

/// Lists that a file may make as long as it likes: far beyond any use.
constexpr std::size_t kMaxListed = 1024;
/// Pixels: sizes and steps up to here are exact in fp32.
constexpr float kMaxPixels = 1 << 20;

void require_number(float value, float low, float high, std::string_view what) {
  require(value >= low && value <= high, "{} is {}, it has to be between {} and {}", what, value, low, high);
}

void require_positive(float value, std::string_view what) {
  require(value > 0.0F && value <= kMaxPixels, "{} is {}, it has to be above 0 and at most {}", what, value,
          kMaxPixels);
}

void require_positive(const std::vector<float>& values, std::string_view what) {
  require(values.size() <= kMaxListed, "{} of {}, more than {}", values.size(), what, kMaxListed);
  for (const float value : values) require_positive(value, what);
}

/// -1: all.
void require_limit(std::int64_t value, std::string_view what) {
  require(value == -1 || (value >= 1 && value <= kMaxSize), "{} is {}, it has to be positive, or -1 for all", what,
          value);
}

}  // namespace

void verify_detection(const Normalize& op) {
  require_float(op.factor, "factors");
  require(op.factor->shape.size() == 1, "factors {} are not a list", to_text(op.factor->shape));
  require_number(op.epsilon, 0.0F, kMaxPixels, "epsilon");
}

void verify_detection(const PriorBox& op) {
  require(!op.min_sizes.empty(), "no minimal size");
  require_positive(op.min_sizes, "minimal size");
  require_positive(op.max_sizes, "maximal size");
  require(op.max_sizes.empty() || op.max_sizes.size() == op.min_sizes.size(), "{} maximal sizes for {} minimal ones",
          op.max_sizes.size(), op.min_sizes.size());
  for (std::size_t i = 0; i < op.max_sizes.size(); ++i) {
    require(op.max_sizes[i] > op.min_sizes[i], "a maximal size of {} is not above the minimal one, {}", op.max_sizes[i],
            op.min_sizes[i]);
  }
  require_positive(op.aspect_ratios, "aspect ratio");
  require(op.variances.size() == 1 || op.variances.size() == 4, "{} variances, expected 1 or 4", op.variances.size());
  require_positive(op.variances, "variance");
  for (const float size : {op.image_h, op.image_w, op.step_h, op.step_w}) {
    require_number(size, 0.0F, kMaxPixels, "size or step");
  }
  require((op.image_h == 0) == (op.image_w == 0), "the picture's height and width have to be given together");
  require((op.step_h == 0) == (op.step_w == 0), "the steps of height and width have to be given together");
  require_number(op.offset, -kMaxPixels, kMaxPixels, "offset");
}

void verify_detection(const DetectionOutput& op) {
  require_between(op.classes, 1, kMaxSize, "classes");
  require_between(op.background, -1, kMaxSize, "background class");
  require_enum(op.code, BoxCode::corner_size, "code of boxes");
  require_number(op.nms_threshold, 0.0F, kMaxPixels, "nms_threshold");
  require(op.nms_eta > 0.0F && op.nms_eta <= 1.0F, "nms_eta is {}, it has to be above 0 and at most 1", op.nms_eta);
  require_limit(op.nms_top_k, "nms_top_k");
  require_limit(op.keep_top_k, "keep_top_k");
  require(std::isfinite(op.confidence_threshold), "confidence_threshold is {}", op.confidence_threshold);
}

void verify_detection(const Proposal& op) {
  require_between(op.feat_stride, 1, 1 << 20, "feat_stride");
  require_between(op.base_size, 1, 1 << 20, "base_size");
  require_between(op.pre_nms_top_n, 1, kMaxSize, "pre_nms_top_n");
  require_between(op.post_nms_top_n, 1, kMaxSize, "post_nms_top_n");
  require_number(op.min_size, 0.0F, kMaxPixels, "min_size");
  require_number(op.nms_threshold, 0.0F, kMaxPixels, "nms_threshold");
  require(!op.ratios.empty() && !op.scales.empty(), "no anchor: ratios and scales are needed");
  require_positive(op.ratios, "ratio");
  require_positive(op.scales, "scale");
}

void verify_detection(const RoiPooling& op) {
  require_between(op.pooled_h, 1, kMaxSize, "pooled height");
  require_between(op.pooled_w, 1, kMaxSize, "pooled width");
  require_positive(op.spatial_scale, "spatial_scale");
}

void verify_detection(const NonMaxSuppression& op) {
  require_between(op.max_per_class, 1, kMaxSize, "max_per_class");
  require_number(op.iou_threshold, 0.0F, 1.0F, "iou_threshold");
  require(std::isfinite(op.score_threshold), "score_threshold is {}", op.score_threshold);
}

void verify_detection(const RoiAlign& op) {
  require_between(op.pooled_h, 1, kMaxSize, "pooled height");
  require_between(op.pooled_w, 1, kMaxSize, "pooled width");
  require_between(op.sampling_ratio, 0, 1 << 10, "sampling_ratio");
  require_positive(op.spatial_scale, "spatial_scale");
}

}  // namespace octavo::graph
