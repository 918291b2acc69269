// SPDX-License-Identifier: Apache-2.0
// See graph/export/tensorflow.h.
#include "graph/export/tensorflow.h"

#include <vector>

#include "graph/check.h"
#include "graph/export/tensorflow_exporter.h"
#include "graph/placed_error.h"
#include "octavo/error.h"

namespace octavo::graph {

std::string export_tensorflow(const Graph& graph) {
  std::vector<std::string> values;
  for (const Value& value : graph.values) values.push_back(value.name);
  TensorflowWriter writer(values);
  TensorflowNames names;
  for (const Node& node : graph.nodes) {
    try {
      TensorflowNodeExporter(graph, node, writer, names).run();
    } catch (const Error& error) {
      throw placed(error, place_of(node));
    }
  }
  return writer.finish();
}

}  // namespace octavo::graph
