// SPDX-License-Identifier: Apache-2.0
// Resize: one axis after the other, each output run a weighted sum of input runs. The axis that shrinks most, or grows
// least, goes first, so that the others have less to do.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "graph/axes.h"
#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/pointwise.h"
#include "runtime/steps/resample.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

OCTAVO_VECTORIZED void set_weighted(float weight, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = weight * x[i];
}

OCTAVO_VECTORIZED void add_weighted(float weight, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] += weight * x[i];
}

/// One axis: the input seen from it, and its weights.
struct Pass {
  AxisView view;
  std::int64_t out;
  AxisTaps taps;

  [[nodiscard]] std::int64_t outputs() const { return view.outer * out * view.inner; }

  void run(const float* x, float* y, int threads) const {
    const std::int64_t grain = std::max<std::int64_t>(kPointwiseGrain / (view.inner * taps.taps), 1);
    parallel_for(threads, view.outer * out, grain, [&](int, std::int64_t begin, std::int64_t end) {
      for (std::int64_t run = begin; run < end; ++run) {
        const float* const slab = x + run / out * view.axis * view.inner;
        write(slab, static_cast<std::size_t>(run % out * taps.taps), y + run * view.inner);
      }
    });
  }

 private:
  void write(const float* slab, std::size_t tap, float* y) const {
    const auto source = [&](std::size_t t) { return slab + taps.indices[t] * view.inner; };
    if (taps.taps == 1) {
      std::copy_n(source(tap), view.inner, y);
      return;
    }
    bool first = true;  // a pixel that weighs nothing is not read: 0 * NaN would be NaN
    for (std::size_t t = tap; t < tap + static_cast<std::size_t>(taps.taps); ++t) {
      if (taps.weights[t] == 0.0F) continue;
      (first ? set_weighted : add_weighted)(taps.weights[t], source(t), y, view.inner);
      first = false;
    }
    if (first) std::fill_n(y, view.inner, 0.0F);
  }
};

class ResizeStep final : public Step {
 public:
  ResizeStep(std::vector<Pass> passes, Slot input, Slot output)
      : passes_(std::move(passes)), input_(input), output_(output) {
    for (std::size_t i = 0; i + 1 < passes_.size(); ++i) between_ = std::max(between_, passes_[i].outputs());
    info.algorithm = "interpolation axis by axis";
  }

  void run(RunContext& context) const override {
    const float* x = context.values[input_];
    auto* const scratch = reinterpret_cast<float*>(context.scratch);
    for (std::size_t i = 0; i < passes_.size(); ++i) {
      float* const y =
          i + 1 == passes_.size() ? context.values[output_] : scratch + static_cast<std::int64_t>(i % 2) * between_;
      passes_[i].run(x, y, context.threads);
      x = y;
    }
  }
  [[nodiscard]] std::size_t scratch_bytes() const override {
    const std::size_t buffers = passes_.size() < 2 ? 0 : passes_.size() == 2 ? 1 : 2;
    return buffers * static_cast<std::size_t>(between_) * sizeof(float);
  }

 private:
  std::vector<Pass> passes_;
  Slot input_, output_;
  std::int64_t between_ = 0;
};

}  // namespace

BuiltStep build_resize(const StepRequest& request) {
  const auto& op = std::get<graph::Resize>(request.node.op);
  const Layout layout = request.input_layouts[0];
  const Shape& wanted = request.output_shape();
  Shape shape = request.input_shape();
  const auto rank = static_cast<std::int64_t>(shape.size());
  std::vector<std::size_t> order(op.axes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto axis_at = [&](std::size_t i) { return static_cast<std::size_t>(graph::canonical_axis(op.axes[i], rank)); };
  const auto growth = [&](std::size_t i) {
    return static_cast<double>(wanted[axis_at(i)]) / static_cast<double>(request.input_shape()[axis_at(i)]);
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return growth(a) < growth(b); });

  std::vector<Pass> passes;
  for (const std::size_t i : order) {
    const std::size_t axis = axis_at(i);
    const std::optional<float> scale = op.scales.empty() ? std::nullopt : std::optional(op.scales[i]);
    if (shape[axis] == wanted[axis] && scale.value_or(1.0F) == 1.0F) continue;
    passes.push_back({view_from_axis(shape, static_cast<std::int64_t>(axis), layout), wanted[axis],
                      axis_taps(op, shape[axis], wanted[axis], scale)});
    shape[axis] = wanted[axis];
  }
  BuiltStep built;
  built.outputs = {layout};
  if (passes.empty()) {
    built.alias = true;
  } else {
    built.step = std::make_unique<ResizeStep>(std::move(passes), request.inputs[0], request.outputs[0]);
  }
  return built;
}

}  // namespace octavo::runtime
