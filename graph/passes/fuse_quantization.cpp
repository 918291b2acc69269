// SPDX-License-Identifier: Apache-2.0
// Quantize, Integer*, Dequantize and the epilogue become one node: see graph/compiler.h.
#include <utility>
#include <vector>

#include "graph/compiler.h"
#include "graph/passes/absorb.h"

namespace octavo::graph {
namespace {

/// The three nodes of a layer in the graph, by index.
struct Triple {
  std::size_t quantize, integer, dequantize;
};

template <class T>
T with_epilogue(T layer, const Dequantize& dequantize) {
  layer.bias = dequantize.bias;
  layer.add_residual = dequantize.add_residual;
  layer.activation = dequantize.activation;
  return layer;
}

Op fused(const Graph& graph, const Triple& triple) {
  const auto& quantize = std::get<Quantize>(graph.nodes[triple.quantize].op);
  const auto& dequantize = std::get<Dequantize>(graph.nodes[triple.dequantize].op);
  const Op& integer = graph.nodes[triple.integer].op;
  if (const auto* conv = std::get_if<IntegerConvolution>(&integer)) {
    return FusedConvolution{with_epilogue(conv->conv, dequantize), quantize.nonnegative};
  }
  return FusedLinear{with_epilogue(std::get<IntegerLinear>(integer).linear, dequantize), quantize.nonnegative};
}

/// Whether the three belong together: same weights, same windows.
bool matches(const Graph& graph, const Triple& triple) {
  const auto* quantize = std::get_if<Quantize>(&graph.nodes[triple.quantize].op);
  const auto& dequantize = std::get<Dequantize>(graph.nodes[triple.dequantize].op);
  const Op& integer = graph.nodes[triple.integer].op;
  if (quantize == nullptr) return false;
  if (const auto* conv = std::get_if<IntegerConvolution>(&integer)) {
    return conv->conv.weights == dequantize.weights && conv->conv.window == quantize->window;
  }
  if (const auto* linear = std::get_if<IntegerLinear>(&integer)) {
    return linear->linear.weights == dequantize.weights && linear->linear.window == quantize->window;
  }
  return false;
}

}  // namespace

Graph fuse_quantization(Graph graph) {
  verify(graph);
  const std::vector<std::size_t> uses = use_counts(graph);
  const std::vector<std::size_t> producers = producer_indices(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    if (!std::holds_alternative<Dequantize>(node.op) || uses[node.inputs[0]] != 1) continue;
    const std::size_t integer = producers[node.inputs[0]];
    if (graph.nodes[integer].inputs.empty()) continue;
    const ValueId integers = graph.nodes[integer].inputs[0];
    const Triple triple{producers[integers], integer, i};
    if (!matches(graph, triple)) continue;
    // At Dequantize's place: its residual may come from a node behind the other two. A Quantize that others share
    // stays for them; one that nobody needs any more is dead.
    std::vector<ValueId> inputs = graph.nodes[triple.quantize].inputs;
    inputs.insert(inputs.end(), node.inputs.begin() + 1, node.inputs.end());
    node.op = fused(graph, triple);
    node.name = std::exchange(graph.nodes[integer].name, node.name);
    node.inputs = std::move(inputs);
  }
  graph.remove_dead();
  return graph;
}

}  // namespace octavo::graph
