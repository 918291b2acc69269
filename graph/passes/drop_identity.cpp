// SPDX-License-Identifier: Apache-2.0
// Identity nodes go, and those that do again what was done: see graph/passes/passes.h.
#include <numeric>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "graph/passes/absorb.h"
#include "graph/passes/passes.h"

namespace octavo::graph {
namespace {

class IdentityDropper {
 public:
  explicit IdentityDropper(Graph& graph)
      : graph_(graph), uses_(use_counts(graph)), stands_for_(graph.values.size()), named_(graph.values.size(), false) {
    std::iota(stands_for_.begin(), stands_for_.end(), ValueId{0});
    for (const ValueId value : graph.outputs) named_[value] = true;
    // The name of a network input is its user's word for it.
    for (const Node* input : graph.inputs()) named_[input->outputs[0]] = true;
  }

  void run() {
    std::vector<Node> kept;
    for (Node& node : graph_.nodes) {
      // An Identity that alone reads its input is absorbed: the input takes its result's name.
      const bool alone = node.inputs.size() == 1 && node.outputs.size() == 1 && uses_[node.inputs[0]] == 1;
      for (ValueId& value : node.inputs) value = stands_for_[value];
      if (std::holds_alternative<Identity>(node.op) || repeats(node)) {
        std::erase_if(node.outputs, [&](ValueId copy) { return drop(node.inputs[0], copy, alone); });
      }
      if (node.outputs.empty()) continue;
      if (const auto* unary = std::get_if<Unary>(&node.op)) made_by_[node.outputs[0]] = unary->kind;
      kept.push_back(std::move(node));
    }
    graph_.nodes = std::move(kept);
    for (ValueId& value : graph_.outputs) value = stands_for_[value];
    graph_.remove_dead();
  }

 private:
  /// Rounding to whole numbers or to truth values what has been rounded so already.
  [[nodiscard]] bool repeats(const Node& node) const {
    const auto* unary = std::get_if<Unary>(&node.op);
    if (unary == nullptr || (unary->kind != UnaryKind::truncate && unary->kind != UnaryKind::nonzero)) return false;
    const auto before = made_by_.find(node.inputs[0]);
    return before != made_by_.end() && before->second == unary->kind;
  }

  /// Lets `original` stand for `copy`. Not when both have names that have to survive.
  bool drop(ValueId original, ValueId copy, bool alone) {
    if (named_[copy] && named_[original]) return false;
    // A value that stands for others is read by their readers, too: it keeps its name, unless an output needs another.
    const bool absorbed = alone && !named_[original] && !stood_for_.contains(original);
    if (named_[copy] || absorbed) std::swap(graph_.values[original].name, graph_.values[copy].name);
    if (named_[copy]) named_[original] = true;
    stands_for_[copy] = original;
    if (!absorbed) stood_for_.insert(original);
    return true;
  }

  Graph& graph_;
  std::vector<std::size_t> uses_;
  std::vector<ValueId> stands_for_;
  std::unordered_map<ValueId, UnaryKind> made_by_;  ///< values of Unary nodes
  std::unordered_set<ValueId> stood_for_;           ///< stand for values that not they alone led to
  std::vector<bool> named_;                         ///< the value's name has to survive
};

}  // namespace

void drop_identity(Graph& graph) { IdentityDropper(graph).run(); }

}  // namespace octavo::graph
