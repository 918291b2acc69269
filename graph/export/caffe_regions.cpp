// SPDX-License-Identifier: Apache-2.0
// The layers of Caffe's branches: detection, and what enlarges maps.
#include <algorithm>

#include "graph/check.h"
#include "graph/export/caffe_exporter.h"

namespace octavo::graph {

void CaffeNodeExporter::write(const Resize& op) {
  if (in_shape().size() != 4 || op.axes != std::vector<std::int64_t>{2, 3} || op.antialias) {
    cannot("a resize of anything but the height and width of pictures");
  }
  const std::int64_t up = out_shape()[2] / in_shape()[2];
  if (op.kind == ResizeKind::nearest) {
    const bool repeats = op.coordinates == ResizeCoordinates::asymmetric && op.rounding == ResizeRounding::floor &&
                         up * in_shape()[2] == out_shape()[2] && up * in_shape()[3] == out_shape()[3];
    if (!repeats) cannot("a resize by nearest pixels that does not repeat each alike");
    layer("Upsample").mutable_upsample_param()->set_scale(static_cast<std::int32_t>(up));
    return;
  }
  if (op.kind != ResizeKind::linear || op.coordinates != ResizeCoordinates::align_corners) {
    cannot("a resize of that kind");
  }
  auto& param = *layer("Interp").mutable_interp_param();
  param.set_height(static_cast<std::int32_t>(out_shape()[2]));
  param.set_width(static_cast<std::int32_t>(out_shape()[3]));
}

void CaffeNodeExporter::write(const Normalize& op) {
  caffe::LayerParameter& made = layer("Normalize");
  auto& param = *made.mutable_norm_param();
  param.set_across_spatial(op.across_spatial);
  param.set_channel_shared(element_count(op.factor->shape) == 1);
  param.set_eps(op.epsilon);
  add_blob(made, op.factor);
}

void CaffeNodeExporter::write(const PriorBox& op) {
  if (op.truncate_sizes) {
    const auto whole = [](float size) { return size == static_cast<float>(static_cast<std::int64_t>(size)); };
    if (!std::ranges::all_of(op.min_sizes, whole) || !std::ranges::all_of(op.max_sizes, whole)) {
      cannot("boxes of sizes that are cut to whole pixels");
    }
  }
  auto& param = *layer("PriorBox").mutable_prior_box_param();
  for (const float size : op.min_sizes) param.add_min_size(size);
  for (const float size : op.max_sizes) param.add_max_size(size);
  for (const float ratio : op.aspect_ratios) param.add_aspect_ratio(ratio);
  for (const float variance : op.variances) param.add_variance(variance);
  param.set_flip(false);
  param.set_clip(op.clip);
  if (op.image_h != 0.0F) param.set_img_h(static_cast<std::uint32_t>(op.image_h));
  if (op.image_w != 0.0F) param.set_img_w(static_cast<std::uint32_t>(op.image_w));
  if (op.step_h != 0.0F) param.set_step_h(op.step_h);
  if (op.step_w != 0.0F) param.set_step_w(op.step_w);
  param.set_offset(op.offset);
}

void CaffeNodeExporter::write(const DetectionOutput& op) {
  auto& param = *layer("DetectionOutput").mutable_detection_output_param();
  param.set_num_classes(static_cast<std::uint32_t>(op.classes));
  param.set_share_location(op.share_location);
  param.set_background_label_id(static_cast<std::int32_t>(op.background));
  using Code = caffe::PriorBoxParameter;
  param.set_code_type(op.code == BoxCode::center_size   ? Code::CENTER_SIZE
                      : op.code == BoxCode::corner_size ? Code::CORNER_SIZE
                                                        : Code::CORNER);
  param.set_variance_encoded_in_target(op.variance_in_target);
  param.mutable_nms_param()->set_nms_threshold(op.nms_threshold);
  param.mutable_nms_param()->set_eta(op.nms_eta);
  if (op.nms_top_k >= 0) param.mutable_nms_param()->set_top_k(static_cast<std::int32_t>(op.nms_top_k));
  param.set_keep_top_k(static_cast<std::int32_t>(op.keep_top_k));
  param.set_confidence_threshold(op.confidence_threshold);
}

void CaffeNodeExporter::write(const Proposal& op) {
  auto& param = *layer("Proposal").mutable_proposal_param();
  param.set_feat_stride(static_cast<std::uint32_t>(op.feat_stride));
  param.set_base_size(static_cast<std::uint32_t>(op.base_size));
  param.set_min_size(op.min_size);
  for (const float ratio : op.ratios) param.add_ratio(ratio);
  for (const float scale : op.scales) param.add_scale(scale);
  param.set_pre_nms_topn(static_cast<std::uint32_t>(op.pre_nms_top_n));
  param.set_post_nms_topn(static_cast<std::uint32_t>(op.post_nms_top_n));
  param.set_nms_thresh(op.nms_threshold);
}

void CaffeNodeExporter::write(const RoiPooling& op) {
  auto& param = *layer("ROIPooling").mutable_roi_pooling_param();
  param.set_pooled_h(static_cast<std::uint32_t>(op.pooled_h));
  param.set_pooled_w(static_cast<std::uint32_t>(op.pooled_w));
  param.set_spatial_scale(op.spatial_scale);
}

}  // namespace octavo::graph
