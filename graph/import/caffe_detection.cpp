// SPDX-License-Identifier: Apache-2.0
// The layers of Caffe's SSD branch: Normalize, PriorBox, DetectionOutput.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "graph/import/caffe_layers.h"

namespace octavo::graph {
namespace {

/// The ratios beside 1, each once; with `flip` followed by its inverse.
std::vector<float> distinct_ratios(const caffe::PriorBoxParameter& param) {
  std::vector<float> ratios;
  for (const float ratio : param.aspect_ratio()) {
    const auto same = [&](float known) { return std::fabs(ratio - known) < 1e-6F; };
    if (same(1.0F) || std::any_of(ratios.begin(), ratios.end(), same)) continue;
    ratios.push_back(ratio);
    if (param.flip()) ratios.push_back(1.0F / ratio);
  }
  return ratios;
}

void refuse_both(bool has_one, bool has_each, const char* what) {
  if (has_one && has_each) CaffeLayerContext::malformed(fmt::format("its {} is given twice", what));
}

}  // namespace

void convert_normalize(CaffeLayerContext& layer) {
  const auto& param = layer.param().norm_param();
  Normalize op;
  op.across_spatial = param.across_spatial();
  op.epsilon = param.eps();
  const Shape& x = layer.shape();
  if (x.size() != 4) CaffeLayerContext::unsupported(fmt::format("its input has {} dimensions, not 4", x.size()));
  // Training starts from scale_filler, often 20: weights without a file start there, too.
  const float center = param.scale_filler().has_value() ? param.scale_filler().value() : 1.0F;
  op.factor = layer.blobs({{{param.channel_shared() ? 1 : x[1]}, {center, 0.1F * center}}})[0];
  layer.add(std::move(op));
}

void convert_prior_box(CaffeLayerContext& layer) {
  const auto& param = layer.param().prior_box_param();
  PriorBox op;
  op.min_sizes.assign(param.min_size().begin(), param.min_size().end());
  op.max_sizes.assign(param.max_size().begin(), param.max_size().end());
  op.aspect_ratios = distinct_ratios(param);
  if (param.variance_size() > 0) op.variances.assign(param.variance().begin(), param.variance().end());
  op.clip = param.clip();
  refuse_both(param.has_img_size(), param.has_img_h() || param.has_img_w(), "picture size");
  op.image_h = static_cast<float>(param.has_img_size() ? param.img_size() : param.img_h());
  op.image_w = static_cast<float>(param.has_img_size() ? param.img_size() : param.img_w());
  refuse_both(param.has_step(), param.has_step_h() || param.has_step_w(), "step");
  op.step_h = param.has_step() ? param.step() : param.step_h();
  op.step_w = param.has_step() ? param.step() : param.step_w();
  op.offset = param.offset();
  layer.add(std::move(op));
}

void convert_detection_output(CaffeLayerContext& layer) {
  using caffe::PriorBoxParameter;
  const auto& param = layer.param().detection_output_param();
  DetectionOutput op;
  op.classes = param.num_classes();
  op.background = param.background_label_id();
  op.share_location = param.share_location();
  op.code = param.code_type() == PriorBoxParameter::CENTER_SIZE   ? BoxCode::center_size
            : param.code_type() == PriorBoxParameter::CORNER_SIZE ? BoxCode::corner_size
                                                                  : BoxCode::corner;
  op.variance_in_target = param.variance_encoded_in_target();
  op.nms_threshold = param.nms_param().nms_threshold();
  op.nms_eta = param.nms_param().eta();
  op.nms_top_k = param.nms_param().has_top_k() ? param.nms_param().top_k() : -1;
  op.keep_top_k = param.keep_top_k();
  // Caffe without a threshold takes every box, whatever its confidence: below all of them.
  constexpr float kBelowAll = -1e30F;
  op.confidence_threshold = param.has_confidence_threshold() ? param.confidence_threshold() : kBelowAll;
  layer.add(std::move(op));
}

}  // namespace octavo::graph
