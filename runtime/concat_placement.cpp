// SPDX-License-Identifier: Apache-2.0
#include "runtime/concat_placement.h"

#include <variant>

#include "graph/axes.h"
#include "graph/passes/absorb.h"
#include "runtime/layout.h"

namespace octavo::runtime {
namespace {

constexpr std::int64_t kMostChannels = 1 << 20;  // of a pixel: jit/conv_spec.h has a limit of this kind

bool writes_with_any_stride(const graph::Node* node) {
  const auto* fused = node == nullptr ? nullptr : std::get_if<graph::FusedConvolution>(&node->op);
  return fused != nullptr && !fused->pool && !fused->conv.add_residual;
}

}  // namespace

std::vector<std::optional<ChannelPlace>> place_in_concats(const graph::Graph& graph) {
  std::vector<std::optional<ChannelPlace>> places(graph.values.size());
  const std::vector<std::size_t> uses = graph::use_counts(graph);
  for (const graph::Node& node : graph.nodes) {
    const auto* concat = std::get_if<graph::Concat>(&node.op);
    if (concat == nullptr) continue;
    const graph::ValueId whole = node.outputs.front();
    const Shape& shape = graph.values[whole].shape;
    if (shape.size() != 4 || graph::canonical_axis(concat->axis, 4) != 1) continue;
    if (layouts_coincide(shape) || shape[1] > kMostChannels) continue;
    std::int64_t first = 0;
    for (const graph::ValueId input : node.inputs) {
      if (uses[input] == 1 && writes_with_any_stride(graph.producer(input)))
        places[input] = ChannelPlace{whole, first, shape[1]};
      first += graph.values[input].shape[1];
    }
  }
  return places;
}

}  // namespace octavo::runtime
