// SPDX-License-Identifier: Apache-2.0
// A 2x2 maximum into the convolution before it: see graph/compiler.h.
#include <utility>

#include "graph/compiler.h"
#include "graph/passes/absorb.h"

namespace octavo::graph {
namespace {

/// Windows that cut an image of even sizes into squares of 2x2.
bool halves(const Pool& pool) {
  constexpr Pair two{2, 2}, none{0, 0};
  return pool.kind == PoolKind::max && !pool.global && pool.kernel == two && pool.stride == two &&
         pool.pad_begin == none && pool.pad_end == none;
}

/// What may be computed by Winograd, whose tiles of outputs hold whole squares of 2x2. (jit::winograd_fits() says the
/// same of a layer whose sizes are known.)
bool has_output_tiles(const Convolution& conv) {
  constexpr Pair one{1, 1}, three{3, 3};
  const bool depthwise = conv.groups > 1 && conv.groups == conv.out_channels && conv.weights->shape[1] == 1;
  return conv.kernel == three && conv.stride == one && conv.dilation == one && !depthwise && conv.window.tile_h == 0 &&
         conv.window.tile_w == 0;
}

}  // namespace

Graph fuse_pool(Graph graph) {
  verify(graph);
  absorb_followers(graph, [&](Node& producer, const Node& follower) {
    auto* const layer = std::get_if<FusedConvolution>(&producer.op);
    const auto* const pool = std::get_if<Pool>(&follower.op);
    if (layer == nullptr || pool == nullptr || layer->pool || layer->conv.add_residual) return false;
    const Shape& outputs = graph.values[producer.outputs[0]].shape;
    const bool even = outputs.size() == 4 && outputs[2] % 2 == 0 && outputs[3] % 2 == 0;
    layer->pool = even && halves(*pool) && has_output_tiles(layer->conv);
    return layer->pool;
  });
  return graph;
}

}  // namespace octavo::graph
