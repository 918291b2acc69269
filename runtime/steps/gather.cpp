// SPDX-License-Identifier: Apache-2.0
// Gather: each index picks a slab of the input.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "octavo/error.h"
#include "runtime/steps/builders.h"

namespace octavo::runtime {
namespace {

class GatherStep final : public Step {
 public:
  GatherStep(const StepRequest& request, const AxisView& view)
      : node_(request.node.name),
        view_(view),
        indices_(graph::element_count(request.input_shape(1))),
        input_(request.inputs[0]),
        index_(request.inputs[1]),
        output_(request.outputs[0]) {
    info.algorithm = "look-up";
  }

  void run(RunContext& context) const override {
    const float* const x = context.values[input_];
    const float* const index = context.values[index_];
    float* y = context.values[output_];
    for (std::int64_t o = 0; o < view_.outer; ++o) {
      const float* const slab = x + o * view_.axis * view_.inner;
      for (std::int64_t i = 0; i < indices_; ++i, y += view_.inner) {
        std::copy_n(slab + position(index[i]) * view_.inner, view_.inner, y);
      }
    }
  }

 private:
  [[nodiscard]] std::int64_t position(float index) const {
    constexpr float kHuge = 0x1p62F;
    // As integers: fp32 rounds the size of an axis beyond 2^24. The comparison is false for NaN.
    const bool whole_exists = std::fabs(index) < kHuge;
    const std::int64_t whole = whole_exists ? static_cast<std::int64_t>(index) : view_.axis;
    if (whole < -view_.axis || whole >= view_.axis) {
      throw Error(ErrorKind::invalid_argument, "index " + std::to_string(index) + " is outside the axis", node_,
                  "the axis has " + std::to_string(view_.axis) + " entries");
    }
    return whole < 0 ? whole + view_.axis : whole;
  }

  std::string node_;
  AxisView view_;
  std::int64_t indices_;
  Slot input_, index_, output_;
};

}  // namespace

BuiltStep build_gather(const StepRequest& request) {
  const auto& op = std::get<graph::Gather>(request.node.op);
  BuiltStep built;
  built.step = std::make_unique<GatherStep>(request, view_from_axis(request.input_shape(), op.axis, Layout::plain));
  built.outputs = {Layout::plain};
  return built;
}

}  // namespace octavo::runtime
