// SPDX-License-Identifier: Apache-2.0
// Ops of detectors as ONNX nodes: what ONNX can say of boxes and regions.
#include "graph/export/onnx_exporter.h"

namespace octavo::graph {
namespace {

constexpr std::int64_t kReal = 1, kWhole = 7;  // ONNX's numbers of the types

}  // namespace

void OnnxNodeExporter::write(const NonMaxSuppression& op) {
  std::vector<std::string> inputs{in(0), in(1), integers("boxes", {op.max_per_class}),
                                  constant("overlap", op.iou_threshold)};
  if (op.has_score_threshold) inputs.push_back(constant("score", op.score_threshold));
  std::string rows;
  step("NonMaxSuppression", std::move(inputs), rows).set("center_point_box", std::int64_t{op.center_size ? 1 : 0});
  last("Cast", {rows}).set("to", kReal);
}

void OnnxNodeExporter::write(const RoiAlign& op) {
  last("RoiAlign", {in(0), in(1), cast(in(2), kWhole)})
      .set("output_height", op.pooled_h)
      .set("output_width", op.pooled_w)
      .set("sampling_ratio", op.sampling_ratio)
      .set("spatial_scale", op.spatial_scale)
      .set("mode", std::string_view(op.maximum ? "max" : "avg"))
      .set("coordinate_transformation_mode", std::string_view(op.half_pixel ? "half_pixel" : "output_half_pixel"));
}

}  // namespace octavo::graph
