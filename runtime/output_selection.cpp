// SPDX-License-Identifier: Apache-2.0
// Choosing a graph's outputs by name.
#include <algorithm>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

#include "octavo/error.h"
#include "runtime/program_builder.h"

namespace octavo::runtime {
namespace {

/// Levenshtein's: insertions, deletions and replacements.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

/// The names closest to `wanted`, best first.
std::string near_names(const graph::Graph& graph, std::string_view wanted) {
  constexpr std::size_t kListed = 5;
  std::vector<std::pair<std::size_t, std::string_view>> candidates;
  for (const graph::Value& value : graph.values) candidates.emplace_back(edit_distance(value.name, wanted), value.name);
  for (const graph::Node& node : graph.nodes) candidates.emplace_back(edit_distance(node.name, wanted), node.name);
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  std::string text;
  for (std::size_t i = 0; i < std::min(kListed, candidates.size()); ++i)
    text += (text.empty() ? "" : ", ") + std::string(candidates[i].second);
  return text;
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
                  "names near it: " + near_names(graph, name));
    }
    outputs.push_back(*found);
  }
  graph.outputs = std::move(outputs);
  graph.remove_dead();
  return graph;
}

}  // namespace octavo::runtime
