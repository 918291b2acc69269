// SPDX-License-Identifier: Apache-2.0
// The operators of detection networks (SSD, Faster R-CNN, YOLO): part of graph/ops.h, in the same form.
//
// Boxes are xmin, ymin, xmax, ymax. Priors and SSD's detections are in shares of the picture (0 to 1), Faster R-CNN's
// regions in pixels of the network's input.
//
// Every value has a fixed shape: where a network finds fewer boxes than there is room for, the rows that are left say
// so (see each op).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "graph/blob.h"

namespace octavo::graph {

/// x / sqrt(epsilon + sum of squares) * factor: the sum over the channels of each pixel, or, across_spatial, over all
/// channels and pixels of a picture. x [N, C, H, W].
struct Normalize {
  static constexpr std::string_view kName = "Normalize";
  bool across_spatial = true;
  float epsilon = 1e-10F;
  BlobPtr factor{};  ///< [C], or [1] for all
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("across_spatial", s.across_spatial);
    v("epsilon", s.epsilon);
    v("factor", s.factor);
  }
};

/// The priors (default boxes) of SSD. Inputs: a feature map and the picture, of which only the sizes matter. Output
/// [1, 2, H * W * priors * 4]: the boxes, row by row, then as many variances.
///
/// At each cell, for each i: a square of min_sizes[i]; a square of sqrt(min_sizes[i] * max_sizes[i]), if there are
/// maxima; for each ratio r, a box of min_sizes[i] * sqrt(r) by min_sizes[i] / sqrt(r).
struct PriorBox {
  static constexpr std::string_view kName = "PriorBox";
  std::vector<float> min_sizes{}, max_sizes{};  ///< pixels; as many maxima as minima, or none
  std::vector<float> aspect_ratios{};           ///< without the 1 of the squares, with the inverse ones
  std::vector<float> variances{0.1F};           ///< one, or four
  bool clip = false;                            ///< to the picture
  bool truncate_sizes = false;                  ///< sizes are cut to whole pixels first, as some trainers do
  float image_h = 0, image_w = 0;               ///< 0: those of the second input
  float step_h = 0, step_w = 0;                 ///< between cells, in pixels; 0: picture / feature map
  float offset = 0.5F;                          ///< of the first cell's centre, in steps
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("min_sizes", s.min_sizes);
    v("max_sizes", s.max_sizes);
    v("aspect_ratios", s.aspect_ratios);
    v("variances", s.variances);
    v("clip", s.clip);
    v("truncate_sizes", s.truncate_sizes);
    v("image_h", s.image_h);
    v("image_w", s.image_w);
    v("step_h", s.step_h);
    v("step_w", s.step_w);
    v("offset", s.offset);
  }
};

/// How four numbers move a prior p of width w and height h; v: the prior's variances, or 1 when variance_in_target.
enum class BoxCode {
  corner,       ///< each coordinate: p + v * x
  center_size,  ///< centre: p + v * x * size; size: size * exp(v * x)
  corner_size,  ///< each coordinate: p + v * x * size
};

/// SSD's last layer. Inputs: locations [N, priors * 4] (for each class, unless share_location), confidences
/// [N, priors * classes] and priors [1, 2, priors * 4] (trailing dimensions may be split otherwise). Output
/// [N, 1, rows, 7]: picture, class, confidence, box. A row that is left over has class -1.
///
/// For each class but the background: of the boxes whose confidence is above the threshold, the nms_top_k most
/// confident; of these in turn, each that overlaps none kept before by more than nms_threshold (which becomes nms_eta
/// times itself after each box kept, as long as it is above 0.5). Of all classes together, the keep_top_k most
/// confident. Rows are in the order of classes, then of confidence; of equal ones the earlier prior comes first.
struct DetectionOutput {
  static constexpr std::string_view kName = "DetectionOutput";
  std::int64_t classes = 0;
  std::int64_t background = 0;  ///< -1: none
  bool share_location = true;
  BoxCode code = BoxCode::corner;
  bool variance_in_target = false;
  float nms_threshold = 0.3F, nms_eta = 1.0F;
  std::int64_t nms_top_k = -1;   ///< -1: all
  std::int64_t keep_top_k = -1;  ///< -1: all, which is a large output
  float confidence_threshold = 0.0F;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("classes", s.classes);
    v("background", s.background);
    v("share_location", s.share_location);
    v("code", s.code);
    v("variance_in_target", s.variance_in_target);
    v("nms_threshold", s.nms_threshold);
    v("nms_eta", s.nms_eta);
    v("nms_top_k", s.nms_top_k);
    v("keep_top_k", s.keep_top_k);
    v("confidence_threshold", s.confidence_threshold);
  }
};

