// SPDX-License-Identifier: Apache-2.0
// Series-parallel graphs as nests of modules: see graph/export/torch_nesting.h.
#include "graph/export/torch_nesting.h"

#include <algorithm>
#include <utility>

namespace octavo::graph {
namespace {

constexpr int kDeepestNest = 64;  // modules within modules, as readers of such files can take them

class Nester {
 public:
  Nester(const Graph& graph, const std::vector<TorchStep>& steps, const TorchRows& rows, TorchModules& out)
      : steps_(steps),
        rows_(rows),
        out_(out),
        maker_(graph.values.size(), kNone),
        gate_(graph.values.size(), kNone),
        depth_(graph.values.size(), 0),
        used_(steps.size(), false) {
    for (std::size_t i = 0; i < steps.size(); ++i) maker_[steps[i].output] = i;
  }

  std::optional<TorchDocument::Ref> run(ValueId input, ValueId output) {
    if (!find_gates(input)) return std::nullopt;
    const auto row = between(input, output, 0);
    if (!row || std::count(used_.begin(), used_.end(), false) != 0) return std::nullopt;
    return out_.container("Sequential", *row);
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  using Row = std::vector<TorchDocument::Ref>;

  /// The gate of a value: the last one before it that everything on the way to it goes through.
  bool find_gates(ValueId input) {
    gate_[input] = input;
    for (const TorchStep& step : steps_) {
      if (step.inputs.empty()) return false;
      ValueId gate = step.inputs[0];
      if (gate_[gate] == kNone) return false;
      for (const ValueId other : step.inputs) {
        if (gate_[other] == kNone) return false;
        gate = common(gate, other);
      }
      gate_[step.output] = gate;
      depth_[step.output] = depth_[gate] + 1;
    }
    return true;
  }

  [[nodiscard]] ValueId common(ValueId a, ValueId b) const {
    while (a != b) {
      ValueId& deeper = depth_[a] >= depth_[b] ? a : b;
      deeper = gate_[deeper];
    }
    return a;
  }

  /// The modules from one value to another that it is a gate of.
  std::optional<Row> between(ValueId from, ValueId to, int depth) {
    if (depth > kDeepestNest) return std::nullopt;
    Row row;  // from its end
    while (to != from) {
      const std::size_t at = maker_[to];
      if (at == kNone || used_[at]) return std::nullopt;
      used_[at] = true;
      row.insert(row.end(), rows_[at].rbegin(), rows_[at].rend());
      const TorchStep& step = steps_[at];
      if (step.inputs.size() == 1) {
        to = step.inputs[0];
        continue;
      }
      Row branches;
      for (const ValueId input : step.inputs) {
        const auto branch = between(gate_[to], input, depth + 1);
        if (!branch) return std::nullopt;
        branches.push_back(out_.in_a_row(*branch));
      }
      row.push_back(out_.container("ConcatTable", branches));
      to = gate_[to];
    }
    std::reverse(row.begin(), row.end());
    return row;
  }

  const std::vector<TorchStep>& steps_;
  const TorchRows& rows_;
  TorchModules& out_;
  std::vector<std::size_t> maker_;
  std::vector<ValueId> gate_;
  std::vector<int> depth_;
  std::vector<bool> used_;
};

}  // namespace

std::optional<TorchDocument::Ref> nest_torch(const Graph& graph, const std::vector<TorchStep>& steps,
                                             const TorchRows& rows, TorchModules& out) {
  const auto inputs = graph.inputs();
  if (inputs.size() != 1 || graph.outputs.size() != 1) return std::nullopt;
  return Nester(graph, steps, rows, out).run(inputs[0]->outputs[0], graph.outputs[0]);
}

}  // namespace octavo::graph
