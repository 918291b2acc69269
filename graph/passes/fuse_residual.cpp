// SPDX-License-Identifier: Apache-2.0
// A sum of two into the layer that makes one of them: see graph/passes/passes.h.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "graph/passes/absorb.h"
#include "graph/passes/passes.h"

namespace octavo::graph {
namespace {

/// The sum of two different values as they are.
bool is_plain_sum(const Node& node) {
  const auto* eltwise = std::get_if<Eltwise>(&node.op);
  return eltwise != nullptr && eltwise->kind == EltwiseKind::sum && node.inputs.size() == 2 &&
         node.inputs[0] != node.inputs[1] &&
         std::all_of(eltwise->coefficients.begin(), eltwise->coefficients.end(), [](float c) { return c == 1.0F; });
}

/// A layer's activation comes after its residual, so the layer must not have one yet.
template <class T>
bool add_to(T& layer, const Activation& activation) {
  if (layer.add_residual || layer.activation.kind != jit::ActivationKind::none) return false;
  if (activation.kind == jit::ActivationKind::prelu) return false;
  layer.add_residual = true;
  layer.activation = activation;
  return true;
}

bool add_residual(Node& node, const Activation& activation) {
  if (auto* conv = std::get_if<Convolution>(&node.op)) return add_to(*conv, activation);
  if (auto* linear = std::get_if<Linear>(&node.op)) return add_to(*linear, activation);
  return false;
}

}  // namespace

void fuse_residual(Graph& graph) {
  const std::vector<std::size_t> uses = use_counts(graph);
  const std::vector<std::size_t> producers = producer_indices(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& sum = graph.nodes[i];
    if (!is_plain_sum(sum)) continue;
    // The later of the two layers: the other one's result is then surely there when it runs.
    std::array<ValueId, 2> candidates{sum.inputs[0], sum.inputs[1]};
    if (producers[candidates[0]] < producers[candidates[1]]) std::swap(candidates[0], candidates[1]);
    for (std::size_t side = 0; side < 2; ++side) {
      Node& layer = graph.nodes[producers[candidates[side]]];
      if (uses[candidates[side]] != 1 || !add_residual(layer, std::get<Eltwise>(sum.op).activation)) continue;
      // It moves to the place of the sum, which comes after both; nothing between reads its result.
      Node fused = std::move(layer);
      fused.inputs.push_back(candidates[1 - side]);
      fused.outputs = sum.outputs;
      layer = Node{};
      sum = std::move(fused);
      break;
    }
  }
  std::erase_if(graph.nodes, [](const Node& node) { return node.outputs.empty(); });
  graph.remove_dead();
}

}  // namespace octavo::graph
