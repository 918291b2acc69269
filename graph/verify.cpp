// SPDX-License-Identifier: Apache-2.0
// The verifier: structure, order and names here, each op's own attributes in verify_ops.cpp. See graph/graph.h.
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "graph/check.h"
#include "graph/graph.h"
#include "graph/shape_rules.h"
#include "graph/verify_rules.h"

namespace octavo::graph {
namespace {

/// Runs `check` and gives the node as the place of whatever it throws.
template <class Check>
void at_node(const Node& node, Check check) {
  try {
    check();
  } catch (const Error& error) {
    throw Error(error.kind(), error.what(), place_of(node));
  }
}

void verify_names(const Graph& graph) {
  std::unordered_set<std::string_view> names;
  for (const Value& value : graph.values) {
    require(!value.name.empty(), "a value has no name");
    require(names.insert(value.name).second, "two values have the name '{}'", value.name);
  }
  names.clear();
  for (const Node& node : graph.nodes) {
    require(!node.name.empty(), "a layer of type {} has no name", op_name(node.op));
    require(names.insert(node.name).second, "two layers have the name '{}'", node.name);
  }
}

void verify_counts(const Node& node) {
  const Arity arity = arity_of(node.op);
  const std::size_t inputs = node.inputs.size();
  require(inputs >= arity.min_inputs && inputs <= arity.max_inputs, "{} inputs, expected {}{}", inputs,
          arity.min_inputs, arity.max_inputs > arity.min_inputs ? " or more" : "");
  require(!node.outputs.empty() && node.outputs.size() <= arity.max_outputs, "{} outputs, expected {}",
          node.outputs.size(), arity.max_outputs == 1 ? "one" : "at least one");
  if (const auto* slice = std::get_if<Slice>(&node.op); slice != nullptr && !slice->points.empty()) {
    require(slice->points.size() + 1 == node.outputs.size(), "{} slice points make {} parts, but there are {} outputs",
            slice->points.size(), slice->points.size() + 1, node.outputs.size());
  }
}

/// Inputs come from earlier nodes, so there is no cycle; each value has one producer.
void verify_edges(const Node& node, const Graph& graph, std::vector<bool>& produced) {
  for (const ValueId value : node.inputs) {
    require(value < produced.size(), "input value {} does not exist", value);
    require(produced[value], "input '{}' is not made by any layer before this one", graph.values[value].name);
  }
  for (const ValueId value : node.outputs) {
    require(value < produced.size(), "output value {} does not exist", value);
    require(!produced[value], "'{}' is made by two layers", graph.values[value].name);
    produced[value] = true;
  }
}

/// Shapes, where known, are what the op makes of its inputs'.
void verify_shapes(const Node& node, const Graph& graph) {
  Shapes inputs;
  for (const ValueId value : node.inputs) {
    inputs.push_back(graph.values[value].shape);
    if (inputs.back().empty()) return;
  }
  if (const auto* input = std::get_if<Input>(&node.op); input != nullptr && input->shape.empty()) return;
  const Shapes expected = output_shapes(node.op, inputs, node.outputs.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Value& value = graph.values[node.outputs[i]];
    require(value.shape.empty() || value.shape == expected[i], "'{}' has the shape {} instead of {}", value.name,
            to_text(value.shape), to_text(expected[i]));
  }
}

}  // namespace

void verify_structure(const Graph& graph) {
  verify_names(graph);
  std::vector<bool> produced(graph.values.size(), false);
  for (const Node& node : graph.nodes) {
    at_node(node, [&] {
      verify_op(node.op, node.inputs.size());
      verify_counts(node);
      verify_edges(node, graph, produced);
    });
  }
  require(!graph.outputs.empty(), "the network has no output");
  for (const ValueId value : graph.outputs) {
    require(value < produced.size() && produced[value], "output value {} is not made by any layer", value);
  }
}

void verify(const Graph& graph) {
  verify_structure(graph);
  for (const Node& node : graph.nodes) {
    at_node(node, [&] { verify_shapes(node, graph); });
  }
}

}  // namespace octavo::graph
