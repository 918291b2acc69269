// SPDX-License-Identifier: Apache-2.0
// Branches: a condition that is known takes one of them; of one that the network computes, both are computed, and the
// values of one are selected.
#include <optional>
#include <utility>

#include "graph/check.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {
namespace {

/// The node that decides which of the two values is there, and whether the first is the one for true.
struct Decision {
  std::string name;
  TensorflowValuePtr condition;
  bool first_if_true = false;
};

std::optional<Decision> decision_between(const TensorflowValue& a, const TensorflowValue& b) {
  for (const auto& [name, branch] : a.conditions) {
    const auto other = b.conditions.find(name);
    if (other != b.conditions.end() && other->second.taken_if != branch.taken_if) {
      return Decision{name, branch.condition, branch.taken_if};
    }
  }
  return std::nullopt;
}

ImportedValue in_plain_order(TensorflowNode& node, const TensorflowValuePtr& condition) {
  if (!condition->plain) node.unsupported("a condition that is a map");
  return *condition->plain;
}

}  // namespace

/// Outputs: the value where the condition is false, and where it is true.
void convert_tensorflow_switch(TensorflowNode& node) {
  std::vector<TensorflowValue> values{node.value(0), node.value(0)};
  const TensorflowValue& condition = node.value(1);
  for (const bool branch : {false, true}) {
    TensorflowValue& value = values[branch ? 1 : 0];
    value.unscaled = nullptr;
    if (condition.plain && condition.plain->is_constant()) {
      const bool known = known_number(*condition.plain, "condition") != 0.0F;
      value.dead = known != branch;
    } else {
      value.conditions[node.definition().inputs[1]] = {branch, node.shared_value(1)};
    }
  }
  node.outputs(std::move(values));
}

/// Outputs: the value that is there, and the number of the input that it came from.
void convert_tensorflow_merge(TensorflowNode& node) {
  if (node.input_count() == 0) TensorflowNode::malformed("it has no inputs");
  std::vector<std::size_t> alive;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (!node.value(i).dead) alive.push_back(i);
  }
  if (alive.empty()) {
    TensorflowValue dead;
    dead.dead = true;
    node.outputs({dead, dead});
    return;
  }
  const auto number = [](std::size_t i) {
    return tensorflow_value(TensorflowNode::constant_value(
        make_tensor(ElementType::int32, {}, std::vector<std::int64_t>{static_cast<std::int64_t>(i)})));
  };
  if (alive.size() == 1) {
    node.outputs({node.value(alive[0]), number(alive[0])});
    return;
  }
  const auto decision = alive.size() == 2 ? decision_between(node.value(alive[0]), node.value(alive[1])) : std::nullopt;
  if (!decision) TensorflowNode::unsupported("branches whose condition cannot be found");
  const std::size_t if_true = alive[decision->first_if_true ? 0 : 1], if_false = alive[decision->first_if_true ? 1 : 0];
  require(node.shape(if_true) == node.shape(if_false), "branches of shapes {} and {}", to_text(node.shape(if_true)),
          to_text(node.shape(if_false)));
  const ImportedValue chosen =
      node.select(in_plain_order(node, decision->condition), node.in(if_true), node.in(if_false));
  TensorflowValue value = tensorflow_value(chosen);
  for (const std::size_t i : alive) {
    value.conditions.insert(node.value(i).conditions.begin(), node.value(i).conditions.end());
  }
  value.conditions.erase(decision->name);
  node.outputs({std::move(value)});
}

/// Nodes that are there for what they do.
void convert_tensorflow_nothing(TensorflowNode& node) { node.outputs({}); }

void convert_tensorflow_placeholder(TensorflowNode&) {
  TensorflowNode::unsupported("a placeholder that is not among the inputs", "name it as an input");
}

}  // namespace octavo::graph
