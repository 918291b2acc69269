// SPDX-License-Identifier: Apache-2.0
// A graph as what Torch7 has modules for: the nodes, but those that are one module together (the arithmetic of a
// LogSoftMax) or only the parameter of one (a constant) taken together. Internal to the exporter.
#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"

namespace octavo::graph {

/// What becomes a module, or a few in a row: a value made of other values.
struct TorchStep {
  enum class Form {
    plain,        ///< the node as it is
    log_softmax,  ///< x - log(sum(exp(x)))
    lookup,       ///< an Embed whose indices count from 1
    batch_norm,   ///< a BatchNorm and the Scale behind it
    threshold,    ///< a Select by a threshold
    replicate,    ///< a Tile along a new dimension
  };
  Form form = Form::plain;
  const Node* node = nullptr;   ///< that makes the value
  const Node* first = nullptr;  ///< the first of those taken together, if it has numbers of its own
  std::vector<ValueId> inputs;  ///< without constants
  ValueId output = 0;
  std::size_t part = 0;  ///< which of the node's outputs
};

/// In the graph's order. Constants, and what no output needs, are no steps.
[[nodiscard]] std::vector<TorchStep> torch_steps(const Graph& graph);

/// Who makes a value, and how many read it.
class TorchUses {
 public:
  explicit TorchUses(const Graph& graph);
  [[nodiscard]] const Node* maker(ValueId value) const { return makers_[value]; }
  /// The maker, if it is of this op and nothing else reads the value.
  template <class T>
  [[nodiscard]] const Node* private_maker(ValueId value) const {
    const Node* node = makers_[value];
    return node != nullptr && readers_[value] == 1 && std::holds_alternative<T>(node->op) ? node : nullptr;
  }
  /// The numbers of a Constant, or null.
  [[nodiscard]] BlobPtr constant(ValueId value) const;
  /// The one node that reads the value, or null.
  [[nodiscard]] const Node* only_reader(ValueId value) const { return readers_[value] == 1 ? reader_[value] : nullptr; }

 private:
  std::vector<const Node*> makers_, reader_;
  std::vector<int> readers_;  ///< nodes, and the graph's outputs
};

}  // namespace octavo::graph
