// SPDX-License-Identifier: Apache-2.0
// A small Deconvolution whose windows do not overlap: each input pixel becomes a block of output pixels by itself, a
// product by one matrix that stays in the first-level caches.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/pointwise.h"
#include "runtime/steps/prelu.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

constexpr std::int64_t kMostSums = 256, kMostWeights = 16 * 1024;

/// sums = start + the input channels' numbers times their rows of the matrix.
OCTAVO_VECTORIZED void sum_of_rows(const float* x, std::int64_t channels, const float* matrix, const float* start,
                                   float* sums, std::int64_t count) {
  for (std::int64_t j = 0; j < count; ++j) sums[j] = start[j];
  for (std::int64_t c = 0; c < channels; ++c, matrix += count) {
    const float factor = x[c];
    for (std::int64_t j = 0; j < count; ++j) sums[j] += factor * matrix[j];
  }
}

class BlockDeconvolutionStep final : public Step {
 public:
  BlockDeconvolutionStep(const StepRequest& request, const graph::Deconvolution& op)
      : channels_(request.input_shape()[1]),
        rows_(request.input_shape()[0] * request.input_shape()[2]),
        columns_(request.input_shape()[3]),
        block_rows_(op.kernel[0]),
        part_(op.kernel[1] * op.out_channels),
        activation_(function_of(op.activation)),
        view_(view_from_channels(request.output_shape(), Layout::nhwc)),
        input_(request.inputs[0]),
        output_(request.outputs[0]) {
    const std::vector<float> stored = graph::to_float(*op.weights);  // [in][out][kh][kw]
    const std::int64_t pixels = op.kernel[0] * op.kernel[1], outs = op.out_channels;
    for (std::int64_t in = 0; in < channels_; ++in) {
      for (std::int64_t p = 0; p < pixels; ++p) {
        for (std::int64_t out = 0; out < outs; ++out) {
          matrix_.push_back(stored[static_cast<std::size_t>((in * outs + out) * pixels + p)]);
        }
      }
    }
    const std::vector<float> bias =
        op.bias ? graph::to_float(*op.bias) : std::vector<float>(static_cast<std::size_t>(outs));
    for (std::int64_t p = 0; p < pixels; ++p) start_.insert(start_.end(), bias.begin(), bias.end());
    if (activation_) kernel_ = pointwise_kernel(*activation_);
    if (op.activation.slopes) slopes_ = graph::to_float(*op.activation.slopes);
    info.algorithm = "loop over blocks";
    info.reason = "fp32 layer of few channels: its windows do not overlap";
  }

  [[nodiscard]] std::size_t weight_bytes() const override { return (matrix_.size() + start_.size()) * sizeof(float); }

  void run(RunContext& context) const override {
    const float* const x = context.values[input_];
    float* const y = context.values[output_];
    const auto count = static_cast<std::int64_t>(start_.size());
    const std::int64_t grain = std::max<std::int64_t>(kPointwiseGrain / (columns_ * count), 1);
    parallel_for(context.threads, rows_, grain, [&](int, std::int64_t begin, std::int64_t end) {
      std::array<float, kMostSums> sums;
      for (std::int64_t row = begin; row < end; ++row) {
        float* const to = y + row * columns_ * count;
        for (std::int64_t column = 0; column < columns_; ++column) {
          const float* const pixel = x + (row * columns_ + column) * channels_;
          sum_of_rows(pixel, channels_, matrix_.data(), start_.data(), sums.data(), count);
          for (std::int64_t i = 0; i < block_rows_; ++i) {
            std::memcpy(to + (i * columns_ + column) * part_, sums.data() + i * part_,
                        static_cast<std::size_t>(part_) * sizeof(float));
          }
        }
        if (kernel_ != nullptr) kernel_(*activation_, to, to, columns_ * count);
      }
    });
    if (!slopes_.empty()) apply_prelu(view_, slopes_.data(), y, y, context.threads);
  }

 private:
  std::int64_t channels_, rows_, columns_, block_rows_;
  std::int64_t part_;  ///< numbers of a block that lie together: those of one row of it
  std::optional<graph::Unary> activation_;
  PointwiseKernel kernel_ = nullptr;
  AxisView view_;
  Slot input_, output_;
  std::vector<float> matrix_;  ///< [in][kh][kw][out]
  std::vector<float> start_;   ///< the bias, for each pixel of a block
  std::vector<float> slopes_;
};

}  // namespace

bool makes_blocks(const graph::Deconvolution& op) {
  const auto is = [](const graph::Pair& pair, std::int64_t number) { return pair == graph::Pair{number, number}; };
  const std::int64_t sums = op.kernel[0] * op.kernel[1] * op.out_channels;
  return op.groups == 1 && op.kernel == op.stride && is(op.dilation, 1) && is(op.pad_begin, 0) && is(op.pad_end, 0) &&
         sums <= kMostSums && sums * op.weights->shape[0] <= kMostWeights;
}

BuiltStep build_block_deconvolution(const StepRequest& request) {
  BuiltStep built;
  built.step = std::make_unique<BlockDeconvolutionStep>(request, std::get<graph::Deconvolution>(request.node.op));
  built.outputs = {Layout::nhwc};
  return built;
}

}  // namespace octavo::runtime
