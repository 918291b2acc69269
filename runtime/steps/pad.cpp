// SPDX-License-Identifier: Apache-2.0
// Pad: for each axis a table says which input position an output position shows, or that it shows the padding value.
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/pointwise.h"
#include "runtime/steps/strided_copy.h"

namespace octavo::runtime {
namespace {

using graph::PadKind;

constexpr std::int64_t kPadding = -1;

std::int64_t source_of(PadKind kind, std::int64_t position, std::int64_t size) {
  if (position >= 0 && position < size) return position;
  switch (kind) {
    case PadKind::constant:
      return kPadding;
    case PadKind::edge:
      return position < 0 ? 0 : size - 1;
    case PadKind::reflect:
      return position < 0 ? -position : 2 * (size - 1) - position;
    case PadKind::wrap:
      return position < 0 ? position + size : position - size;
  }
  return kPadding;
}

/// What cropping leaves is what is mirrored or repeated: negative paddings come first.
std::vector<std::int64_t> table_of(PadKind kind, std::int64_t size, std::int64_t before, std::int64_t behind) {
  const std::int64_t first = std::max<std::int64_t>(-before, 0);
  const std::int64_t left = size - first - std::max<std::int64_t>(-behind, 0);
  std::vector<std::int64_t> table;
  for (std::int64_t o = -std::max<std::int64_t>(before, 0); o < left + std::max<std::int64_t>(behind, 0); ++o) {
    const std::int64_t source = source_of(kind, o, left);
    table.push_back(source == kPadding ? kPadding : source + first);
  }
  return table;
}

class PadStep final : public Step {
 public:
  PadStep(std::vector<std::vector<std::int64_t>> tables, Shape strides, float value, Slot input, Slot output)
      : tables_(std::move(tables)), strides_(std::move(strides)), value_(value), input_(input), output_(output) {
    for (std::size_t d = 0; d + 1 < tables_.size(); ++d) rows_ *= static_cast<std::int64_t>(tables_[d].size());
    // The part of the last axis that shows the input in its order.
    const std::vector<std::int64_t>& last = tables_.back();
    while (run_begin_ < last.size() && last[run_begin_] == kPadding) ++run_begin_;
    run_end_ = run_begin_;
    while (run_end_ < last.size() &&
           (run_end_ == run_begin_ ? last[run_end_] != kPadding : last[run_end_] == last[run_end_ - 1] + 1)) {
      ++run_end_;
    }
    info.algorithm = "copy by tables";
  }

  void run(RunContext& context) const override {
    const float* const x = context.values[input_];
    float* const y = context.values[output_];
    const auto row = static_cast<std::int64_t>(tables_.back().size());
    parallel_for(context.threads, rows_, std::max<std::int64_t>(kPointwiseGrain / row, 1),
                 [&](int, std::int64_t begin, std::int64_t end) {
                   for (std::int64_t index = begin; index < end; ++index) write_row(x, index, y + index * row);
                 });
  }

 private:
  void write_row(const float* x, std::int64_t index, float* y) const {
    const std::vector<std::int64_t>& last = tables_.back();
    for (std::size_t d = tables_.size() - 1; d-- > 0;) {
      const auto size = static_cast<std::int64_t>(tables_[d].size());
      const std::int64_t at = tables_[d][static_cast<std::size_t>(index % size)];
      index /= size;
      if (at == kPadding) {
        std::fill_n(y, last.size(), value_);
        return;
      }
      x += at * strides_[d];
    }
    const auto one = [&](std::size_t i) { y[i] = last[i] == kPadding ? value_ : x[last[i]]; };
    for (std::size_t i = 0; i < run_begin_; ++i) one(i);
    if (run_begin_ < run_end_) std::copy_n(x + last[run_begin_], run_end_ - run_begin_, y + run_begin_);
    for (std::size_t i = run_end_; i < last.size(); ++i) one(i);
  }

  std::vector<std::vector<std::int64_t>> tables_;  ///< by dimension, in memory order
  Shape strides_;
  float value_;
  Slot input_, output_;
  std::int64_t rows_ = 1;
  std::size_t run_begin_ = 0, run_end_ = 0;
};

}  // namespace

BuiltStep build_pad(const StepRequest& request) {
  const auto& op = std::get<graph::Pad>(request.node.op);
  const Layout layout = request.input_layouts[0];
  const Shape dims = memory_dims(request.input_shape(), layout);
  const Shape before = memory_dims(op.begins, layout), behind = memory_dims(op.ends, layout);
  std::vector<std::vector<std::int64_t>> tables;
  for (std::size_t d = 0; d < dims.size(); ++d) tables.push_back(table_of(op.kind, dims[d], before[d], behind[d]));
  BuiltStep built;
  built.step = std::make_unique<PadStep>(std::move(tables), dense_strides(dims), op.value, request.inputs[0],
                                         request.outputs[0]);
  built.outputs = {layout};
  return built;
}

}  // namespace octavo::runtime
