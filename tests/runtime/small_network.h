// SPDX-License-Identifier: Apache-2.0
// Networks of a few nodes, built by hand, and what they compute.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "jit/kernel_cache.h"
#include "octavo/program.h"
#include "runtime/program_builder.h"

namespace octavo::test {

using graph::BlobPtr;
using graph::Graph;
using graph::ValueId;

/// Numbers in row-major order of a logical (NCHW) shape.
struct Values {
  Shape shape;
  std::vector<float> numbers;
};

[[nodiscard]] inline Values random_values(const Shape& shape, unsigned seed, float low = -1.0F, float high = 1.0F) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> distribution(low, high);
  Values values{shape, std::vector<float>(static_cast<std::size_t>(graph::element_count(shape)))};
  for (float& number : values.numbers) number = distribution(random);
  return values;
}

[[nodiscard]] inline BlobPtr random_blob(const Shape& shape, unsigned seed, float low = -1.0F, float high = 1.0F) {
  return graph::make_blob(shape, random_values(shape, seed, low, high).numbers);
}

/// A graph in the making; a node has one output, named after it.
class SmallNetwork {
 public:
  ValueId input(const std::string& name, const Shape& shape) { return add(name, graph::Input{shape}, {}); }
  ValueId add(const std::string& name, graph::Op op, std::vector<ValueId> inputs) {
    const ValueId value = graph_.add_value(name);
    graph_.add_node(name, std::move(op), std::move(inputs), {value});
    return value;
  }
  /// The graph with these outputs, shapes inferred.
  [[nodiscard]] Graph finish(std::vector<ValueId> outputs) const {
    Graph graph = graph_;
    graph.name = "small";
    graph.outputs = std::move(outputs);
    graph::infer_shapes(graph);
    graph::verify(graph);
    return graph;
  }
  Graph& graph() { return graph_; }

 private:
  Graph graph_;
};

[[nodiscard]] inline Program build(const Graph& graph, int threads = 1, const AccuracyBudget& accuracy = {}) {
  CompileOptions options;
  options.threads = threads;
  options.accuracy = accuracy;
  return runtime::build_program(graph, options, std::make_shared<jit::KernelCache>());
}

/// The layout in which an op meets its 4-D inputs.
enum class Arrival { as_given, channels_last };

/// A network of one op over inputs of the values' shapes; its first output.
[[nodiscard]] inline Graph graph_of(const graph::Op& op, const std::vector<Values>& inputs, Arrival arrival) {
  SmallNetwork network;
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string name = "x" + std::to_string(i);
    ValueId value = network.input(name, inputs[i].shape);
    // A pool of one pixel changes nothing but the layout.
    if (arrival == Arrival::channels_last && inputs[i].shape.size() == 4)
      value = network.add(name + "_nhwc", graph::Pool{}, {value});
    values.push_back(value);
  }
  const ValueId result = network.add("y", op, values);
  return network.finish({result});
}

[[nodiscard]] inline Values run(const Graph& graph, const std::vector<Values>& inputs, int threads = 1,
                                const AccuracyBudget& accuracy = {}) {
  std::vector<Tensor> tensors;
  for (const Values& input : inputs) tensors.emplace_back(input.shape, input.numbers);
  const std::vector<Tensor> outputs = build(graph, threads, accuracy).predict(tensors);
  return {outputs[0].shape(), {outputs[0].values().begin(), outputs[0].values().end()}};
}

/// `tolerance` is relative to the greatest expected number. NaN equals NaN.
inline void expect_near(const Values& actual, const Values& expected, float tolerance, const std::string& what) {
  ASSERT_EQ(actual.shape, expected.shape) << what;
  float greatest = 1e-6F;
  for (const float number : expected.numbers)
    if (std::isfinite(number)) greatest = std::max(greatest, std::fabs(number));
  for (std::size_t i = 0; i < expected.numbers.size(); ++i) {
    const float a = actual.numbers[i], e = expected.numbers[i];
    if (std::isnan(a) && std::isnan(e)) continue;
    if (a == e) continue;
    ASSERT_LE(std::fabs(a - e), tolerance * greatest) << what << ": number " << i << " is " << a << ", expected " << e;
  }
}

/// The op gives what `reference(op, inputs, output shape)` gives, whatever layout its inputs come in, on one thread
/// and on three.
template <class Op, class Reference>
void expect_op(const Op& op, const std::vector<Values>& inputs, float tolerance, const Reference& reference) {
  for (const Arrival arrival : {Arrival::as_given, Arrival::channels_last}) {
    const Graph graph = graph_of(op, inputs, arrival);
    const Shape& shape = graph.values[graph.outputs[0]].shape;
    const Values expected{shape, reference(op, inputs, shape)};
    for (const int threads : {1, 3}) {
      expect_near(run(graph, inputs, threads), expected, tolerance,
                  graph::print(graph) + (threads == 1 ? "one thread" : "three threads"));
    }
  }
}

}  // namespace octavo::test
