// SPDX-License-Identifier: Apache-2.0
// See graph/export/onnx.h.
#include "graph/export/onnx.h"

#include "graph/check.h"
#include "graph/export/onnx_exporter.h"
#include "graph/placed_error.h"

namespace octavo::graph {

std::string export_onnx(const Graph& graph) {
  verify(graph);
  std::vector<std::string> names;
  for (const Value& value : graph.values) names.push_back(value.name);
  OnnxWriter writer(names);
  for (const Node& node : graph.nodes) {
    try {
      OnnxNodeExporter(graph, node, writer).run();
    } catch (const Error& error) {
      throw placed(error, place_of(node));
    }
  }
  for (const ValueId value : graph.outputs) writer.output(graph.values[value].name, graph.values[value].shape);
  return writer.finish(graph.name);
}

}  // namespace octavo::graph
