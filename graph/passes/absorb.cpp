// SPDX-License-Identifier: Apache-2.0
// Absorption: see graph/passes/absorb.h.
#include "graph/passes/absorb.h"

#include <utility>

namespace octavo::graph {

std::vector<std::size_t> use_counts(const Graph& graph) {
  std::vector<std::size_t> uses(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (const ValueId value : node.inputs) ++uses[value];
  }
  for (const ValueId value : graph.outputs) ++uses[value];
  return uses;
}

std::vector<std::size_t> producer_indices(const Graph& graph) {
  std::vector<std::size_t> producers(graph.values.size(), graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const ValueId value : graph.nodes[i].outputs) producers[value] = i;
  }
  return producers;
}

void absorb_followers(Graph& graph, const std::function<bool(Node& producer, const Node& follower)>& absorb) {
  const std::vector<std::size_t> uses = use_counts(graph);
  std::vector<Node> kept;
  std::vector<std::size_t> producer_in_kept(graph.values.size(), 0);
  for (Node& node : graph.nodes) {
    if (node.inputs.size() == 1 && node.outputs.size() == 1 && uses[node.inputs[0]] == 1) {
      const std::size_t index = producer_in_kept[node.inputs[0]];
      Node& producer = kept[index];
      if (producer.outputs.size() == 1 && absorb(producer, node)) {
        producer.outputs = node.outputs;
        producer_in_kept[node.outputs[0]] = index;
        continue;
      }
    }
    for (const ValueId value : node.outputs) producer_in_kept[value] = kept.size();
    kept.push_back(std::move(node));
  }
  graph.nodes = std::move(kept);
  graph.remove_dead();
}

}  // namespace octavo::graph
