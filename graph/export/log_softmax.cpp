// SPDX-License-Identifier: Apache-2.0
// See graph/export/log_softmax.h.
#include "graph/export/log_softmax.h"

#include <algorithm>

#include "graph/axes.h"

namespace octavo::graph {

bool read_once(const Graph& graph, ValueId value) {
  return graph.consumers(value).size() == 1 && std::ranges::find(graph.outputs, value) == graph.outputs.end();
}

std::vector<LogSoftmaxNodes> find_log_softmax(const Graph& graph) {
  std::vector<LogSoftmaxNodes> found;
  for (const Node& last : graph.nodes) {
    const auto* const binary = std::get_if<Binary>(&last.op);
    if (binary == nullptr || binary->kind != BinaryKind::subtract) continue;
    if (graph.values[last.inputs[0]].shape.size() != 2) continue;
    const Node* const between = graph.producer(last.inputs[1]);
    if (between == nullptr || !std::holds_alternative<Reshape>(between->op)) continue;
    const Node* const reduction = graph.producer(between->inputs[0]);
    const auto* const op = reduction == nullptr ? nullptr : std::get_if<Reduction>(&reduction->op);
    if (op == nullptr || op->kind != ReductionKind::log_sum_exp || op->coefficient != 1.0F ||
        canonical_axis(op->axis, 2) != 1 || reduction->inputs[0] != last.inputs[0]) {
      continue;
    }
    if (read_once(graph, reduction->outputs[0]) && read_once(graph, between->outputs[0])) {
      found.push_back({&last, reduction, between});
    }
  }
  return found;
}

}  // namespace octavo::graph
