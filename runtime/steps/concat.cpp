// SPDX-License-Identifier: Apache-2.0
// Concat: inputs side by side along one dimension. Those that were written there already (runtime/concat_placement.h)
// are not copied.
#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/pointwise.h"

namespace octavo::runtime {
namespace {

/// One input that is copied: a run of `count` numbers for each outer index, to `begin`.
struct Part {
  Slot slot;
  std::int64_t begin, count;
};

class ConcatStep final : public Step {
 public:
  ConcatStep(std::vector<Part> parts, std::size_t inputs, std::int64_t outer, std::int64_t stride, Slot output)
      : parts_(std::move(parts)), outer_(outer), stride_(stride), output_(output) {
    info.algorithm = parts_.empty() ? "in place" : "copy";
    if (!parts_.empty() && parts_.size() < inputs)
      info.algorithm += fmt::format(" of {} of {}, the others in place", parts_.size(), inputs);
  }

  void run(RunContext& context) const override {
    if (parts_.empty()) return;
    float* const y = context.values[output_];
    const std::int64_t grain = std::max<std::int64_t>(kPointwiseGrain / std::max<std::int64_t>(stride_, 1), 1);
    parallel_for(context.threads, outer_, grain, [&](int, std::int64_t begin, std::int64_t end) {
      for (const Part& part : parts_) {
        const float* const x = context.values[part.slot];
        float* const column = y + part.begin;
        for (std::int64_t i = begin; i < end; ++i)
          std::memcpy(column + i * stride_, x + i * part.count, static_cast<std::size_t>(part.count) * sizeof(float));
      }
    });
  }

 private:
  std::vector<Part> parts_;
  std::int64_t outer_, stride_;
  Slot output_;
};

}  // namespace

BuiltStep build_concat(const StepRequest& request) {
  const auto& op = std::get<graph::Concat>(request.node.op);
  const Layout layout = request.input_layouts[0];
  std::vector<Part> parts;
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    const AxisView view = view_from_axis(request.input_shape(i), op.axis, layout);
    const std::int64_t count = view.axis * view.inner;
    const bool in_place = i < request.inputs_in_place.size() && request.inputs_in_place[i];
    if (!in_place) parts.push_back({request.inputs[i], begin, count});
    begin += count;
  }
  const AxisView whole = view_from_axis(request.output_shape(), op.axis, layout);
  BuiltStep built;
  built.step = std::make_unique<ConcatStep>(std::move(parts), request.inputs.size(), whole.outer,
                                            whole.axis * whole.inner, request.outputs[0]);
  built.outputs = {layout};
  return built;
}

}  // namespace octavo::runtime
