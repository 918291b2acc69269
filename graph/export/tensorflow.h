// SPDX-License-Identifier: Apache-2.0
// TensorFlow out: a graph as a frozen GraphDef.
#pragma once

#include <string>

#include "graph/graph.h"

namespace octavo::graph {

/// A frozen graph in TensorFlow's binary form, maps and pictures in its order [N, H, W, C]; 8-bit weights as the fp32
/// numbers that they stand for. Shapes must be inferred. Throws Error(unsupported) that names the first layer that
/// TensorFlow cannot say.
[[nodiscard]] std::string export_tensorflow(const Graph& graph);

}  // namespace octavo::graph
