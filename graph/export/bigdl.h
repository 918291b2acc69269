// SPDX-License-Identifier: Apache-2.0
// A graph as a BigDL model.
#pragma once

#include <string>

#include "graph/graph.h"

namespace octavo::graph {

/// The bytes of a BigDL model (protobuf, a StaticGraph with the numbers inside) that BigDL 0.3 and later, and octavo,
/// read. Shapes have to be inferred. 8-bit weights become BigDL's quantized layers, which have one scale for each
/// output channel. Throws Error(unsupported) that names the first node that BigDL cannot say.
[[nodiscard]] std::string export_bigdl(const Graph& graph);

}  // namespace octavo::graph
