// SPDX-License-Identifier: Apache-2.0
// A graph as a Torch7 network.
#pragma once

#include <string>

#include "graph/graph.h"

namespace octavo::graph {

/// The bytes of a binary `.t7` file: modules of nn (of cudnn for convolutions in groups), nested where the graph is
/// series-parallel, else an nngraph gModule. Weights are fp32: 8-bit ones become what they stand for. Modules have the
/// names of their nodes. Takes a graph at any stage up to `quantized`, shapes known; the shapes of its inputs are not
/// part of the file. Throws Error(unsupported) that names the first node that Torch7 cannot say.
[[nodiscard]] std::string export_torch(const Graph& graph);

}  // namespace octavo::graph
