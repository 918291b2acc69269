// SPDX-License-Identifier: Apache-2.0
// A small network with everything that a program has to get right: layouts, branches, a residual, a concatenation.
#pragma once

#include "graph/compiler.h"
#include "tests/runtime/small_network.h"

namespace octavo::test {

inline graph::Convolution sample_convolution(std::int64_t ins, std::int64_t outs, std::int64_t kernel, unsigned seed) {
  graph::Convolution conv;
  conv.out_channels = outs;
  conv.kernel = {kernel, kernel};
  conv.pad_begin = conv.pad_end = {kernel / 2, kernel / 2};
  const float reach = 1.0F / std::sqrt(static_cast<float>(ins * kernel * kernel));
  conv.weights = random_blob({outs, ins, kernel, kernel}, seed, -reach, reach);
  conv.bias = random_blob({outs}, seed + 1, -0.1F, 0.1F);
  conv.activation.kind = jit::ActivationKind::relu;
  return conv;
}

/// Windows of 64 channels over `tile` x `tile` outputs; 0: the plan's choice.
inline graph::QuantizationRules sample_rules(std::int64_t tile) {
  graph::QuantizationRules rules;
  rules.convolution_window.tile_h = rules.convolution_window.tile_w = tile;
  return rules;
}

/// Input [batch, 3, 20, 20]; outputs: class probabilities [batch, 10], and the branch "join" [batch, 72, 10, 10].
inline Graph sample_network(std::int64_t batch, bool quantized, std::int64_t tile = 0) {
  SmallNetwork network;
  const ValueId data = network.input("data", {batch, 3, 20, 20});
  const ValueId conv1 = network.add("conv1", sample_convolution(3, 32, 3, 1), {data});
  const ValueId pool1 =
      network.add("pool1", graph::Pool{.kernel = {3, 3}, .stride = {2, 2}, .ceil_mode = true}, {conv1});
  graph::Convolution with_residual = sample_convolution(32, 32, 3, 3);
  with_residual.add_residual = true;
  const ValueId conv2 = network.add("conv2", with_residual, {pool1, pool1});
  const ValueId narrow = network.add("narrow", sample_convolution(32, 40, 1, 5), {conv2});
  const ValueId join = network.add("join", graph::Concat{1}, {conv2, narrow});
  const ValueId norm = network.add("norm", graph::Lrn{.alpha = 0.1F}, {join});
  graph::Linear linear;
  linear.out_features = 10;
  linear.weights = random_blob({10, 72 * 10 * 10}, 9, -0.02F, 0.02F);
  linear.bias = random_blob({10}, 10);
  const ValueId scores = network.add("scores", linear, {norm});
  const ValueId prob = network.add("prob", graph::Softmax{1}, {scores});
  Graph graph = network.finish({prob, join});
  if (quantized) {
    graph = graph::quantize_weights(graph::canonicalize(std::move(graph)), sample_rules(tile));
    graph = graph::fuse_quantization(graph::insert_quantization(std::move(graph)));
    graph::infer_shapes(graph);
  }
  return graph;
}

}  // namespace octavo::test
