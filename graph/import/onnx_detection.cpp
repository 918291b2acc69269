// SPDX-License-Identifier: Apache-2.0
// Operators of detectors: NonMaxSuppression, RoiAlign, MaxRoiPool.
#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "graph/check.h"
#include "graph/import/onnx_operators.h"
#include "graph/import/open_extent.h"

namespace octavo::graph {
namespace {

/// The pooled height and width by attributes of their own.
std::int64_t pooled(const OnnxNode& node, std::string_view name) { return node.attributes().integer(name, 1); }

}  // namespace

void convert_onnx_non_max_suppression(OnnxNode& node) {
  NonMaxSuppression op;
  op.center_size = node.attributes().flag("center_point_box", false);
  const double most = node.has_input(2) ? static_cast<double>(node.scalar(2, "number of boxes a class")) : 0.0;
  if (most == 0) OnnxNode::unsupported("a result without numbers: no box is asked for");
  op.max_per_class = static_cast<std::int64_t>(std::clamp(most, 0.0, 2147483647.0));
  if (node.has_input(3)) op.iou_threshold = node.scalar(3, "threshold of overlap");
  if (node.has_input(4)) {
    op.score_threshold = node.scalar(4, "threshold of scores");
    op.has_score_threshold = op.score_threshold > -std::numeric_limits<float>::infinity();
    if (!op.has_score_threshold) op.score_threshold = 0.0F;
  }
  ImportedValue y = node.add(op, {node.input(0), node.input(1)});
  y.type = ElementType::int64;
  const StridedSlice first{.axes = {1}, .begins = {0}, .ends = {1}, .steps = {1}};
  const ImportedValue pictures = node.add_reshape(node.add(first, {y}), {y.shape[0]});
  const ImportedValue found = node.add_binary(BinaryKind::greater_or_equal, pictures, OnnxNode::constant_value(0.0F));
  const ImportedValue count = node.add_reshape(node.add(Reduction{.kind = ReductionKind::sum, .axis = 0}, {found}), {});
  node.result(opened(std::move(y), 0, count, true));
}

void convert_onnx_roi_align(OnnxNode& node) {
  const OnnxAttributes& attributes = node.attributes();
  RoiAlign op;
  op.pooled_h = pooled(node, "output_height");
  op.pooled_w = pooled(node, "output_width");
  op.sampling_ratio = attributes.integer("sampling_ratio", 0);
  op.spatial_scale = attributes.number("spatial_scale", 1.0F);
  const std::string mode = attributes.text("mode", "avg");
  if (mode != "avg" && mode != "max") OnnxNode::malformed(fmt::format("its mode is '{}'", mode));
  op.maximum = mode == "max";
  op.half_pixel =
      node.opset() >= 16 && attributes.text("coordinate_transformation_mode", "half_pixel") != "output_half_pixel";
  ImportedValue y = node.add(op, {node.input(0), node.input(1), node.input(2)});
  y.type = node.input(0).type;
  node.result(std::move(y));
}

void convert_onnx_max_roi_pool(OnnxNode& node) {
  const std::vector<std::int64_t> size = node.attributes().integers("pooled_shape");
  require(size.size() == 2, "pooled_shape has {} numbers", size.size());
  RoiPooling op;
  op.pooled_h = size[0];
  op.pooled_w = size[1];
  op.spatial_scale = node.attributes().number("spatial_scale", 1.0F);
  node.result(node.add(op, {node.input(0), node.input(1)}));
}

}  // namespace octavo::graph
