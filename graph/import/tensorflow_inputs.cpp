// SPDX-License-Identifier: Apache-2.0
// Inputs that a network reads as pictures become [N, C, H, W]: see graph/import/tensorflow_importer.h.
#include <algorithm>
#include <optional>
#include <utility>

#include "graph/import/tensorflow_importer.h"

namespace octavo::graph {
namespace {

/// The readers of a value that is no output of the network; nothing if it is one, or has not exactly one reader.
std::optional<std::size_t> only_reader(const Graph& graph, ValueId value) {
  if (std::find(graph.outputs.begin(), graph.outputs.end(), value) != graph.outputs.end()) return std::nullopt;
  std::optional<std::size_t> reader;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto& inputs = graph.nodes[i].inputs;
    const auto count = std::count(inputs.begin(), inputs.end(), value);
    if (count > 1 || (count == 1 && reader)) return std::nullopt;
    if (count == 1) reader = i;
  }
  return reader;
}

/// `shape`: [N, H, W, C]. With a single channel the permutation is a matter of the shape alone.
bool turns_channels_first(const Node& node, const Shape& shape) {
  if (const auto* permute = std::get_if<Permute>(&node.op))
    return permute->order == std::vector<std::int64_t>{0, 3, 1, 2};
  const auto* reshape = std::get_if<Reshape>(&node.op);
  if (reshape == nullptr || shape[3] != 1 || reshape->axis != 0 || reshape->num_axes != -1) return false;
  const auto& dims = reshape->dims;
  return dims.size() == 4 && (dims[0] == 0 || dims[0] == shape[0]) && dims[1] == 1 && dims[2] == shape[1] &&
         dims[3] == shape[2];
}

/// Whether the node does the same to [N, C, H, W], and how it says so.
bool moved_to_channels_first(Op& op) {
  if (std::holds_alternative<Unary>(op)) return true;
  auto* scale = std::get_if<Scale>(&op);
  if (scale == nullptr || (!scale->factor && !scale->offset)) return false;
  const Shape& shape = scale->factor ? scale->factor->shape : scale->offset->shape;
  if (shape.empty()) return true;
  if (shape.size() != 1 || (scale->axis != -1 && scale->axis != 3)) return false;
  scale->axis = 1;
  return true;
}

/// From the input through functions of each number or channel to the permutation.
void take_input(Graph& graph, std::size_t input) {
  std::vector<std::pair<std::size_t, Op>> between;
  ValueId value = graph.nodes[input].outputs[0];
  std::optional<std::size_t> reader;
  while ((reader = only_reader(graph, value))) {
    Node& node = graph.nodes[*reader];
    if (turns_channels_first(node, std::get<Input>(graph.nodes[input].op).shape)) break;
    Op op = node.op;
    if (node.inputs.size() != 1 || !moved_to_channels_first(op)) return;
    between.emplace_back(*reader, std::move(op));
    value = node.outputs[0];
  }
  if (!reader) return;
  auto& shape = std::get<Input>(graph.nodes[input].op).shape;
  shape = image_shape(shape);
  graph.values[graph.nodes[input].outputs[0]].shape = shape;
  for (auto& [node, op] : between) {
    graph.nodes[node].op = std::move(op);
    graph.values[graph.nodes[node].outputs[0]].shape = shape;
  }
  graph.replace_uses(graph.nodes[*reader].outputs[0], value);
}

}  // namespace

void take_inputs_channels_first(Graph& graph) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto* input = std::get_if<Input>(&graph.nodes[i].op);
    if (input != nullptr && input->shape.size() == 4) take_input(graph, i);
  }
  graph.remove_dead();
}

}  // namespace octavo::graph
