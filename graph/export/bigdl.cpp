// SPDX-License-Identifier: Apache-2.0
// See graph/export/bigdl.h.
#include "graph/export/bigdl.h"

#include "graph/check.h"
#include "graph/export/bigdl_exporter.h"
#include "graph/placed_error.h"

namespace octavo::graph {

std::string export_bigdl(const Graph& graph) {
  verify(graph);
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.name);
  const BigdlPatterns patterns = find_bigdl_patterns(graph);
  BigdlWriter writer(names);
  BigdlSources sources;
  for (const Node& node : graph.nodes) {
    try {
      if (!patterns.covered.contains(&node)) BigdlNodeExporter(graph, node, patterns, writer, sources).run();
    } catch (const Error& error) {
      throw placed(error, place_of(node));
    }
  }
  for (const ValueId value : graph.outputs) {
    const auto made = sources.find(value);
    if (made == sources.end()) {
      throw Error(ErrorKind::unsupported, "BigDL cannot say an output of constants", graph.values[value].name);
    }
    writer.output(made->second);
  }
  return writer.finish(graph.name);
}

}  // namespace octavo::graph
