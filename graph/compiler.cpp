// SPDX-License-Identifier: Apache-2.0
// The stages of a graph and the way through them: see graph/compiler.h.
#include "graph/compiler.h"

#include <algorithm>
#include <array>
#include <utility>

#include "graph/check.h"
#include "graph/passes/passes.h"

namespace octavo::graph {
namespace {

constexpr std::array<std::string_view, 5> kStages{"imported", "canonical", "quantized", "inserted", "fused"};

/// How far a node has come, at least. Canonical nodes do not differ from imported ones; canonicalize() leaves them be.
struct StageOf {
  Stage operator()(const Convolution& op) const {
    return op.weights && op.weights->quantized() ? Stage::quantized : Stage::imported;
  }
  Stage operator()(const Linear& op) const {
    return op.weights && op.weights->quantized() ? Stage::quantized : Stage::imported;
  }
  Stage operator()(const Quantize&) const { return Stage::inserted; }
  Stage operator()(const IntegerConvolution&) const { return Stage::inserted; }
  Stage operator()(const IntegerLinear&) const { return Stage::inserted; }
  Stage operator()(const Dequantize&) const { return Stage::inserted; }
  Stage operator()(const FusedConvolution&) const { return Stage::fused; }
  Stage operator()(const FusedLinear&) const { return Stage::fused; }
  template <class T>
  Stage operator()(const T&) const {
    return Stage::imported;
  }
};

}  // namespace

std::string_view stage_name(Stage stage) { return kStages.at(static_cast<std::size_t>(stage)); }

Stage parse_stage(std::string_view name) {
  const auto found = std::find(kStages.begin(), kStages.end(), name);
  if (found == kStages.end()) {
    throw Error(ErrorKind::invalid_argument, fmt::format("there is no stage '{}'", name), {},
                "the stages are imported, canonical, quantized, inserted, fused");
  }
  return static_cast<Stage>(found - kStages.begin());
}

Stage stage_of(const Graph& graph) {
  Stage stage = Stage::imported;
  for (const Node& node : graph.nodes) stage = std::max(stage, std::visit(StageOf{}, node.op));
  return stage;
}

Graph canonicalize(Graph graph) {
  verify(graph);
  // Scales first meet each other, then the weights before them. Residuals come before activations: what follows the sum
  // is fused into the layer that took the sum in.
  for (const auto pass :
       {drop_identity, batch_norm_to_scale, merge_scales, fold_scale, fuse_residual, fuse_activation}) {
    pass(graph);
  }
  graph.remove_dead();
  return graph;
}

Graph compile_to(Graph graph, Stage last, const std::map<std::string, Shape>& input_shapes) {
  verify(graph);
  const Stage first = stage_of(graph);
  require(first <= last, "the network is already {}: its {} stage is gone", stage_name(first), stage_name(last));

  struct Step {
    Stage from, to;  ///< runs on graphs at `from` or before that are wanted at `to` or behind
    Graph (*run)(Graph);
  };
  // Quantizing is the user's decision, so it is no step here: layers with fp32 weights stay as they are.
  constexpr std::array<Step, 3> kSteps{{{Stage::quantized, Stage::canonical, canonicalize},
                                        {Stage::quantized, Stage::inserted, insert_quantization},
                                        {Stage::inserted, Stage::fused, fuse_quantization}}};
  for (const Step& step : kSteps) {
    if (first > step.from || last < step.to) continue;
    graph = step.run(std::move(graph));
    verify(graph);
  }
  infer_shapes(graph, input_shapes);
  if (last == Stage::fused) {
    graph = fuse_pool(std::move(graph));
    verify(graph);
  }
  return graph;
}

}  // namespace octavo::graph