/// The regions of Faster R-CNN. Inputs: scores [1, 2 * anchors, H, W] (background first), deltas [1, 4 * anchors, H, W]
/// and the picture's height, width and scale [1, 3]. Output [post_nms_top_n, 5]: picture, box. A row that is left over
/// has picture -1.
///
/// Anchors are squares of base_size pixels, reshaped to each ratio (height by width) and enlarged to each scale; cells
/// are feat_stride pixels apart. Boxes are clipped to the picture; smaller ones than min_size * scale are dropped; the
/// pre_nms_top_n best are thinned as by DetectionOutput. A box's width is xmax - xmin + 1.
struct Proposal {
  static constexpr std::string_view kName = "Proposal";
  std::int64_t feat_stride = 16, base_size = 16, pre_nms_top_n = 6000, post_nms_top_n = 300;
  float min_size = 16.0F, nms_threshold = 0.7F;
  std::vector<float> ratios{0.5F, 1.0F, 2.0F}, scales{8.0F, 16.0F, 32.0F};
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("feat_stride", s.feat_stride);
    v("base_size", s.base_size);
    v("pre_nms_top_n", s.pre_nms_top_n);
    v("post_nms_top_n", s.post_nms_top_n);
    v("min_size", s.min_size);
    v("nms_threshold", s.nms_threshold);
    v("ratios", s.ratios);
    v("scales", s.scales);
  }
};

/// Inputs: a feature map [N, C, H, W] and regions [R, 5] (trailing dimensions of 1 may follow). Output
/// [R, C, pooled_h, pooled_w]: the maximum over each part of the region, times spatial_scale, rounded to whole cells.
/// A part without cells, and a region of no picture of the batch, give 0.
struct RoiPooling {
  static constexpr std::string_view kName = "RoiPooling";
  std::int64_t pooled_h = 1, pooled_w = 1;
  float spatial_scale = 1.0F;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("pooled_h", s.pooled_h);
    v("pooled_w", s.pooled_w);
    v("spatial_scale", s.spatial_scale);
  }
};

/// ONNX's thinning of boxes, a class at a time. Inputs: boxes [N, B, 4] and scores [N, classes, B]. Output
/// [N * classes * min(max_per_class, B), 3]: picture, class and number of each box that is kept, picture by picture,
/// class by class, the better score first; rows that are left over, all at the end, have -1 three times.
///
/// Kept are, in the order of their scores, the boxes whose score is above the threshold and that overlap none kept
/// before by more than iou_threshold of the union.
struct NonMaxSuppression {
  static constexpr std::string_view kName = "NonMaxSuppression";
  bool center_size = false;  ///< boxes are centre x, centre y, width, height; else y1, x1, y2, x2 of opposite corners
  std::int64_t max_per_class = 1;
  float iou_threshold = 0.0F;
  float score_threshold = 0.0F;
  bool has_score_threshold = false;  ///< else every box competes
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("center_size", s.center_size);
    v("max_per_class", s.max_per_class);
    v("iou_threshold", s.iou_threshold);
    v("score_threshold", s.score_threshold);
    v("has_score_threshold", s.has_score_threshold);
  }
};

/// Inputs: a feature map [N, C, H, W], regions [R, 4] and the picture of each, [R]. Output [R, C, pooled_h, pooled_w]:
/// of each part of the region, times spatial_scale, the mean of the map at points between the cells (bilinear; 0 more
/// than a cell outside), or, `maximum`, the greatest of the weighted cells around all points, as ONNX has it. A region
/// of no picture of the batch gives 0.
struct RoiAlign {
  static constexpr std::string_view kName = "RoiAlign";
  std::int64_t pooled_h = 1, pooled_w = 1;
  std::int64_t sampling_ratio = 0;  ///< points of a part in a direction; 0: as many as it has cells, rounded up
  float spatial_scale = 1.0F;
  bool half_pixel = true;  ///< cells lie at halves; else at whole numbers, and a region has at least one cell
  bool maximum = false;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("pooled_h", s.pooled_h);
    v("pooled_w", s.pooled_w);
    v("sampling_ratio", s.sampling_ratio);
    v("spatial_scale", s.spatial_scale);
    v("half_pixel", s.half_pixel);
    v("maximum", s.maximum);
  }
};

}  // namespace octavo::graph
