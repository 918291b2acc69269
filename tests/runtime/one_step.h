// SPDX-License-Identifier: Apache-2.0
// Runs one op's step alone, in every memory layout that it accepts, and gives its outputs back in logical order.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "octavo/tensor.h"
#include "runtime/aligned_buffer.h"
#include "runtime/layout.h"
#include "runtime/memory_plan.h"
#include "runtime/step.h"

namespace octavo::runtime::test {

/// Row-major indices of a shape, one after the other: `for (Index i(shape); i; ++i) use(*i)`.
class Index {
 public:
  explicit Index(Shape shape) : shape_(std::move(shape)), at_(shape_.size(), 0) {
    for (const std::int64_t dim : shape_) left_ *= dim;
  }
  explicit operator bool() const { return left_ > 0; }
  const Shape& operator*() const { return at_; }
  Index& operator++() {
    --left_;
    for (std::size_t i = at_.size(); i-- > 0;) {
      if (++at_[i] < shape_[i]) break;
      at_[i] = 0;
    }
    return *this;
  }

 private:
  Shape shape_, at_;
  std::int64_t left_ = 1;
};

/// Position of `index` in dense row-major memory.
inline std::size_t flat(const Shape& index, const Shape& shape) {
  std::int64_t position = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) position = position * shape[i] + index[i];
  return static_cast<std::size_t>(position);
}

inline float at(const Tensor& tensor, const Shape& index) { return tensor.values()[flat(index, tensor.shape())]; }

/// Position in memory of a logical index.
inline std::size_t place(const Shape& index, const Shape& shape, Layout layout) {
  return flat(memory_dims(index, layout), memory_dims(shape, layout));
}

inline Tensor random_tensor(const Shape& shape, std::mt19937& random, float low = -2.0F, float high = 2.0F) {
  Tensor tensor(shape);
  std::uniform_real_distribution<float> uniform(low, high);
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.data()[i] = uniform(random);
  return tensor;
}

/// The op between Input nodes of the tensors' shapes and `outputs` values; shapes inferred, verified.
inline graph::Graph one_op_graph(graph::Op op, const std::vector<Tensor>& inputs, std::size_t outputs) {
  graph::Graph graph;
  graph.name = "one";
  std::vector<graph::ValueId> in, out;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    in.push_back(graph.add_value("x" + std::to_string(i)));
    graph.add_node("input" + std::to_string(i), graph::Input{inputs[i].shape()}, {}, {in.back()});
  }
  for (std::size_t i = 0; i < outputs; ++i) out.push_back(graph.add_value("y" + std::to_string(i)));
  graph.add_node("op", std::move(op), in, out);
  graph.outputs = out;
  graph::infer_shapes(graph);
  graph::verify(graph);
  return graph;
}

/// The outputs of `op` when its 4-D inputs lie in `layout`. What lies in memory beforehand is NaN.
inline std::vector<Tensor> run_op(const graph::Op& op, const std::vector<Tensor>& inputs, Layout layout,
                                  std::size_t outputs = 1, int threads = 1) {
  const graph::Graph graph = one_op_graph(op, inputs, outputs);
  const BuildContext build{dnnl::engine(dnnl::engine::kind::cpu, 0), nullptr, {}, Isa::reference, threads, {}, {}};
  StepRequest request{graph, graph.nodes.back(), build, {}, {}, {}};
  std::vector<std::vector<float>> memory;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape& shape = inputs[i].shape();
    const Layout lies = shape.size() == 4 ? layout : Layout::plain;
    memory.emplace_back(inputs[i].values().size());
    for (Index index(shape); index; ++index) memory.back()[place(*index, shape, lies)] = at(inputs[i], *index);
    request.inputs.push_back(i);
    request.input_layouts.push_back(lies);
  }
  for (std::size_t i = 0; i < outputs; ++i) {
    const Shape& shape = graph.values[graph.nodes.back().outputs[i]].shape;
    memory.emplace_back(static_cast<std::size_t>(graph::element_count(shape)), NAN);
    request.outputs.push_back(inputs.size() + i);
  }

  const BuiltStep built = builder_of(op).build(request);
  if (!built.alias) {
    const std::size_t of_thread = align_up(built.step->thread_scratch_bytes());
    AlignedBuffer scratch(built.step->scratch_bytes() + 64);
    AlignedBuffer thread_scratch(static_cast<std::size_t>(threads) * of_thread + 64);
    RunContext context{dnnl::stream(build.engine),         threads, {}, scratch.data(),
                       {thread_scratch.data(), of_thread}, nullptr};
    const auto state = built.step->make_state();
    context.state = state.get();
    for (auto& numbers : memory) context.values.push_back(numbers.data());
    built.step->run(context);
  }
  std::vector<Tensor> results;
  for (std::size_t i = 0; i < outputs; ++i) {
    const auto& numbers = memory[built.alias ? 0 : inputs.size() + i];
    Tensor result(graph.values[graph.nodes.back().outputs[i]].shape);
    for (Index index(result.shape()); index; ++index) {
      result.data()[flat(*index, result.shape())] = numbers[place(*index, result.shape(), built.outputs[i])];
    }
    results.push_back(std::move(result));
  }
  return results;
}

/// The layouts in which the op may get a value of this rank.
inline std::vector<Layout> layouts_of(const graph::Op& op, std::size_t rank) {
  const Demand demand = builder_of(op).demand;
  if (rank != 4 || demand == Demand::plain) return {Layout::plain};
  if (demand == Demand::nhwc) return {Layout::nhwc};
  return {Layout::plain, Layout::nhwc};
}

}  // namespace octavo::runtime::test
