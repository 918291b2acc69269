// SPDX-License-Identifier: Apache-2.0
// Values of which only a run tells how large they are: what a detector found. The graph's values have fixed shapes, so
// such a value has room for the most that there may be, and a number beside it, which the network computes, says how
// many positions along one axis count. Those come first; what the others hold means nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/import/node_builder.h"

namespace octavo::graph {

struct OpenExtent {
  std::int64_t axis = 0;        ///< from the front
  ImportedValue count;          ///< one whole number, from 0 to the value's size along the axis
  bool rest_is_marked = false;  ///< the positions that do not count hold -1
};

/// Between which numbers those lie that a run computes from such counts.
struct NumberBounds {
  ConstantPtr low, high;  ///< of the value's shape
};

/// x, of which `count` positions along an axis count.
[[nodiscard]] ImportedValue opened(ImportedValue x, std::int64_t axis, const ImportedValue& count,
                                   bool rest_is_marked = false);
/// The whole room of x; numbers with bounds as any others.
[[nodiscard]] ImportedValue closed(ImportedValue x);

/// One number as a constant or a value.
[[nodiscard]] ImportedValue known_count(std::int64_t count);
[[nodiscard]] ImportedValue least_count(NodeBuilder& node, const ImportedValue& a, const ImportedValue& b);
[[nodiscard]] ImportedValue sum_of_counts(NodeBuilder& node, const ImportedValue& a, const ImportedValue& b);

/// Number i of a vector, or the only one.
[[nodiscard]] ImportedValue number_at(NodeBuilder& node, const ImportedValue& vector, std::int64_t i);

/// Whether each position along x's open axis counts, 1 or 0, in a shape that broadcasts to x.
[[nodiscard]] ImportedValue counting_positions(NodeBuilder& node, const ImportedValue& x);
/// x, closed, with a number in the positions that do not count.
[[nodiscard]] ImportedValue with_rest(NodeBuilder& node, const ImportedValue& x, float number);
/// x with room for `size` positions along its open axis, of which there are no fewer. What counts has to fit.
[[nodiscard]] ImportedValue with_room(NodeBuilder& node, const ImportedValue& x, std::int64_t size);

/// Where the numbers of x (open or not) are not 0, in their order: places in the flattened x, as many as x has room
/// for, open along their only axis.
[[nodiscard]] ImportedValue places_of_nonzero(NodeBuilder& node, const ImportedValue& x);
/// The same as coordinates, a row for each dimension of x (one for a scalar): open along the second axis.
[[nodiscard]] ImportedValue coordinates_of_nonzero(NodeBuilder& node, const ImportedValue& x);
/// Parts, some of them open along `axis`, one behind the other: open along it.
[[nodiscard]] ImportedValue joined_open(NodeBuilder& node, const std::vector<ImportedValue>& parts, std::int64_t axis);
/// a where the condition (one number) holds, else b: values that differ along one axis at most, which the result is
/// then open along. A value without any numbers counts as one of 0 positions.
[[nodiscard]] ImportedValue chosen_open(NodeBuilder& node, const ImportedValue& condition, const ImportedValue& a,
                                        const ImportedValue& b);

/// The extent of a value of shape `before` once it is reshaped to `after`; throws Error(unsupported) where the
/// positions that count would not lie together at the front of an axis.
[[nodiscard]] ImportedValue reshaped_open(NodeBuilder& node, const OpenExtent& open, const Shape& before,
                                          ImportedValue after);

}  // namespace octavo::graph
