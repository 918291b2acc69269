// SPDX-License-Identifier: Apache-2.0
// The graph as a data structure: see graph/graph.h.
#include "graph/graph.h"

#include <algorithm>
#include <utility>

#include "graph/check.h"

namespace octavo::graph {

std::string place_of(const Node& node) { return fmt::format("layer '{}' ({})", node.name, op_name(node.op)); }

ValueId Graph::add_value(std::string value_name) {
  const auto taken = [this](const std::string& candidate) {
    return std::any_of(values.begin(), values.end(), [&](const Value& value) { return value.name == candidate; });
  };
  std::string unique = value_name;
  for (int suffix = 1; taken(unique); ++suffix) unique = fmt::format("{}_{}", value_name, suffix);
  values.push_back({std::move(unique), {}});
  return values.size() - 1;
}

Node& Graph::add_node(std::string node_name, Op op, std::vector<ValueId> inputs, std::vector<ValueId> node_outputs) {
  return nodes.emplace_back(Node{std::move(node_name), std::move(op), std::move(inputs), std::move(node_outputs)});
}

std::vector<const Node*> Graph::inputs() const {
  std::vector<const Node*> found;
  for (const Node& node : nodes) {
    if (std::holds_alternative<Input>(node.op)) found.push_back(&node);
  }
  return found;
}

const Node* Graph::producer(ValueId value) const {
  for (const Node& node : nodes) {
    if (std::find(node.outputs.begin(), node.outputs.end(), value) != node.outputs.end()) return &node;
  }
  return nullptr;
}

std::vector<const Node*> Graph::consumers(ValueId value) const {
  std::vector<const Node*> found;
  for (const Node& node : nodes) {
    if (std::find(node.inputs.begin(), node.inputs.end(), value) != node.inputs.end()) found.push_back(&node);
  }
  return found;
}

const Node* Graph::find_node(std::string_view node_name) const {
  const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) { return node.name == node_name; });
  return found == nodes.end() ? nullptr : &*found;
}

void Graph::remove_dead() {
  std::vector<bool> needed(values.size(), false);
  for (const ValueId value : outputs) needed.at(value) = true;
  std::vector<Node> kept;
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    const bool alive =
        std::any_of(node->outputs.begin(), node->outputs.end(), [&](ValueId value) { return needed.at(value); });
    if (!alive) continue;
    for (const ValueId value : node->inputs) needed.at(value) = true;
    for (const ValueId value : node->outputs) needed.at(value) = true;  // a sibling of a needed value has to exist
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  nodes = std::move(kept);

  std::vector<ValueId> renumbered(values.size(), 0);
  std::vector<Value> used;
  for (ValueId value = 0; value < values.size(); ++value) {
    if (!needed[value]) continue;
    renumbered[value] = used.size();
    used.push_back(std::move(values[value]));
  }
  values = std::move(used);
  const auto renumber = [&](std::vector<ValueId>& ids) {
    for (ValueId& value : ids) value = renumbered[value];
  };
  for (Node& node : nodes) {
    renumber(node.inputs);
    renumber(node.outputs);
  }
  renumber(outputs);
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for (Node& node : nodes) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  std::replace(outputs.begin(), outputs.end(), from, to);
}

}  // namespace octavo::graph
