// SPDX-License-Identifier: Apache-2.0
// The one pattern of most passes: a node that does little joins the node that makes its input.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "graph/graph.h"

namespace octavo::graph {

/// For each value, how many node inputs and network outputs read it.
[[nodiscard]] std::vector<std::size_t> use_counts(const Graph& graph);

/// For each value, the index of the node that makes it; nodes.size() for none.
[[nodiscard]] std::vector<std::size_t> producer_indices(const Graph& graph);

/// Offers each node with one input and one output to the one-output node that makes its input, provided that nothing
/// else reads that input. `absorb` either takes the follower's work into the producer's op and returns true, or changes
/// nothing and returns false. A producer that absorbed makes the follower's output, under its name, at its own place;
/// it may absorb several in a row.
void absorb_followers(Graph& graph, const std::function<bool(Node& producer, const Node& follower)>& absorb);

}  // namespace octavo::graph
