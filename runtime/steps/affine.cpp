// SPDX-License-Identifier: Apache-2.0
// BatchNorm and Scale: x * factor + offset, where factor and offset follow some of the dimensions.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "graph/axes.h"
#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/pointwise.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

/// One run of numbers, a factor and an offset each.
OCTAVO_VECTORIZED void scale_each(const float* factor, const float* offset, const float* x, float* y,
                                  std::int64_t count) {
  if (offset == nullptr) {
    for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] * factor[i];
  } else if (factor == nullptr) {
    for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] + offset[i];
  } else {
    for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] * factor[i] + offset[i];
  }
}

/// One run of numbers that share factor and offset.
OCTAVO_VECTORIZED void scale_all(float factor, float offset, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] * factor + offset;
}

/// `factor` and `offset`: view.axis values each, or null (1 and 0).
void apply_affine(const AxisView& view, const float* factor, const float* offset, const float* x, float* y,
                  int threads) {
  if (view.inner == 1) {
    const std::int64_t grain = std::max<std::int64_t>(kPointwiseGrain / view.axis, 1);
    parallel_for(threads, view.outer, grain, [&](int, std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row)
        scale_each(factor, offset, x + row * view.axis, y + row * view.axis, view.axis);
    });
    return;
  }
  const std::int64_t grain = std::max<std::int64_t>(kPointwiseGrain / view.inner, 1);
  parallel_for(threads, view.outer * view.axis, grain, [&](int, std::int64_t begin, std::int64_t end) {
    for (std::int64_t run = begin; run < end; ++run) {
      const std::int64_t at = run % view.axis;
      scale_all(factor == nullptr ? 1.0F : factor[at], offset == nullptr ? 0.0F : offset[at], x + run * view.inner,
                y + run * view.inner, view.inner);
    }
  });
}

/// A factor or an offset: constant numbers, or a value of the network, and the dimensions that it follows.
struct Term {
  AxisView view;
  std::vector<float> numbers;
  std::optional<Slot> slot;

  [[nodiscard]] const float* data(const RunContext& context) const {
    return slot ? context.values[*slot] : numbers.data();
  }
};

bool same_view(const AxisView& a, const AxisView& b) {
  return a.outer == b.outer && a.axis == b.axis && a.inner == b.inner;
}

class AffineStep final : public Step {
 public:
  AffineStep(std::optional<Term> factor, std::optional<Term> offset, Slot input, Slot output)
      : factor_(std::move(factor)), offset_(std::move(offset)), input_(input), output_(output) {
    info.algorithm = "loop";
  }

  void run(RunContext& context) const override {
    const float* x = context.values[input_];
    float* const y = context.values[output_];
    const float* const factor = factor_ ? factor_->data(context) : nullptr;
    const float* const offset = offset_ ? offset_->data(context) : nullptr;
    if (factor_ && offset_ && same_view(factor_->view, offset_->view)) {
      apply_affine(factor_->view, factor, offset, x, y, context.threads);
      return;
    }
    if (factor_) {
      apply_affine(factor_->view, factor, nullptr, x, y, context.threads);
      x = y;
    }
    if (offset_) apply_affine(offset_->view, nullptr, offset, x, y, context.threads);
  }
  [[nodiscard]] std::size_t weight_bytes() const override {
    return ((factor_ ? factor_->numbers.size() : 0) + (offset_ ? offset_->numbers.size() : 0)) * sizeof(float);
  }

 private:
  std::optional<Term> factor_, offset_;
  Slot input_, output_;
};

BuiltStep finish(const StepRequest& request, std::optional<Term> factor, std::optional<Term> offset) {
  BuiltStep built;
  built.step =
      std::make_unique<AffineStep>(std::move(factor), std::move(offset), request.inputs[0], request.outputs[0]);
  built.outputs = {request.input_layouts[0]};
  built.in_place = 0;
  return built;
}

/// Where a part of shape `part` lies along `x`, from `axis` on; a part without dimensions is one number for all.
AxisView view_of_part(const Shape& part, const Shape& x, std::int64_t axis, Layout layout) {
  if (part.empty()) return {1, 1, graph::element_count(x)};
  if (part.size() == 1) return view_from_axis(x, axis, layout);
  const auto rank = static_cast<std::int64_t>(x.size());
  const std::int64_t begin = graph::canonical_axis(axis, rank), end = begin + static_cast<std::int64_t>(part.size());
  return {graph::count_between(x, 0, begin), graph::element_count(part), graph::count_between(x, end, rank)};
}

}  // namespace

BuiltStep build_batch_norm(const StepRequest& request) {
  const auto& op = std::get<graph::BatchNorm>(request.node.op);
  Term factor{view_from_channels(request.input_shape(), request.input_layouts[0]), {}, {}};
  Term offset = factor;
  const std::vector<float> mean = graph::to_float(*op.mean), variance = graph::to_float(*op.variance);
  for (std::size_t channel = 0; channel < mean.size(); ++channel) {
    const float inverse = 1.0F / std::sqrt(variance[channel] + op.epsilon);
    factor.numbers.push_back(inverse);
    offset.numbers.push_back(-mean[channel] * inverse);
  }
  return finish(request, std::move(factor), std::move(offset));
}

BuiltStep build_scale(const StepRequest& request) {
  const auto& op = std::get<graph::Scale>(request.node.op);
  const auto term_of = [&](const Shape& part) {
    return Term{view_of_part(part, request.input_shape(), op.axis, request.input_layouts[0]), {}, {}};
  };
  std::optional<Term> factor, offset;
  if (op.factor) {
    factor = term_of(op.factor->shape);
    factor->numbers = graph::to_float(*op.factor);
  }
  if (op.offset) {
    offset = term_of(op.offset->shape);
    offset->numbers = graph::to_float(*op.offset);
  }
  if (request.inputs.size() > 1) {
    std::optional<Term>& second = op.second_is_offset ? offset : factor;
    second = term_of(request.input_shape(1));
    second->slot = request.inputs[1];
  }
  return finish(request, std::move(factor), std::move(offset));
}

}  // namespace octavo::runtime
