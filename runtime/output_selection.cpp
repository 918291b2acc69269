// SPDX-License-Identifier: Apache-2.0
// Choosing a graph's outputs by name.
#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "graph/near_names.h"
#include "octavo/error.h"
#include "runtime/program_builder.h"

namespace octavo::runtime {
namespace {

/// Every name that an output may be asked for by.
std::vector<std::string> output_names(const graph::Graph& graph) {
  std::vector<std::string> names;
  for (const graph::Value& value : graph.values) names.push_back(value.name);
  for (const graph::Node& node : graph.nodes)
    if (std::find(names.begin(), names.end(), node.name) == names.end()) names.push_back(node.name);
  return names;
}

std::optional<graph::ValueId> find_output(const graph::Graph& graph, std::string_view name) {
  for (graph::ValueId id = 0; id < graph.values.size(); ++id)
    if (graph.values[id].name == name) return id;
  const graph::Node* const node = graph.find_node(name);
  if (node != nullptr && !node->outputs.empty()) return node->outputs.front();
  return std::nullopt;
}

}  // namespace

graph::Graph select_outputs(graph::Graph graph, const std::vector<std::string>& names) {
  std::vector<graph::ValueId> outputs;
  for (const std::string& name : names) {
    const std::optional<graph::ValueId> found = find_output(graph, name);
    if (!found) {
      throw Error(ErrorKind::invalid_argument, "no layer or tensor is called '" + name + "'", graph.name,
                  graph::near_names_hint(name, output_names(graph)));
    }
    outputs.push_back(*found);
  }
  graph.outputs = std::move(outputs);
  graph.remove_dead();
  return graph;
}

}  // namespace octavo::runtime
