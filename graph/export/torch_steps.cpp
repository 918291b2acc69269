// SPDX-License-Identifier: Apache-2.0
// See graph/export/torch_steps.h.
#include "graph/export/torch_steps.h"

#include <algorithm>
#include <set>

#include "graph/axes.h"

namespace octavo::graph {
namespace {

/// Over which axis SoftMax and LogSoftMax go.
std::int64_t torch_channel_axis(std::size_t rank) { return rank == 2 || rank == 4 ? 1 : 0; }

class StepFinder {
 public:
  explicit StepFinder(const Graph& graph) : graph_(graph), uses_(graph), needed_(graph.values.size(), false) {
    for (const ValueId output : graph.outputs) needed_[output] = true;
  }

  std::vector<TorchStep> run() {
    // From the end, so that what is taken together, and what nothing needs, is known before its first node is met.
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
      if (taken_.contains(&*node) || std::holds_alternative<Input>(node->op) ||
          std::holds_alternative<Constant>(node->op)) {
        continue;
      }
      for (std::size_t i = node->outputs.size(); i-- > 0;) {
        if (needed_[node->outputs[i]]) add(*node, i);
      }
    }
    std::reverse(steps_.begin(), steps_.end());
    return std::move(steps_);
  }

 private:
  [[nodiscard]] const Shape& shape(ValueId value) const { return graph_.values[value].shape; }

  void add(const Node& node, std::size_t part) {
    TorchStep step;
    step.node = &node;
    step.part = part;
    step.output = node.outputs[part];
    for (const ValueId input : node.inputs) {
      if (!uses_.constant(input)) step.inputs.push_back(input);
    }
    if (std::holds_alternative<Crop>(node.op) && step.inputs.size() > 1)
      step.inputs.pop_back();  // only lends its shape
    match(step);
    for (const ValueId input : step.inputs) needed_[input] = true;
    steps_.push_back(std::move(step));
  }

  void match(TorchStep& step) {
    const bool found = match_log_softmax(step) || match_lookup(step) || match_batch_norm(step) ||
                       match_threshold(step) || match_replicate(step);
    if (!found) step.form = TorchStep::Form::plain;
  }

  /// Subtract(x, [Reshape](Reduction log_sum_exp([Permute](x)))), along the channels.
  bool match_log_softmax(TorchStep& step) {
    const auto* minus = std::get_if<Binary>(&step.node->op);
    if (minus == nullptr || minus->kind != BinaryKind::subtract) return false;
    const ValueId x = step.node->inputs[0];
    const std::size_t rank = shape(x).size();
    if (rank == 0 || rank > 4) return false;
    const std::int64_t axis = torch_channel_axis(rank);
    ValueId value = step.node->inputs[1];
    Shape kept = shape(x);
    kept[static_cast<std::size_t>(axis)] = 1;
    const Node* reshape = uses_.private_maker<Reshape>(value);
    if (shape(value) != kept && !(rank == 1 && element_count(shape(value)) == 1)) return false;
    if (reshape != nullptr) value = reshape->inputs[0];
    const Node* reduction = uses_.private_maker<Reduction>(value);
    if (reduction == nullptr) return false;
    const auto& op = std::get<Reduction>(reduction->op);
    const ValueId reduced = reduction->inputs[0];
    const auto last = static_cast<std::int64_t>(rank) - 1;
    if (op.kind != ReductionKind::log_sum_exp || op.coefficient != 1.0F || shape(reduced).size() != rank ||
        canonical_axis(op.axis, last + 1) != last) {
      return false;
    }
    const Node* permute = nullptr;
    if (reduced != x) {
      permute = uses_.private_maker<Permute>(reduced);
      if (permute == nullptr || permute->inputs[0] != x) return false;
      std::vector<std::int64_t> order;
      for (std::int64_t d = 0; d <= last; ++d) {
        if (d != axis) order.push_back(d);
      }
      order.push_back(axis);
      if (complete_order(std::get<Permute>(permute->op).order, last + 1) != order) return false;
    } else if (axis != last) {
      return false;
    }
    for (const Node* node : {reshape, reduction, permute}) {
      if (node != nullptr) taken_.insert(node);
    }
    step.form = TorchStep::Form::log_softmax;
    step.inputs = {x};
    return true;
  }

