// SPDX-License-Identifier: Apache-2.0
// Embed: each number of the input picks a row of a table.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "octavo/error.h"
#include "runtime/steps/builders.h"

namespace octavo::runtime {
namespace {

class EmbedStep final : public Step {
 public:
  EmbedStep(const StepRequest& request, const graph::Embed& op)
      : node_(request.node.name),
        table_(graph::to_float(*op.weights)),
        rows_(op.weights->shape[0]),
        width_(op.weights->shape[1]),
        count_(graph::element_count(request.input_shape())),
        input_(request.inputs[0]),
        output_(request.outputs[0]) {
    if (op.bias) {  // into the table, once
      const std::vector<float> bias = graph::to_float(*op.bias);
      for (std::size_t i = 0; i < table_.size(); ++i) table_[i] += bias[i % static_cast<std::size_t>(width_)];
    }
    info.algorithm = "table look-up";
  }

  [[nodiscard]] std::size_t weight_bytes() const override { return table_.size() * sizeof(float); }

  void run(RunContext& context) const override {
    const float* x = context.values[input_];
    float* y = context.values[output_];
    for (std::int64_t i = 0; i < count_; ++i, y += width_) {
      // A fraction is cut off, as Caffe does. The negated test also refuses NaN.
      if (!(x[i] > -1.0F && x[i] < static_cast<float>(rows_))) refuse(x[i]);
      std::copy_n(table_.data() + static_cast<std::int64_t>(x[i]) * width_, width_, y);
    }
  }

 private:
  [[noreturn]] void refuse(float index) const {
    throw Error(ErrorKind::invalid_argument, "index " + std::to_string(index) + " is outside the table", node_,
                "the table has " + std::to_string(rows_) + " rows");
  }

  std::string node_;
  std::vector<float> table_;  ///< [rows][width], bias added
  std::int64_t rows_, width_, count_;
  Slot input_, output_;
};

}  // namespace

BuiltStep build_embed(const StepRequest& request) {
  BuiltStep built;
  built.step = std::make_unique<EmbedStep>(request, std::get<graph::Embed>(request.node.op));
  built.outputs = {Layout::plain};
  return built;
}

}  // namespace octavo::runtime
