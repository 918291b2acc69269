// SPDX-License-Identifier: Apache-2.0
// Softmax along one dimension.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/pointwise.h"
#include "runtime/vector_math.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

/// exp(x - greatest), side by side.
OCTAVO_VECTORIZED void exponentials(const float* x, float greatest, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = vector_exp(x[i] - greatest);
}

/// `count` numbers, `stride` apart. NaN or +Inf among them makes all of them NaN.
void softmax(const float* x, float* y, std::int64_t count, std::int64_t stride) {
  float greatest = x[0];
  for (std::int64_t i = 1; i < count; ++i) greatest = std::max(greatest, x[i * stride]);
  if (stride == 1) {
    exponentials(x, greatest, y, count);
  } else {
    for (std::int64_t i = 0; i < count; ++i) y[i * stride] = std::exp(x[i * stride] - greatest);
  }
  float sum = 0.0F;
  for (std::int64_t i = 0; i < count; ++i) sum += y[i * stride];
  for (std::int64_t i = 0; i < count; ++i) y[i * stride] /= sum;
}

constexpr std::int64_t kRowLanes = 16;
constexpr std::int64_t kLongestRow = 128;  ///< of softmax_rows()

/// The same for short rows of consecutive numbers. Each row is worked on in a place that is a whole number of lanes
/// long, the rest filled up with what changes neither the greatest nor the sum, so that no loop has a tail.
OCTAVO_VECTORIZED void softmax_rows(const float* x, float* y, std::int64_t rows, std::int64_t count) {
  float values[kLongestRow], exponentials[kLongestRow];
  const std::int64_t padded = (count + kRowLanes - 1) / kRowLanes * kRowLanes;
  for (std::int64_t i = count; i < padded; ++i) values[i] = -std::numeric_limits<float>::infinity();
  for (std::int64_t row = 0; row < rows; ++row, x += count, y += count) {
    for (std::int64_t i = 0; i < count; ++i) values[i] = x[i];
    float greatest[kRowLanes], sums[kRowLanes] = {};
    for (std::int64_t lane = 0; lane < kRowLanes; ++lane) greatest[lane] = values[lane];
    for (std::int64_t i = kRowLanes; i < padded; i += kRowLanes) {
      for (std::int64_t lane = 0; lane < kRowLanes; ++lane) {
        greatest[lane] = values[i + lane] > greatest[lane] ? values[i + lane] : greatest[lane];
      }
    }
    float most = greatest[0], sum = 0.0F;
    for (const float lane : greatest) most = lane > most ? lane : most;
    for (std::int64_t i = 0; i < padded; i += kRowLanes) {
      for (std::int64_t lane = 0; lane < kRowLanes; ++lane) {
        const float value = vector_exp(values[i + lane] - most);
        exponentials[i + lane] = value;
        sums[lane] += value;
      }
    }
    for (const float lane : sums) sum += lane;
    const float factor = 1.0F / sum;
    for (std::int64_t i = 0; i < count; ++i) y[i] = exponentials[i] * factor;
  }
}

class SoftmaxStep final : public Step {
 public:
  SoftmaxStep(const AxisView& view, Slot input, Slot output) : view_(view), input_(input), output_(output) {
    info.algorithm = "loop";
  }

  void run(RunContext& context) const override {
    constexpr std::int64_t kGrain = kPointwiseGrain / 16;  // an exponential a number
    const float* const x = context.values[input_];
    float* const y = context.values[output_];
    parallel_for(context.threads, view_.outer * view_.inner, std::max<std::int64_t>(kGrain / view_.axis, 1),
                 [&](int, std::int64_t begin, std::int64_t end) {
                   if (view_.inner == 1 && view_.axis <= kLongestRow) {
                     softmax_rows(x + begin * view_.axis, y + begin * view_.axis, end - begin, view_.axis);
                     return;
                   }
                   for (std::int64_t i = begin; i < end; ++i) {
                     const std::int64_t first = i / view_.inner * view_.axis * view_.inner + i % view_.inner;
                     softmax(x + first, y + first, view_.axis, view_.inner);
                   }
                 });
  }

 private:
  AxisView view_;
  Slot input_, output_;
};

}  // namespace

BuiltStep build_softmax(const StepRequest& request) {
  const auto& op = std::get<graph::Softmax>(request.node.op);
  const Layout layout = request.input_layouts[0];
  BuiltStep built;
  built.step = std::make_unique<SoftmaxStep>(view_from_axis(request.input_shape(), op.axis, layout), request.inputs[0],
                                             request.outputs[0]);
  built.outputs = {layout};
  built.in_place = 0;
  return built;
}

}  // namespace octavo::runtime
