// SPDX-License-Identifier: Apache-2.0
// Small networks for tests: a builder, blobs with seeded numbers, and how an Error is asked for its words.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "octavo/error.h"

namespace octavo::graph::test {

inline BlobPtr constant(Shape shape, float value) {
  const auto count = static_cast<std::size_t>(element_count(shape));
  return make_blob(std::move(shape), std::vector<float>(count, value));
}

inline BlobPtr random_blob(Shape shape, std::uint32_t seed, float low = -1.0F, float high = 1.0F) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> number(low, high);
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  for (float& value : values) value = number(generator);
  return make_blob(std::move(shape), std::move(values));
}

/// A graph, a line a layer: each layer's value has the layer's name unless told otherwise.
class Net {
 public:
  ValueId input(const std::string& name, Shape shape) { return add(name, Input{std::move(shape)}, {}); }
  ValueId add(const std::string& name, Op op, std::vector<ValueId> inputs) {
    const ValueId value = graph_.add_value(name);
    graph_.add_node(name, std::move(op), std::move(inputs), {value});
    return value;
  }
  std::vector<ValueId> add_many(const std::string& name, Op op, std::vector<ValueId> inputs, std::size_t outputs) {
    std::vector<ValueId> values;
    for (std::size_t i = 0; i < outputs; ++i) values.push_back(graph_.add_value(name + "_" + std::to_string(i)));
    graph_.add_node(name, std::move(op), std::move(inputs), values);
    return values;
  }
  [[nodiscard]] Graph done(std::vector<ValueId> outputs) const {
    Graph graph = graph_;
    graph.name = "net";
    graph.outputs = std::move(outputs);
    return graph;
  }

 private:
  Graph graph_;
};

/// The ops of a graph in words, in order: "Input Convolution Pool".
inline std::string ops_of(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes) text += (text.empty() ? "" : " ") + std::string(op_name(node.op));
  return text;
}

inline std::vector<std::string> output_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const ValueId value : graph.outputs) names.push_back(graph.values[value].name);
  return names;
}

template <class T>
const T& op_at(const Graph& graph, const std::string& layer) {
  const Node* node = graph.find_node(layer);
  if (node == nullptr) throw std::runtime_error("no layer " + layer);
  return std::get<T>(node->op);
}

/// What `act` throws says, or "" if it throws nothing.
template <class Act>
std::string error_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline Convolution convolution(std::int64_t in, std::int64_t out, std::int64_t kernel, std::uint32_t seed = 1) {
  Convolution conv;
  conv.out_channels = out;
  conv.kernel = {kernel, kernel};
  conv.weights = random_blob({out, in, kernel, kernel}, seed);
  return conv;
}

inline Linear linear(std::int64_t in, std::int64_t out, std::uint32_t seed = 1) {
  Linear layer;
  layer.out_features = out;
  layer.weights = random_blob({out, in}, seed);
  return layer;
}

inline Unary relu(float slope = 0.0F) { return {.kind = UnaryKind::relu, .alpha = slope}; }

}  // namespace octavo::graph::test
