// SPDX-License-Identifier: Apache-2.0
// See graph/import/node_places.h.
#include "graph/import/node_places.h"

#include <numeric>
#include <utility>

#include "graph/axes.h"
#include "graph/check.h"

namespace octavo::graph {
namespace {

/// An index that counts from the front; known ones are checked.
std::int64_t from_front(std::int64_t index, std::int64_t size) {
  require(index >= -size && index < size, "index {} is outside an axis of {}", index, size);
  return index < 0 ? index + size : index;
}

}  // namespace

Shape steps_between(const Shape& shape) {
  Shape steps(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 1;) steps[d - 1] = checked_product(steps[d], shape[d]);
  return steps;
}

ImportedValue whole_numbers(Shape shape, std::vector<std::int64_t> values) {
  return NodeBuilder::constant_value(make_tensor(ElementType::int64, std::move(shape), std::move(values)));
}

ImportedValue counted_places(NodeBuilder& node, std::int64_t count) {
  node.budget().take(count);
  std::vector<std::int64_t> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0);
  return whole_numbers({count}, std::move(values));
}

ImportedValue counted_from_front(NodeBuilder& node, const ImportedValue& indices, std::int64_t size) {
  const auto number = [](std::int64_t value) { return NodeBuilder::constant_value(static_cast<float>(value)); };
  const ImportedValue is_negative = node.add_binary(BinaryKind::less, indices, number(0));
  const ImportedValue turned = node.add_affine(indices, 1.0F, static_cast<float>(size));
  const ImportedValue index = node.add(Select{}, {is_negative, turned, indices});
  const ImportedValue is_inside =
      node.add_binary(BinaryKind::logical_and, node.add_binary(BinaryKind::less, index, number(size)),
                      node.add_binary(BinaryKind::greater_or_equal, index, number(0)));
  return node.add(Select{}, {is_inside, index, number(4 * kExactIntegers)});
}

Places::Places(NodeBuilder& node, Shape shape) : node_(node), shape_(std::move(shape)) {
  node_.budget().take(element_count(shape_));
  known_.assign(static_cast<std::size_t>(element_count(shape_)), 0);
}

void Places::add_position(std::size_t d, std::int64_t step) {
  const std::int64_t inner = steps_between(shape_)[d];
  for (std::size_t i = 0; i < known_.size(); ++i) {
    known_[i] += static_cast<std::int64_t>(i) / inner % shape_[d] * step;
  }
}

void Places::add_indices(const ImportedValue& indices, std::int64_t size, std::int64_t step) {
  if (indices.is_constant()) {
    const std::vector<std::int64_t> list = to_integers(*indices.constant);
    for (std::size_t i = 0; i < known_.size(); ++i) known_[i] += from_front(list.at(i), size) * step;
    return;
  }
  ImportedValue more = node_.add_affine(counted_from_front(node_, indices, size), static_cast<float>(step), 0.0F);
  computed_ = computed_ ? node_.add_binary(BinaryKind::add, *computed_, more) : std::move(more);
}

ImportedValue Places::value(std::int64_t size) {
  ImportedValue known = whole_numbers(shape_, known_);
  if (!computed_) return known;
  if (size > kExactIntegers) NodeBuilder::unsupported("computed places in a value of more than 2^24 numbers");
  return node_.add_binary(BinaryKind::add, *computed_, known);
}

ImportedValue rows_at(NodeBuilder& node, const ImportedValue& x, std::int64_t rows, std::int64_t row,
                      const ImportedValue& places, const Shape& shape) {
  const Shape flat = row == 1 ? Shape{rows} : Shape{rows, row};
  ImportedValue y = node.add(Gather{.axis = 0}, {node.add_reshape(x, flat, flat), places});
  y.type = x.type;
  return node.add_reshape(y, shape, shape);
}

ImportedValue index_column(NodeBuilder& node, const ImportedValue& indices, std::int64_t k, const Shape& shape) {
  const std::int64_t last = static_cast<std::int64_t>(indices.shape.size()) - 1;
  const StridedSlice slice{.axes = {last}, .begins = {k}, .ends = {k + 1}, .steps = {1}};
  if (indices.is_constant()) {
    return NodeBuilder::constant_value(reshaped(*sliced(*indices.constant, slice, node.budget()), shape));
  }
  const ImportedValue column = indices.shape.back() == 1 ? indices : node.add(slice, {indices});
  return node.add_reshape(column, shape, shape);
}

ImportedValue add_gather_nd(NodeBuilder& node, const ImportedValue& x, const ImportedValue& indices,
                            std::int64_t batch) {
  const auto rank = static_cast<std::int64_t>(x.shape.size()),
             index_rank = static_cast<std::int64_t>(indices.shape.size());
  const std::int64_t depth = indices.shape.empty() ? 0 : indices.shape.back();
  require(depth > 0 && batch >= 0 && batch < index_rank && batch + depth <= rank, "indices {} into {}",
          to_text(indices.shape), to_text(x.shape));
  const Shape prefix(indices.shape.begin(), indices.shape.end() - 1);
  const Shape outer(x.shape.begin(), x.shape.begin() + batch + depth);
  const Shape steps = steps_between(outer);
  Places places(node, prefix);
  for (std::int64_t d = 0; d < batch; ++d) {
    const auto at = static_cast<std::size_t>(d);
    require(prefix[at] == x.shape[at], "indices {} into {}", to_text(indices.shape), to_text(x.shape));
    places.add_position(at, steps[at]);
  }
  for (std::int64_t k = 0; k < depth; ++k) {
    const auto at = static_cast<std::size_t>(batch + k);
    places.add_indices(index_column(node, indices, k, prefix), outer[at], steps[at]);
  }
  Shape shape = prefix;
  shape.insert(shape.end(), x.shape.begin() + batch + depth, x.shape.end());
  const std::int64_t rows = element_count(outer);
  require(rows > 0, "indices into {}", to_text(x.shape));
  return rows_at(node, x, rows, element_count(x.shape) / rows, places.value(rows), shape);
}

}  // namespace octavo::graph
