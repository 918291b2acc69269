// SPDX-License-Identifier: Apache-2.0
// A small network with seeded weights, made without any file.
#pragma once

#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "graph/compiler.h"
#include "graph/graph.h"
#include "octavo/model.h"
#include "runtime/model_impl.h"

namespace octavo::test {

inline graph::BlobPtr random_blob(graph::Shape shape, std::mt19937& random, float spread = 0.2F) {
  std::normal_distribution<float> normal(0.0F, spread);
  std::vector<float> values(static_cast<std::size_t>(graph::element_count(shape)));
  for (float& value : values) value = normal(random);
  return graph::make_blob(std::move(shape), std::move(values));
}

/// data [1, 3, 12, 12] -> conv1 3x3 (20), relu -> pool 2x2 -> conv2 1x1 (18) -> fc (10) -> prob
inline graph::Graph sample_graph(unsigned seed = 1) {
  std::mt19937 random(seed);
  graph::Graph graph;
  graph.name = "sample";
  const auto node = [&](const std::string& name, graph::Op op, std::vector<graph::ValueId> inputs) {
    const auto out = graph.add_value(name);
    graph.add_node(name, std::move(op), std::move(inputs), {out});
    return out;
  };
  const auto data = node("data", graph::Input{.shape = {1, 3, 12, 12}}, {});
  graph::Convolution conv1;
  conv1.out_channels = 20;
  conv1.kernel = {3, 3};
  conv1.pad_begin = conv1.pad_end = {1, 1};
  conv1.weights = random_blob({20, 3, 3, 3}, random);
  conv1.bias = random_blob({20}, random);
  const auto relu = node("relu1", graph::Unary{}, {node("conv1", conv1, {data})});
  graph::Pool pool;
  pool.kernel = pool.stride = {2, 2};
  graph::Convolution conv2;
  conv2.out_channels = 18;
  conv2.weights = random_blob({18, 20, 1, 1}, random);
  const auto mixed = node("conv2", conv2, {node("pool1", pool, {relu})});
  graph::Linear fc;
  fc.out_features = 10;
  fc.weights = random_blob({10, 18 * 6 * 6}, random);
  fc.bias = random_blob({10}, random);
  graph.outputs = {node("prob", graph::Softmax{}, {node("fc", fc, {mixed})})};
  graph::verify(graph);
  graph::infer_shapes(graph);
  return graph;
}

inline Model to_model(graph::Graph graph) {
  runtime::ModelContent content;
  content.graph = std::move(graph);
  return Model(std::make_shared<const Model::Impl>(std::move(content)));
}

inline CompileOptions one_thread() {
  CompileOptions options;
  options.threads = 1;
  return options;
}

inline CompileOptions returning(std::vector<std::string> outputs) {
  CompileOptions options;
  options.outputs = std::move(outputs);
  return options;
}

inline QuantizeOptions windows_of(std::int64_t channels) {
  QuantizeOptions options;
  options.window = Window{};
  options.window->channels = channels;
  return options;
}

inline Tensor sample_input(Shape shape = {1, 3, 12, 12}, unsigned seed = 2) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Tensor tensor(std::move(shape));
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.data()[i] = normal(random);
  return tensor;
}

}  // namespace octavo::test
