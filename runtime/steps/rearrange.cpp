// SPDX-License-Identifier: Apache-2.0
// Slice, StridedSlice, Crop, Tile, Permute: numbers move, none changes. Each works in whatever order its input lies in
// and writes the same order (Permute: plain); where nothing moves at all, the output is an alias.
#include <utility>
#include <vector>

#include "graph/axes.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/strided_copy.h"

namespace octavo::runtime {
namespace {

class RearrangeStep final : public Step {
 public:
  RearrangeStep(Slot input, std::vector<std::pair<Slot, StridedCopy>> copies)
      : input_(input), copies_(std::move(copies)) {
    info.algorithm = "strided copy";
  }

  void run(RunContext& context) const override {
    for (const auto& [output, copy] : copies_) {
      copy.run(context.values[input_], context.values[output], context.threads);
    }
  }

 private:
  Slot input_;
  std::vector<std::pair<Slot, StridedCopy>> copies_;
};

BuiltStep rearrange(const StepRequest& request, const std::vector<StridedCopy>& copies, Layout output_layout) {
  BuiltStep built;
  built.outputs.assign(request.outputs.size(), output_layout);
  if (copies.size() == 1 && copies[0].whole_run() &&
      graph::element_count(request.input_shape()) == graph::element_count(request.output_shape())) {
    built.alias = true;
    return built;
  }
  std::vector<std::pair<Slot, StridedCopy>> targets;
  for (std::size_t i = 0; i < copies.size(); ++i) targets.emplace_back(request.outputs[i], copies[i]);
  built.step = std::make_unique<RearrangeStep>(request.inputs[0], std::move(targets));
  return built;
}

}  // namespace

BuiltStep build_slice(const StepRequest& request) {
  const auto& op = std::get<graph::Slice>(request.node.op);
  const Layout layout = request.input_layouts[0];
  const Shape& shape = request.input_shape();
  const Shape strides = dense_strides(memory_dims(shape, layout));
  const auto axis = static_cast<std::size_t>(memory_axis(shape, op.axis, layout));
  std::vector<StridedCopy> copies;
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < request.outputs.size(); ++i) {
    const Shape dims = memory_dims(request.output_shape(i), layout);
    copies.emplace_back(dims, strides, begin * strides[axis]);
    begin += dims[axis];
  }
  return rearrange(request, copies, layout);
}

BuiltStep build_crop(const StepRequest& request) {
  const auto& op = std::get<graph::Crop>(request.node.op);
  const Layout layout = request.input_layouts[0];
  const Shape& shape = request.input_shape();
  const Shape strides = dense_strides(memory_dims(shape, layout));
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::int64_t first = graph::canonical_axis(op.axis, rank);
  std::int64_t offset = 0;
  for (std::int64_t axis = first; axis < rank && !op.offsets.empty(); ++axis) {
    const auto which = op.offsets.size() == 1 ? 0 : static_cast<std::size_t>(axis - first);
    offset += op.offsets[which] * strides[static_cast<std::size_t>(memory_axis(shape, axis, layout))];
  }
  return rearrange(request, {StridedCopy(memory_dims(request.output_shape(), layout), strides, offset)}, layout);
}

BuiltStep build_strided_slice(const StepRequest& request) {
  const auto& op = std::get<graph::StridedSlice>(request.node.op);
  const Layout layout = request.input_layouts[0];
  const Shape& shape = request.input_shape();
  Shape strides = dense_strides(memory_dims(shape, layout));
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < op.axes.size(); ++i) {
    const auto logical = graph::canonical_axis(op.axes[i], static_cast<std::int64_t>(shape.size()));
    const std::int64_t size = shape[static_cast<std::size_t>(logical)];
    std::int64_t& stride = strides[static_cast<std::size_t>(memory_axis(shape, logical, layout))];
    offset += graph::sliced_axis(size, op.begins[i], op.ends[i], op.steps[i]).begin * stride;
    stride *= op.steps[i];
  }
  return rearrange(request, {StridedCopy(memory_dims(request.output_shape(), layout), strides, offset)}, layout);
}

BuiltStep build_tile(const StepRequest& request) {
  const auto& op = std::get<graph::Tile>(request.node.op);
  const Layout layout = request.input_layouts[0];
  const AxisView view = view_from_axis(request.input_shape(), op.axis, layout);
  const std::int64_t run = view.axis * view.inner;
  return rearrange(request, {StridedCopy({view.outer, op.tiles, run}, {run, 0, 1}, 0)}, layout);
}

BuiltStep build_permute(const StepRequest& request) {
  const auto& op = std::get<graph::Permute>(request.node.op);
  const Layout layout = request.input_layouts[0];
  const Shape& shape = request.input_shape();
  const Shape source = dense_strides(memory_dims(shape, layout));
  Shape strides;
  for (const std::int64_t axis : graph::complete_order(op.order, static_cast<std::int64_t>(shape.size()))) {
    strides.push_back(source[static_cast<std::size_t>(memory_axis(shape, axis, layout))]);
  }
  return rearrange(request, {StridedCopy(request.output_shape(), strides, 0)}, Layout::plain);
}

}  // namespace octavo::runtime
