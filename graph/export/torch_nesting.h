// SPDX-License-Identifier: Apache-2.0
// Which modules stand in which: steps as one module. Internal to the exporter.
#pragma once

#include <optional>
#include <vector>

#include "graph/export/torch_exporter.h"
#include "graph/export/torch_steps.h"

namespace octavo::graph {

/// Modules of each step, in a row.
using TorchRows = std::vector<std::vector<TorchDocument::Ref>>;

/// Sequential and ConcatTable within each other, of a graph of one input and one output where each step is needed once
/// on the way; nothing when the graph is not of that kind.
[[nodiscard]] std::optional<TorchDocument::Ref> nest_torch(const Graph& graph, const std::vector<TorchStep>& steps,
                                                           const TorchRows& rows, TorchModules& out);

/// A gModule of nngraph: any graph.
[[nodiscard]] TorchDocument::Ref graph_torch(const Graph& graph, const std::vector<TorchStep>& steps,
                                             const TorchRows& rows, TorchModules& out);

}  // namespace octavo::graph
