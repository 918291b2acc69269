// SPDX-License-Identifier: Apache-2.0
// PriorBox: the boxes depend on sizes alone, so they are made when the program is.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "graph/shape_rules.h"
#include "runtime/steps/builders.h"

namespace octavo::runtime {
namespace {

class PriorBoxStep final : public Step {
 public:
  PriorBoxStep(std::vector<float> values, Slot output) : values_(std::move(values)), output_(output) {
    info.algorithm = "made at compile time";
  }
  void run(RunContext& context) const override { std::copy(values_.begin(), values_.end(), context.values[output_]); }
  [[nodiscard]] std::size_t weight_bytes() const override { return values_.size() * sizeof(float); }

 private:
  std::vector<float> values_;
  Slot output_;
};

struct Size {
  float h, w;
};

/// Width and height in pixels of the priors at one cell, in order.
std::vector<Size> sizes_at_cell(const graph::PriorBox& op) {
  const auto pixels = [&](float size) { return op.truncate_sizes ? std::trunc(size) : size; };
  std::vector<Size> sizes;
  for (std::size_t i = 0; i < op.min_sizes.size(); ++i) {
    const float least = pixels(op.min_sizes[i]);
    sizes.push_back({least, least});
    if (!op.max_sizes.empty()) {
      const float between = std::sqrt(least * pixels(op.max_sizes[i]));
      sizes.push_back({between, between});
    }
    for (const float ratio : op.aspect_ratios) {
      const float root = std::sqrt(ratio);
      sizes.push_back({least / root, least * root});
    }
  }
  return sizes;
}

std::vector<float> prior_boxes(const graph::PriorBox& op, const Shape& map, const Shape& picture) {
  const Size image = op.image_h > 0 ? Size{op.image_h, op.image_w}
                                    : Size{static_cast<float>(picture[2]), static_cast<float>(picture[3])};
  const Size step = op.step_h > 0 ? Size{op.step_h, op.step_w}
                                  : Size{image.h / static_cast<float>(map[2]), image.w / static_cast<float>(map[3])};
  const std::vector<Size> sizes = sizes_at_cell(op);
  const std::size_t count = static_cast<std::size_t>(map[2] * map[3]) * sizes.size() * 4;
  std::vector<float> values;
  values.reserve(2 * count);
  for (std::int64_t y = 0; y < map[2]; ++y) {
    const float center_y = (static_cast<float>(y) + op.offset) * step.h;
    for (std::int64_t x = 0; x < map[3]; ++x) {
      const float center_x = (static_cast<float>(x) + op.offset) * step.w;
      for (const Size& size : sizes) {
        values.insert(values.end(), {(center_x - size.w / 2) / image.w, (center_y - size.h / 2) / image.h,
                                     (center_x + size.w / 2) / image.w, (center_y + size.h / 2) / image.h});
      }
    }
  }
  if (op.clip) {
    for (float& value : values) value = std::clamp(value, 0.0F, 1.0F);
  }
  for (std::size_t i = 0; i < count; ++i) values.push_back(op.variances[op.variances.size() == 1 ? 0 : i % 4]);
  return values;
}

}  // namespace

BuiltStep build_prior_box(const StepRequest& request) {
  const auto& op = std::get<graph::PriorBox>(request.node.op);
  BuiltStep built;
  built.step = std::make_unique<PriorBoxStep>(prior_boxes(op, request.input_shape(0), request.input_shape(1)),
                                              request.outputs[0]);
  built.outputs = {Layout::plain};
  return built;
}

}  // namespace octavo::runtime
