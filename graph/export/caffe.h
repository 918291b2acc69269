// SPDX-License-Identifier: Apache-2.0
// A graph as a Caffe network.
#pragma once

#include <string>

#include "graph/graph.h"

namespace octavo::graph {

struct CaffeExport {
  std::string prototxt;    ///< the topology in text
  std::string caffemodel;  ///< the topology and the numbers, in binary
};

/// Shapes have to be inferred. Throws Error(unsupported) that names the first node that Caffe cannot say; 8-bit weights
/// are among them.
[[nodiscard]] CaffeExport export_caffe(const Graph& graph);

}  // namespace octavo::graph
