// SPDX-License-Identifier: Apache-2.0
// Numbers that are picked by their places: indices of several axes become places in a flattened value, which one Gather
// reads.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/import/fold.h"
#include "graph/import/node_builder.h"

namespace octavo::graph {

inline constexpr std::int64_t kExactIntegers = std::int64_t{1} << 24;  ///< whole numbers in fp32

/// How far apart neighbours of each dimension are.
[[nodiscard]] Shape steps_between(const Shape& shape);
[[nodiscard]] ImportedValue whole_numbers(Shape shape, std::vector<std::int64_t> values);
/// 0, 1, 2, ...
[[nodiscard]] ImportedValue counted_places(NodeBuilder& node, std::int64_t count);
/// Indices that the network computes, counted from the front. One that is outside the axis becomes one that is outside
/// any axis, which Gather refuses as it runs.
[[nodiscard]] ImportedValue counted_from_front(NodeBuilder& node, const ImportedValue& indices, std::int64_t size);

/// Places in a flattened value: the sum of indices times steps and of positions.
class Places {
 public:
  Places(NodeBuilder& node, Shape shape);

  /// What the position along dimension d of the result itself adds.
  void add_position(std::size_t d, std::int64_t step);
  /// What indices into an axis of that size add; their shape is the places'.
  void add_indices(const ImportedValue& indices, std::int64_t size, std::int64_t step);
  /// `size`: of the flattened value.
  [[nodiscard]] ImportedValue value(std::int64_t size);
  [[nodiscard]] const std::vector<std::int64_t>& known() const { return known_; }

 private:
  NodeBuilder& node_;
  Shape shape_;
  std::vector<std::int64_t> known_;
  std::optional<ImportedValue> computed_;
};

/// Rows of x, [rows][the rest], by their places; `shape`: the result's.
[[nodiscard]] ImportedValue rows_at(NodeBuilder& node, const ImportedValue& x, std::int64_t rows, std::int64_t row,
                                    const ImportedValue& places, const Shape& shape);
/// Part `k` of the last dimension of indices.
[[nodiscard]] ImportedValue index_column(NodeBuilder& node, const ImportedValue& indices, std::int64_t k,
                                         const Shape& shape);

/// Parts of x by indices [..., axes] into its first axes, behind `batch` axes that both have.
[[nodiscard]] ImportedValue add_gather_nd(NodeBuilder& node, const ImportedValue& x, const ImportedValue& indices,
                                          std::int64_t batch);

}  // namespace octavo::graph
