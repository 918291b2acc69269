// SPDX-License-Identifier: Apache-2.0
// The layers of detectors: see tools/zoo/caffe_sketch.h.
#include "tools/zoo/caffe_sketch.h"

namespace octavo::zoo {

using graph::caffe::PriorBoxParameter;

CaffeSketch::Name CaffeSketch::normalize(const Name& layer, const Name& bottom, float scale) {
  const Picture shape = shapes_.at(bottom);
  SketchLayer& added = add("Normalize", layer, {bottom}, layer, shape);
  auto& param = *added.param.mutable_norm_param();
  param.set_across_spatial(false);
  param.set_channel_shared(false);
  param.mutable_scale_filler()->set_type("constant");
  param.mutable_scale_filler()->set_value(scale);
  added.blobs.push_back({{shape[0]}, {scale, 0.1F * scale}});
  return layer;
}

CaffeSketch::Name CaffeSketch::flatten_pixels(const Name& layer) {
  const Picture in = shapes_.at(layer);
  const Name permuted = layer + "_perm";
  Name flat = layer + "_flat";
  auto& order = *add("Permute", permuted, {layer}, permuted, {in[1], in[2], in[0]}).param.mutable_permute_param();
  for (const std::uint32_t axis : {0U, 2U, 3U, 1U}) order.add_order(axis);
  add("Flatten", flat, {permuted}, flat, {in[0] * in[1] * in[2], 1, 1}).param.mutable_flatten_param()->set_axis(1);
  return flat;
}

CaffeSketch::Name CaffeSketch::prior_box(const Name& layer, const Name& map, const PriorShape& shape) {
  auto& param = *add("PriorBox", layer, {map, "data"}, layer, {}).param.mutable_prior_box_param();
  param.add_min_size(shape.least);
  if (shape.most > 0) param.add_max_size(shape.most);
  for (const float ratio : shape.ratios) param.add_aspect_ratio(ratio);
  param.set_flip(true);
  param.set_clip(false);
  for (const float variance : {0.1F, 0.1F, 0.2F, 0.2F}) param.add_variance(variance);
  if (shape.step > 0) param.set_step(shape.step);
  param.set_offset(0.5F);
  return layer;
}

CaffeSketch::Name CaffeSketch::concat_rows(const Name& layer, const std::vector<Name>& bottoms, std::int32_t axis) {
  add("Concat", layer, bottoms, layer, {}).param.mutable_concat_param()->set_axis(axis);
  return layer;
}

CaffeSketch::Name CaffeSketch::class_probabilities(const Name& layer, std::uint32_t classes) {
  const Name reshaped = layer + "_reshape", softmaxed = layer + "_softmax";
  Name flat = layer + "_flatten";
  auto& shape = *add("Reshape", reshaped, {layer}, reshaped, {}).param.mutable_reshape_param()->mutable_shape();
  for (const std::int64_t dim : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{classes}}) shape.add_dim(dim);
  add("Softmax", softmaxed, {reshaped}, softmaxed, {}).param.mutable_softmax_param()->set_axis(2);
  add("Flatten", flat, {softmaxed}, flat, {}).param.mutable_flatten_param()->set_axis(1);
  return flat;
}

CaffeSketch::Name CaffeSketch::detection_output(const Name& layer, const std::vector<Name>& bottoms,
                                                std::uint32_t classes) {
  auto& param = *add("DetectionOutput", layer, bottoms, layer, {}).param.mutable_detection_output_param();
  param.set_num_classes(classes);
  param.set_share_location(true);
  param.set_background_label_id(0);
  param.mutable_nms_param()->set_nms_threshold(0.45F);
  param.mutable_nms_param()->set_top_k(400);
  param.set_code_type(PriorBoxParameter::CENTER_SIZE);
  param.set_keep_top_k(200);
  param.set_confidence_threshold(0.01F);
  return layer;
}

}  // namespace octavo::zoo
