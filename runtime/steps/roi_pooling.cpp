// SPDX-License-Identifier: Apache-2.0
// RoiPooling: the maximum over each part of each region. Channels-last.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

constexpr std::int64_t kRegionNumbers = 5;

/// NaN stays.
OCTAVO_VECTORIZED void raise_to(const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] <= y[i] ? y[i] : x[i];
}

/// Cells [begin, end) of one direction.
struct Span {
  std::int64_t begin, end;
};

/// Where a region lies among `cells` cells, and its parts.
class Side {
 public:
  Side(float low, float high, float scale, std::int64_t parts, std::int64_t cells)
      : first_(cell(low * scale)), cells_(cells) {
    const std::int64_t length = std::max<std::int64_t>(cell(high * scale) - first_ + 1, 1);
    part_ = static_cast<float>(length) / static_cast<float>(parts);
  }
  [[nodiscard]] Span part(std::int64_t i) const {
    const auto begin = static_cast<std::int64_t>(std::floor(static_cast<float>(i) * part_));
    const auto end = static_cast<std::int64_t>(std::ceil(static_cast<float>(i + 1) * part_));
    return {std::clamp<std::int64_t>(begin + first_, 0, cells_), std::clamp<std::int64_t>(end + first_, 0, cells_)};
  }

 private:
  /// Rounded, halves away from 0; what no map reaches (or is NaN) is brought to where it can be counted.
  static std::int64_t cell(float place) {
    constexpr float kFar = 1 << 22;
    if (!(place > -kFar)) return -static_cast<std::int64_t>(kFar);
    return std::llround(std::min(place, kFar));
  }

  std::int64_t first_, cells_;
  float part_ = 1;
};

class RoiPoolingStep final : public Step {
 public:
  RoiPoolingStep(const StepRequest& request, const graph::RoiPooling& op)
      : op_(op),
        shape_(request.input_shape(0)),
        regions_(request.input_shape(1)[0]),
        input_(request.inputs[0]),
        places_(request.inputs[1]),
        output_(request.outputs[0]) {
    info.algorithm = "loop";
  }

  void run(RunContext& context) const override {
    const float* const x = context.values[input_];
    const float* const places = context.values[places_];
    float* const y = context.values[output_];
    const std::int64_t size = op_.pooled_h * op_.pooled_w * shape_[1];
    parallel_for(context.threads, regions_, 1, [&](int, std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) pool(x, places + r * kRegionNumbers, y + r * size);
    });
  }

 private:
  void pool(const float* x, const float* region, float* y) const {
    const std::int64_t channels = shape_[1], height = shape_[2], width = shape_[3];
    std::fill_n(y, op_.pooled_h * op_.pooled_w * channels, 0.0F);
    if (!(region[0] >= 0.0F && region[0] < static_cast<float>(shape_[0]))) return;
    const float* const picture = x + static_cast<std::int64_t>(region[0]) * channels * height * width;
    const Side across(region[1], region[3], op_.spatial_scale, op_.pooled_w, width);
    const Side down(region[2], region[4], op_.spatial_scale, op_.pooled_h, height);
    for (std::int64_t ph = 0; ph < op_.pooled_h; ++ph) {
      const Span rows = down.part(ph);
      for (std::int64_t pw = 0; pw < op_.pooled_w; ++pw, y += channels) {
        const Span columns = across.part(pw);
        bool first = true;
        for (std::int64_t row = rows.begin; row < rows.end; ++row) {
          for (std::int64_t column = columns.begin; column < columns.end; ++column) {
            const float* const pixel = picture + (row * width + column) * channels;
            if (first) {
              std::copy_n(pixel, channels, y);
            } else {
              raise_to(pixel, y, channels);
            }
            first = false;
          }
        }
      }
    }
  }

  graph::RoiPooling op_;
  Shape shape_;
  std::int64_t regions_;
  Slot input_, places_, output_;
};

}  // namespace

BuiltStep build_roi_pooling(const StepRequest& request) {
  BuiltStep built;
  built.step = std::make_unique<RoiPoolingStep>(request, std::get<graph::RoiPooling>(request.node.op));
  built.outputs = {Layout::nhwc};
  return built;
}

}  // namespace octavo::runtime
