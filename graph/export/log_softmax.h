// SPDX-License-Identifier: Apache-2.0
// Where a graph takes the logarithm of a softmax: x - log(sum(exp(x))), for which formats have a layer.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace octavo::graph {

/// subtract(x, reshape(log_sum_exp(x along axis 1))) on rows [N, features]; nothing else reads the two nodes before.
struct LogSoftmaxNodes {
  const Node* last = nullptr;  ///< the difference; x is its first input
  const Node* reduction = nullptr;
  const Node* between = nullptr;
};
[[nodiscard]] std::vector<LogSoftmaxNodes> find_log_softmax(const Graph& graph);

/// Whether one node reads the value, and it is no output.
[[nodiscard]] bool read_once(const Graph& graph, ValueId value);

}  // namespace octavo::graph
