// SPDX-License-Identifier: Apache-2.0
// The layers of SSD: PriorBox, DetectionOutputSSD. (NormalizeScale is in bigdl_normalization.cpp.)
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "graph/check.h"
#include "graph/import/bigdl_layers.h"

namespace octavo::graph {
namespace {

/// The ratios beside 1, each once; with `flip` followed by its inverse.
std::vector<float> ratios_of(const std::vector<float>& listed, bool flip) {
  std::vector<float> ratios;
  for (const float ratio : listed) {
    const auto same = [&](float known) { return std::fabs(ratio - known) < 1e-6F; };
    if (same(1.0F) || std::ranges::any_of(ratios, same)) continue;
    ratios.push_back(ratio);
    if (flip) ratios.push_back(1.0F / ratio);
  }
  return ratios;
}

}  // namespace

/// Sizes are cut to whole pixels. The picture's size is an attribute, not an input.
void convert_bigdl_prior_box(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  const std::vector<ValueId> values = layer.input().value ? std::vector<ValueId>{layer.x()} : layer.items();
  PriorBox op;
  op.min_sizes = attributes.numbers("minSizes");
  op.max_sizes = attributes.numbers("maxSizes");
  op.aspect_ratios = ratios_of(attributes.numbers("_aspectRatios"), attributes.flag("isFlip", true));
  const std::vector<float> variances = attributes.numbers("variances");
  if (!variances.empty()) op.variances = variances;
  op.clip = attributes.flag("isClip", false);
  op.truncate_sizes = true;
  const std::int64_t size = attributes.integer("imgSize", 0);
  const std::int64_t height = attributes.integer("imgH", 0), width = attributes.integer("imgW", 0);
  op.image_h = static_cast<float>(height != 0 ? height : size);
  op.image_w = static_cast<float>(width != 0 ? width : size);
  if (op.image_h <= 0 || op.image_w <= 0) BigdlLayer::malformed("the picture's size is not in the file");
  const float step = attributes.real("step", 0);
  op.step_h = attributes.real("stepH", 0);
  op.step_w = attributes.real("stepW", 0);
  if (op.step_h == 0.0F || op.step_w == 0.0F) op.step_h = op.step_w = step;
  op.offset = attributes.real("offset", 0.5);
  layer.result(layer.add_main(std::move(op), {values[0], values[0]}));
}

/// Locations, confidences and priors. octavo's rows are picture, class, confidence, box (graph/ops_detection.h), not
/// the one row of BigDL.
void convert_bigdl_detection_output(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  const std::vector<ValueId> values = layer.items(3);
  DetectionOutput op;
  op.classes = attributes.integer("nClasses", 21);
  op.share_location = attributes.flag("shareLocation", true);
  op.background = attributes.integer("bgLabel", 0);
  op.code = BoxCode::center_size;
  op.variance_in_target = attributes.flag("varianceEncodedInTarget", false);
  op.nms_threshold = attributes.real("nmsThresh", 0.45);
  op.nms_top_k = attributes.integer("nmsTopk", 400);
  op.keep_top_k = attributes.integer("keepTopK", 200);
  op.confidence_threshold = attributes.real("confThresh", 0.01);
  ValueId confidences = values[1];
  require(op.classes > 0, "{} classes", op.classes);
  if (attributes.flag("confPostProcess", true)) {
    const ValueId rows = layer.add_reshape_dims(confidences, {0, -1, op.classes});
    confidences = layer.add_reshape_dims(layer.add(Softmax{.axis = 2}, {rows}), {0, -1});
  }
  layer.result(layer.add_main(std::move(op), {values[0], confidences, values[2]}));
}

}  // namespace octavo::graph
