// SPDX-License-Identifier: Apache-2.0
// A NodeBuilder whose steps are computed at once where all that they depend on is known: constants in, constants out.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/import/fold.h"
#include "graph/import/node_builder.h"

namespace octavo::graph {

class FoldingBuilder : public NodeBuilder {
 public:
  using NodeBuilder::NodeBuilder;

  ImportedValue unary(const Unary& op, const ImportedValue& x);
  /// shift + scale * x
  ImportedValue affine(const ImportedValue& x, float scale, float shift);
  /// With as few nodes as add_arithmetic() makes of constants.
  ImportedValue binary(BinaryKind kind, const ImportedValue& a, const ImportedValue& b);
  ImportedValue select(const ImportedValue& condition, const ImportedValue& a, const ImportedValue& b);
  ImportedValue reshape(const ImportedValue& x, const Shape& shape) { return reshape(x, shape, shape); }
  /// `dims`: as graph::Reshape has them, so that a batch may stay open.
  ImportedValue reshape(const ImportedValue& x, const Shape& shape, std::vector<std::int64_t> dims);
  ImportedValue permute(const ImportedValue& x, const std::vector<std::int64_t>& order);
  /// A part without numbers is a constant, or Error(unsupported). What takes the whole of x is x.
  ImportedValue slice(const ImportedValue& x, StridedSlice op);
  /// Parts without numbers are left out.
  ImportedValue concat(const std::vector<ImportedValue>& parts, std::int64_t axis);
  ImportedValue tile(const ImportedValue& x, const std::vector<std::int64_t>& repeats);
  /// x repeated to `shape`, which it broadcasts to.
  ImportedValue expand(const ImportedValue& x, const Shape& shape);
  ImportedValue gather(const ImportedValue& x, const ImportedValue& indices, std::int64_t axis);
  ImportedValue reduce(ReductionKind kind, const ImportedValue& x, const std::vector<std::int64_t>& axes, bool keep);
  /// Numbers that are 1 or 0 as truth values.
  ImportedValue as_truth(const ImportedValue& x);
  /// To an integer type: cut off towards 0. Integers that the type cannot hold are not wrapped.
  ImportedValue cast(const ImportedValue& x, ElementType type);
};

}  // namespace octavo::graph
