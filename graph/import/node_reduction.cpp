// SPDX-License-Identifier: Apache-2.0
// Reductions over any axes, as permutation, reduction of the last dimensions, and reshape.
#include <algorithm>

#include "graph/import/node_layers.h"

namespace octavo::graph {

ImportedValue add_reduction(NodeBuilder& node, ReductionKind kind, const ImportedValue& x, const ReducedAxes& over) {
  const auto rank = static_cast<std::int64_t>(x.shape.size());
  if (rank == 0) return node.add_reshape(node.add(Reduction{.kind = kind, .axis = 0}, {x}), {});
  // The mean of each channel's map is a pool, which takes the map as convolutions leave it.
  if (kind == ReductionKind::mean && rank == 4 && over.axes == std::vector<std::int64_t>{2, 3}) {
    return node.add_reshape(node.add(Pool{.kind = PoolKind::average, .global = true}, {x}), over.shape);
  }
  std::vector<std::int64_t> order;
  for (std::int64_t d = 0; d < rank; ++d) {
    if (!std::binary_search(over.axes.begin(), over.axes.end(), d)) order.push_back(d);
  }
  const auto kept = static_cast<std::int64_t>(order.size());
  order.insert(order.end(), over.axes.begin(), over.axes.end());
  ImportedValue y = node.add_permute(x, order);
  if (kept == rank) {  // of nothing: each number by itself
    y = node.add_reshape(y, [&] {
      Shape longer = y.shape;
      longer.push_back(1);
      return longer;
    }());
  }
  y = node.add(Reduction{.kind = kind, .axis = kept}, {y});
  return node.add_reshape(y, over.shape);
}

}  // namespace octavo::graph
