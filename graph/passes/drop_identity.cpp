// SPDX-License-Identifier: Apache-2.0
// Identity nodes go: see graph/passes/passes.h.
#include <numeric>
#include <utility>
#include <vector>

#include "graph/passes/absorb.h"
#include "graph/passes/passes.h"

namespace octavo::graph {
namespace {

class IdentityDropper {
 public:
  explicit IdentityDropper(Graph& graph)
      : graph_(graph), stands_for_(graph.values.size()), named_(graph.values.size(), false) {
    std::iota(stands_for_.begin(), stands_for_.end(), ValueId{0});
    for (const ValueId value : graph.outputs) named_[value] = true;
    // The name of a network input is its user's word for it.
    for (const Node* input : graph.inputs()) named_[input->outputs[0]] = true;
  }

  void run() {
    std::vector<Node> kept;
    for (Node& node : graph_.nodes) {
      for (ValueId& value : node.inputs) value = stands_for_[value];
      if (std::holds_alternative<Identity>(node.op))
        std::erase_if(node.outputs, [&](ValueId copy) { return drop(node.inputs[0], copy); });
      if (!node.outputs.empty()) kept.push_back(std::move(node));
    }
    graph_.nodes = std::move(kept);
    for (ValueId& value : graph_.outputs) value = stands_for_[value];
    graph_.remove_dead();
  }

 private:
  /// Lets `original` stand for `copy`. Not when both have names that have to survive.
  bool drop(ValueId original, ValueId copy) {
    if (named_[copy]) {
      if (named_[original]) return false;
      std::swap(graph_.values[original].name, graph_.values[copy].name);
      named_[original] = true;
    }
    stands_for_[copy] = original;
    return true;
  }

  Graph& graph_;
  std::vector<ValueId> stands_for_;
  std::vector<bool> named_;  ///< the value's name has to survive
};

}  // namespace

void drop_identity(Graph& graph) { IdentityDropper(graph).run(); }

}  // namespace octavo::graph
