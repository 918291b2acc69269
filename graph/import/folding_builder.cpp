// SPDX-License-Identifier: Apache-2.0
// See graph/import/folding_builder.h.
#include "graph/import/folding_builder.h"

#include <algorithm>
#include <utility>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/node_layers.h"

namespace octavo::graph {

ImportedValue FoldingBuilder::unary(const Unary& op, const ImportedValue& x) {
  if (x.is_constant()) return constant_value(mapped(op, *x.constant, budget()));
  return add_unary(op.kind, x, op.alpha, op.beta, op.gamma);
}

ImportedValue FoldingBuilder::affine(const ImportedValue& x, float scale, float shift) {
  return unary({.kind = UnaryKind::power, .alpha = shift, .beta = scale, .gamma = 1.0F}, x);
}

ImportedValue FoldingBuilder::binary(BinaryKind kind, const ImportedValue& a, const ImportedValue& b) {
  if (a.is_constant() && b.is_constant()) {
    return constant_value(combined(kind, *a.constant, *b.constant, budget()));
  }
  return add_arithmetic(*this, kind, a, b);
}

ImportedValue FoldingBuilder::select(const ImportedValue& condition, const ImportedValue& a, const ImportedValue& b) {
  if (condition.is_constant() && a.is_constant() && b.is_constant()) {
    return constant_value(selected(*condition.constant, *a.constant, *b.constant, budget()));
  }
  ImportedValue y = add(Select{}, {condition, a, b});
  y.type = a.type;
  if (condition.shape.empty() && a.shape.empty() && b.shape.empty()) y.shape.clear();
  return y;
}

ImportedValue FoldingBuilder::reshape(const ImportedValue& x, const Shape& shape, std::vector<std::int64_t> dims) {
  if (x.is_constant()) return constant_value(reshaped(*x.constant, shape));
  return add_reshape(x, shape, std::move(dims));
}

ImportedValue FoldingBuilder::permute(const ImportedValue& x, const std::vector<std::int64_t>& order) {
  if (x.is_constant()) return constant_value(permuted(*x.constant, order, budget()));
  return add_permute(x, order);
}

ImportedValue FoldingBuilder::slice(const ImportedValue& x, StridedSlice op) {
  if (x.is_constant()) return constant_value(sliced(*x.constant, op, budget()));
  StridedSlice needed;
  for (std::size_t i = 0; i < op.axes.size(); ++i) {
    const std::int64_t size = x.shape.at(static_cast<std::size_t>(op.axes[i]));
    const SlicedAxis part = sliced_axis(size, op.begins[i], op.ends[i], op.steps[i]);
    if (part.count == 0) unsupported("a slice without numbers");
    if (part.begin == 0 && part.count == size && op.steps[i] == 1) continue;  // the whole axis
    needed.axes.push_back(op.axes[i]);
    needed.begins.push_back(op.begins[i]);
    needed.ends.push_back(op.ends[i]);
    needed.steps.push_back(op.steps[i]);
  }
  if (needed.axes.empty()) return x;
  return add(std::move(needed), {x});
}

ImportedValue FoldingBuilder::concat(const std::vector<ImportedValue>& parts, std::int64_t axis) {
  if (std::all_of(parts.begin(), parts.end(), [](const ImportedValue& part) { return part.is_constant(); })) {
    std::vector<ConstantPtr> constants;
    for (const ImportedValue& part : parts) constants.push_back(part.constant);
    return constant_value(joined(constants, axis, budget()));
  }
  std::vector<ImportedValue> full;
  for (const ImportedValue& part : parts) {
    if (part.shape.empty()) malformed("scalars cannot be joined");
    if (element_count(part.shape) != 0) full.push_back(part);
  }
  if (full.size() == 1) return full[0];
  return add(Concat{.axis = axis}, full);
}

ImportedValue FoldingBuilder::tile(const ImportedValue& x, const std::vector<std::int64_t>& repeats) {
  if (x.is_constant()) return constant_value(tiled(*x.constant, repeats, budget()));
  ImportedValue y = x;
  for (std::size_t d = 0; d < repeats.size(); ++d) {
    if (repeats[d] != 1) y = add(Tile{.axis = static_cast<std::int64_t>(d), .tiles = repeats[d]}, {y});
  }
  return y;
}

ImportedValue FoldingBuilder::expand(const ImportedValue& x, const Shape& shape) {
  require(broadcast(x.shape, shape) == shape, "{} cannot be repeated to {}", to_text(x.shape), to_text(shape));
  if (x.is_constant()) return constant_value(expanded(*x.constant, shape, budget()));
  Shape ones(shape.size() - x.shape.size(), 1);
  ones.insert(ones.end(), x.shape.begin(), x.shape.end());
  const ImportedValue y = reshape(x, ones);
  std::vector<std::int64_t> repeats(shape.size(), 1);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (ones[d] != shape[d]) repeats[d] = shape[d];
  }
  return tile(y, repeats);
}

ImportedValue FoldingBuilder::gather(const ImportedValue& x, const ImportedValue& indices, std::int64_t axis) {
  if (x.is_constant() && indices.is_constant()) {
    return constant_value(gathered(*x.constant, *indices.constant, axis, budget()));
  }
  if (x.shape.empty()) malformed("a scalar has no axis");
  return add_gather(*this, x, indices, axis);
}

ImportedValue FoldingBuilder::reduce(ReductionKind kind, const ImportedValue& x, const std::vector<std::int64_t>& axes,
                                     bool keep) {
  const ReducedAxes over = reduced_axes(x.shape, axes, keep);
  if (x.is_constant()) return constant_value(reduced(kind, *x.constant, over, budget()));
  if (axes.empty()) return x;
  return add_reduction(*this, kind, x, over);
}

ImportedValue FoldingBuilder::as_truth(const ImportedValue& x) {
  if (x.is_constant()) return cast(x, ElementType::boolean);
  ImportedValue y = x;
  y.type = ElementType::boolean;
  return y;
}

ImportedValue FoldingBuilder::cast(const ImportedValue& x, ElementType type) {
  if (x.is_constant()) return constant_value(cast_to(*x.constant, type, budget()));
  ImportedValue y = x;
  if (type == ElementType::boolean && x.type != ElementType::boolean) {
    y = add_unary(UnaryKind::nonzero, x);
  } else if (!is_floating(type) && is_floating(x.type)) {
    y = add_unary(UnaryKind::truncate, x);
  }
  y.type = type;
  return y;
}

}  // namespace octavo::graph
