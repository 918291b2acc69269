// SPDX-License-Identifier: Apache-2.0
// ArgMax: the largest first, and of equal numbers the later one (Caffe's order) or the first. A NaN counts as the
// largest of all, so that it shows instead of hiding.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "runtime/steps/builders.h"

namespace octavo::runtime {
namespace {

struct Candidate {
  float value;
  std::int32_t index;
};

template <bool kFirstOfEqual>
bool precedes(const Candidate& a, const Candidate& b) {
  const bool a_nan = std::isnan(a.value), b_nan = std::isnan(b.value);
  if (a_nan != b_nan) return a_nan;
  if (!a_nan && a.value != b.value) return a.value > b.value;
  return kFirstOfEqual ? a.index < b.index : a.index > b.index;
}

/// The input is [outer][axis][inner]; for each (outer, inner) the `top_k` winners along axis go to y, `inner` apart:
/// their indices, their values, or first the one and then the other.
class ArgMaxStep final : public Step {
 public:
  ArgMaxStep(const StepRequest& request, const graph::ArgMax& op, AxisView view)
      : view_(view),
        top_k_(op.top_k),
        indices_(!op.has_axis || !op.out_max_value),
        values_(op.out_max_value),
        order_(op.first ? precedes<true> : precedes<false>),
        input_(request.inputs[0]),
        output_(request.outputs[0]) {
    info.algorithm = "partial sort";
  }

  [[nodiscard]] std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(view_.axis) * sizeof(Candidate);
  }

  void run(RunContext& context) const override {
    auto* candidates = reinterpret_cast<Candidate*>(context.scratch);
    const float* x = context.values[input_];
    float* y = context.values[output_];
    const std::int64_t written = top_k_ * ((indices_ ? 1 : 0) + (values_ ? 1 : 0)) * view_.inner;
    for (std::int64_t o = 0; o < view_.outer; ++o, x += view_.axis * view_.inner, y += written) {
      for (std::int64_t i = 0; i < view_.inner; ++i) {
        for (std::int64_t a = 0; a < view_.axis; ++a) {
          candidates[a] = {x[a * view_.inner + i], static_cast<std::int32_t>(a)};
        }
        std::partial_sort(candidates, candidates + top_k_, candidates + view_.axis, order_);
        float* to = y + i;
        for (std::int64_t k = 0; indices_ && k < top_k_; ++k, to += view_.inner) {
          *to = static_cast<float>(candidates[k].index);
        }
        for (std::int64_t k = 0; values_ && k < top_k_; ++k, to += view_.inner) *to = candidates[k].value;
      }
    }
  }

 private:
  AxisView view_;
  std::int64_t top_k_;
  bool indices_, values_;
  bool (*order_)(const Candidate& a, const Candidate& b);
  Slot input_, output_;
};

}  // namespace

BuiltStep build_arg_max(const StepRequest& request) {
  const auto& op = std::get<graph::ArgMax>(request.node.op);
  const Shape& shape = request.input_shape();
  AxisView view;
  if (op.has_axis) {
    view = view_from_axis(shape, op.axis, Layout::plain);
  } else {
    view.outer = shape[0];
    for (std::size_t i = 1; i < shape.size(); ++i) view.axis *= shape[i];
  }
  BuiltStep built;
  built.step = std::make_unique<ArgMaxStep>(request, op, view);
  built.outputs = {Layout::plain};
  return built;
}

}  // namespace octavo::runtime
