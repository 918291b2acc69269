// SPDX-License-Identifier: Apache-2.0
// A network as data: nodes in topological order over named values. A plain value type: copying a Graph copies its
// structure and shares its (immutable) blobs. Passes are functions Graph -> Graph.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/ops.h"

namespace octavo::graph {

using ValueId = std::size_t;

struct Value {
  std::string name;  ///< unique within the graph
  Shape shape;       ///< empty until infer_shapes() (a scalar is [1])
};

struct Node {
  std::string name;  ///< the layer's name in the source file; unique within the graph
  Op op;
  std::vector<ValueId> inputs, outputs;
};

class Graph {
 public:
  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;       ///< every node after those that produce its inputs; Input nodes included
  std::vector<ValueId> outputs;  ///< what predict() returns, in order

  /// Adds a value; makes the name unique by a suffix if it is taken.
  ValueId add_value(std::string value_name);
  Node& add_node(std::string node_name, Op op, std::vector<ValueId> inputs, std::vector<ValueId> node_outputs);

  [[nodiscard]] std::vector<const Node*> inputs() const;    ///< Input nodes, in order
  [[nodiscard]] const Node* producer(ValueId value) const;  ///< null if none (an invalid graph)
  [[nodiscard]] std::vector<const Node*> consumers(ValueId value) const;
  [[nodiscard]] const Node* find_node(std::string_view node_name) const;
  /// Drops nodes that no output needs and values that no node uses; renumbers values.
  void remove_dead();
  /// Every use of `from` (by nodes and by outputs) becomes a use of `to`.
  void replace_uses(ValueId from, ValueId to);
};

/// Throws Error(invalid_argument) that names the node and what is wrong: order, arity, unique names and producers,
/// attributes in range, blob sizes (and, where shapes are known, that they follow from the inputs').
void verify(const Graph& graph);

/// Fills every value's shape. `input_shapes` overrides shapes of Input nodes by node name. Throws
/// Error(invalid_argument) that names the node, its inputs' shapes and the rule that they break. Limits a value to 2^40
/// elements.
void infer_shapes(Graph& graph, const std::map<std::string, Shape>& input_shapes = {});

/// A line a node: `%pool1:[1,64,112,112] = Pool(%conv1) {kind=max kernel=[2,2] ...}  # pool1`; blobs as shape and type.
[[nodiscard]] std::string print(const Graph& graph);

}  // namespace octavo::graph
