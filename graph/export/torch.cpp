// SPDX-License-Identifier: Apache-2.0
// See graph/export/torch.h.
#include "graph/export/torch.h"

#include "graph/check.h"
#include "graph/export/torch_nesting.h"
#include "graph/placed_error.h"

namespace octavo::graph {

std::string export_torch(const Graph& graph) {
  verify(graph);
  const std::vector<TorchStep> steps = torch_steps(graph);
  TorchModules modules;
  TorchRows rows;
  for (const TorchStep& step : steps) {
    try {
      if (step.inputs.empty()) fail("a value that depends on no input");
      rows.push_back(TorchStepExporter(graph, step, modules).run());
    } catch (const Error& error) {
      throw placed(error, ErrorKind::unsupported, place_of(*step.node));
    }
  }
  for (const ValueId output : graph.outputs) {
    const Node* maker = graph.producer(output);
    if (std::holds_alternative<Constant>(maker->op)) {
      throw Error(ErrorKind::unsupported, "Torch7 cannot say an output that is a constant", place_of(*maker));
    }
  }
  const auto nest = nest_torch(graph, steps, rows, modules);
  return modules.document().write(nest ? *nest : graph_torch(graph, steps, rows, modules));
}

}  // namespace octavo::graph
