// SPDX-License-Identifier: Apache-2.0
// Pool: maximum or average over windows of a channels-last image.
#include <cstdint>

#include "runtime/steps/builders.h"
#include "runtime/steps/pool_loop.h"

namespace octavo::runtime {
namespace {

class PoolStep final : public Step {
 public:
  PoolStep(const PoolLoop& loop, Slot input, Slot output) : loop_(loop), input_(input), output_(output) {
    info.algorithm = "channels-last loop";
  }

  void run(RunContext& context) const override {
    loop_.run(context.values[input_], context.values[output_], context.threads);
  }

 private:
  PoolLoop loop_;
  Slot input_, output_;
};

PoolAxis axis_of(const graph::Pool& op, const Shape& x, const Shape& y, std::size_t side) {
  const std::int64_t in = x[2 + side];
  if (op.global) return {in, 1, in, 1, 0, 0, true};
  return {in, y[2 + side], op.kernel[side], op.stride[side], op.pad_begin[side], op.pad_end[side], op.include_padding};
}

}  // namespace

BuiltStep build_pool(const StepRequest& request) {
  const auto& op = std::get<graph::Pool>(request.node.op);
  const Shape& x = request.input_shape();
  const Shape& y = request.output_shape();
  BuiltStep built;
  built.step = std::make_unique<PoolStep>(PoolLoop(op.kind, axis_of(op, x, y, 0), axis_of(op, x, y, 1), x[0], x[1]),
                                          request.inputs[0], request.outputs[0]);
  built.outputs = {Layout::nhwc};
  return built;
}

}  // namespace octavo::runtime