  /// Embed(x - 1)
  bool match_lookup(TorchStep& step) {
    if (!std::holds_alternative<Embed>(step.node->op)) return false;
    const Node* shift = uses_.private_maker<Unary>(step.node->inputs[0]);
    if (shift == nullptr) return false;
    const auto& op = std::get<Unary>(shift->op);
    if (op.kind != UnaryKind::power || op.alpha != -1.0F || op.beta != 1.0F || op.gamma != 1.0F) return false;
    taken_.insert(shift);
    step.form = TorchStep::Form::lookup;
    step.inputs = shift->inputs;
    return true;
  }

  /// Scale of the channels(BatchNorm)
  bool match_batch_norm(TorchStep& step) {
    const auto* scale = std::get_if<Scale>(&step.node->op);
    if (scale == nullptr || step.node->inputs.size() != 1) return false;
    const Node* norm = uses_.private_maker<BatchNorm>(step.node->inputs[0]);
    const Shape& x = shape(step.node->inputs[0]);
    if (norm == nullptr || x.size() < 2) return false;
    const Shape channels{x[1]};
    const auto fits = [&](const BlobPtr& blob) { return !blob || blob->shape == channels; };
    if (canonical_axis(scale->axis, static_cast<std::int64_t>(x.size())) != 1 || !fits(scale->factor) ||
        !fits(scale->offset)) {
      return false;
    }
    taken_.insert(norm);
    step.form = TorchStep::Form::batch_norm;
    step.first = norm;
    step.inputs = norm->inputs;
    return true;
  }

  /// Select(x > limit, x, constant)
  bool match_threshold(TorchStep& step) {
    if (!std::holds_alternative<Select>(step.node->op)) return false;
    const auto& inputs = step.node->inputs;
    const Node* above = uses_.private_maker<Unary>(inputs[0]);
    const BlobPtr otherwise = uses_.constant(inputs[2]);
    const bool fits = above != nullptr && std::get<Unary>(above->op).kind == UnaryKind::threshold &&
                      above->inputs[0] == inputs[1] && otherwise && element_count(otherwise->shape) == 1;
    if (!fits) return false;
    taken_.insert(above);
    step.form = TorchStep::Form::threshold;
    step.first = above;
    step.inputs = {inputs[1]};
    return true;
  }

  /// Tile(Reshape) along a dimension that the Reshape added
  bool match_replicate(TorchStep& step) {
    const auto* tile = std::get_if<Tile>(&step.node->op);
    if (tile == nullptr) return false;
    const Node* reshape = uses_.private_maker<Reshape>(step.node->inputs[0]);
    if (reshape == nullptr) return false;
    Shape longer = shape(step.node->inputs[0]);
    const std::int64_t axis = canonical_axis(tile->axis, static_cast<std::int64_t>(longer.size()));
    if (longer[static_cast<std::size_t>(axis)] != 1) return false;
    longer.erase(longer.begin() + axis);
    if (longer != shape(reshape->inputs[0])) return false;
    taken_.insert(reshape);
    step.form = TorchStep::Form::replicate;
    step.inputs = reshape->inputs;
    return true;
  }

  const Graph& graph_;
  TorchUses uses_;
  std::vector<bool> needed_;
  std::set<const Node*> taken_;
  std::vector<TorchStep> steps_;
};

}  // namespace

TorchUses::TorchUses(const Graph& graph)
    : makers_(graph.values.size(), nullptr), reader_(graph.values.size(), nullptr), readers_(graph.values.size(), 0) {
  for (const Node& node : graph.nodes) {
    for (const ValueId value : node.outputs) makers_[value] = &node;
    for (const ValueId value : node.inputs) {
      // A node that reads a value twice, as x - f(x) does, is one reader.
      if (reader_[value] != &node) ++readers_[value];
      reader_[value] = &node;
    }
  }
  for (const ValueId value : graph.outputs) ++readers_[value];
}

BlobPtr TorchUses::constant(ValueId value) const {
  const Node* node = makers_[value];
  const auto* constant = node == nullptr ? nullptr : std::get_if<Constant>(&node->op);
  return constant == nullptr ? nullptr : constant->value;
}

std::vector<TorchStep> torch_steps(const Graph& graph) { return StepFinder(graph).run(); }

}  // namespace octavo::graph
