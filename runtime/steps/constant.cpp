// SPDX-License-Identifier: Apache-2.0
// Constant: numbers of the network where a value is read.
#include <algorithm>
#include <vector>

#include "runtime/steps/builders.h"

namespace octavo::runtime {
namespace {

class ConstantStep final : public Step {
 public:
  ConstantStep(const graph::Blob& value, Slot output) : numbers_(graph::to_float(value)), output_(output) {
    info.algorithm = "copy";
  }

  void run(RunContext& context) const override { std::copy(numbers_.begin(), numbers_.end(), context.values[output_]); }
  [[nodiscard]] std::size_t weight_bytes() const override { return numbers_.size() * sizeof(float); }

 private:
  std::vector<float> numbers_;
  Slot output_;
};

}  // namespace

BuiltStep build_constant(const StepRequest& request) {
  BuiltStep built;
  built.step = std::make_unique<ConstantStep>(*std::get<graph::Constant>(request.node.op).value, request.outputs[0]);
  built.outputs = {Layout::plain};
  return built;
}

}  // namespace octavo::runtime
