// SPDX-License-Identifier: Apache-2.0
// See graph/import/open_extent.h.
#include "graph/import/open_extent.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/fold.h"

namespace octavo::graph {
namespace {

/// 0, 1, 2, ... along an axis of a value of that rank.
ImportedValue positions_along(NodeBuilder& node, std::int64_t size, std::int64_t axis, std::size_t rank) {
  node.budget().take(size);
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(size));
  std::iota(numbers.begin(), numbers.end(), 0);
  Shape shape(rank, 1);
  shape.at(static_cast<std::size_t>(axis)) = size;
  return NodeBuilder::constant_value(make_tensor(ElementType::int64, std::move(shape), std::move(numbers)));
}

ImportedValue select_between(NodeBuilder& node, const ImportedValue& condition, const ImportedValue& a,
                             const ImportedValue& b) {
  ImportedValue y = node.add(Select{}, {condition, a, b});
  if (condition.shape.empty() && a.shape.empty() && b.shape.empty()) y.shape.clear();
  y.type = a.type;
  return y;
}

std::int64_t extent_of(const ImportedValue& x, std::int64_t axis) { return x.shape.at(static_cast<std::size_t>(axis)); }

ImportedValue count_along(const ImportedValue& x, std::int64_t axis) {
  if (!x.open) return known_count(extent_of(x, axis));
  if (x.open->axis != axis) NodeBuilder::unsupported("a value that is open along two axes");
  return x.open->count;
}

/// The axis along which two values may differ.
std::int64_t differing_axis(const ImportedValue& a, const ImportedValue& b) {
  if (a.shape.size() != b.shape.size()) NodeBuilder::unsupported("branches of different numbers of dimensions");
  std::int64_t axis = a.open ? a.open->axis : b.open ? b.open->axis : -1;
  if (a.open && b.open && a.open->axis != b.open->axis) NodeBuilder::unsupported("a value that is open along two axes");
  for (std::size_t d = 0; d < a.shape.size(); ++d) {
    const auto at = static_cast<std::int64_t>(d);
    if (a.shape[d] == b.shape[d] || at == axis) continue;
    if (axis >= 0) NodeBuilder::unsupported("branches of different shapes, and a condition that the network computes");
    axis = at;
  }
  return axis;
}

/// x, closed, with zeros behind it up to `size` along an axis.
ImportedValue padded_to(NodeBuilder& node, const ImportedValue& x, std::int64_t axis, std::int64_t size) {
  if (extent_of(x, axis) == size) return closed(x);
  Pad op;
  op.begins.assign(x.shape.size(), 0);
  op.ends = op.begins;
  op.ends[static_cast<std::size_t>(axis)] = size - extent_of(x, axis);
  ImportedValue y = node.add(std::move(op), {x});
  y.type = x.type;
  return y;
}

}  // namespace

ImportedValue opened(ImportedValue x, std::int64_t axis, const ImportedValue& count, bool rest_is_marked) {
  x.open = std::make_shared<const OpenExtent>(OpenExtent{axis, count, rest_is_marked});
  return x;
}

ImportedValue closed(ImportedValue x) {
  x.open = nullptr;
  x.bounds = nullptr;
  return x;
}

ImportedValue known_count(std::int64_t count) {
  return NodeBuilder::constant_value(make_tensor(ElementType::int64, {}, std::vector<std::int64_t>{count}));
}

ImportedValue least_count(NodeBuilder& node, const ImportedValue& a, const ImportedValue& b) {
  return closed(node.add_binary(BinaryKind::minimum, node.add_reshape(a, {}), node.add_reshape(b, {})));
}

ImportedValue sum_of_counts(NodeBuilder& node, const ImportedValue& a, const ImportedValue& b) {
  return closed(node.add_binary(BinaryKind::add, node.add_reshape(a, {}), node.add_reshape(b, {})));
}

ImportedValue number_at(NodeBuilder& node, const ImportedValue& vector, std::int64_t i) {
  if (vector.shape.empty()) return closed(vector);
  const StridedSlice op{.axes = {0}, .begins = {i}, .ends = {i + 1}, .steps = {1}};
  const ImportedValue number = vector.shape[0] == 1 ? closed(vector) : node.add(op, {vector});
  return node.add_reshape(number, {});
}

ImportedValue counting_positions(NodeBuilder& node, const ImportedValue& x) {
  const ImportedValue positions =
      positions_along(node, extent_of(x, x.open->axis), x.open->axis, std::max<std::size_t>(x.shape.size(), 1));
  return node.add_binary(BinaryKind::less, positions, x.open->count);
}

ImportedValue with_rest(NodeBuilder& node, const ImportedValue& x, float number) {
  return closed(select_between(node, counting_positions(node, x), x, NodeBuilder::constant_value(number)));
}

ImportedValue with_room(NodeBuilder& node, const ImportedValue& x, std::int64_t size) {
  if (extent_of(x, x.open->axis) == size) return x;
  StridedSlice op{.axes = {x.open->axis}, .begins = {0}, .ends = {size}, .steps = {1}};
  ImportedValue y = x.is_constant() ? NodeBuilder::constant_value(sliced(*x.constant, op, node.budget()))
                                    : node.add(std::move(op), {x});
  y.type = x.type;
  y.open = x.open;
  return y;
}

ImportedValue places_of_nonzero(NodeBuilder& node, const ImportedValue& x) {
  ImportedValue truth = x;
  if (x.type != ElementType::boolean) truth = node.add_unary(UnaryKind::nonzero, x);
  if (x.open) truth = node.add_binary(BinaryKind::logical_and, truth, counting_positions(node, x));
  const Shape flat{element_count(truth.shape)};
  truth = node.add_reshape(truth, flat);
  const ImportedValue count = node.add_reshape(node.add(Reduction{.kind = ReductionKind::sum, .axis = 0}, {truth}), {});
  // Of equal numbers the first come first: the ones, then the zeros, each in their order.
  ImportedValue places = node.add(ArgMax{.has_axis = true, .first = true, .axis = 0, .top_k = flat[0]}, {truth});
  places.type = ElementType::int64;
  return opened(std::move(places), 0, count);
}

ImportedValue coordinates_of_nonzero(NodeBuilder& node, const ImportedValue& x) {
  const ImportedValue places = places_of_nonzero(node, x);
  const std::size_t rank = std::max<std::size_t>(x.shape.size(), 1);
  const auto number = [](std::int64_t value) { return NodeBuilder::constant_value(static_cast<float>(value)); };
  std::vector<ImportedValue> rows;
  for (std::size_t d = 0; d < rank; ++d) {
    ImportedValue row = closed(places);
    if (rank > 1) {
      const std::int64_t inner =
          count_between(x.shape, static_cast<std::int64_t>(d) + 1, static_cast<std::int64_t>(rank));
      if (inner > 1) row = node.add_unary(UnaryKind::floor, node.add_binary(BinaryKind::divide, row, number(inner)));
      if (d > 0) row = node.add_binary(BinaryKind::modulo, row, number(x.shape[d]));
    }
    rows.push_back(node.add_reshape(row, {1, places.shape[0]}));
  }
  ImportedValue y = rank == 1 ? rows[0] : node.add(Concat{.axis = 0}, rows);
  y.type = ElementType::int64;
  return opened(std::move(y), 1, places.open->count);
}

ImportedValue joined_open(NodeBuilder& node, const std::vector<ImportedValue>& parts, std::int64_t axis) {
  std::vector<ImportedValue> rooms, truths;
  std::optional<ImportedValue> count;
  bool together = true;  // whether what counts of the parts so far has no gaps
  for (const ImportedValue& part : parts) {
    if (element_count(part.shape) == 0) continue;
    together = together && (rooms.empty() || truths.back().is_constant());
    const std::int64_t size = extent_of(part, axis);
    const ImportedValue own = count_along(part, axis);
    count = count ? sum_of_counts(node, *count, own) : own;
    rooms.push_back(closed(part));
    if (part.open) {
      truths.push_back(node.add_reshape(counting_positions(node, part), {size}));
    } else {
      node.budget().take(size);
      truths.push_back(NodeBuilder::constant_value(
          make_tensor(ElementType::boolean, {size}, std::vector<std::int64_t>(static_cast<std::size_t>(size), 1))));
    }
  }
  if (rooms.empty()) NodeBuilder::unsupported("a value without numbers");
  if (rooms.size() == 1) return opened(rooms[0], axis, *count);
  ImportedValue y = node.add(Concat{.axis = axis}, rooms);
  y.type = rooms[0].type;
  if (together) return opened(std::move(y), axis, *count);
  ImportedValue truth = node.add(Concat{.axis = 0}, truths);
  truth.type = ElementType::boolean;
  const ImportedValue places = places_of_nonzero(node, truth);
  ImportedValue moved = node.add(Gather{.axis = axis}, {y, places});
  moved.type = y.type;
  return opened(std::move(moved), axis, places.open->count);
}

ImportedValue chosen_open(NodeBuilder& node, const ImportedValue& condition, const ImportedValue& a,
                          const ImportedValue& b) {
  const ImportedValue truth = node.add_reshape(closed(condition), {});
  const std::int64_t axis = differing_axis(a, b);
  if (axis < 0) {
    ImportedValue y = node.add(Select{}, {truth, a, b});
    y.shape = a.shape;
    y.type = a.type;
    return y;
  }
  const ImportedValue count = select_between(node, truth, node.add_reshape(count_along(a, axis), {}),
                                             node.add_reshape(count_along(b, axis), {}));
  const bool a_empty = element_count(a.shape) == 0, b_empty = element_count(b.shape) == 0;
  if (a_empty && b_empty) NodeBuilder::unsupported("a value without numbers");
  if (a_empty || b_empty) return opened(closed(a_empty ? b : a), axis, count);
  const std::int64_t size = std::max(extent_of(a, axis), extent_of(b, axis));
  ImportedValue y = node.add(Select{}, {truth, padded_to(node, a, axis, size), padded_to(node, b, axis, size)});
  y.type = a.type;
  return opened(std::move(y), axis, count);
}

ImportedValue reshaped_open(NodeBuilder& node, const OpenExtent& open, const Shape& before, ImportedValue after) {
  const std::int64_t size = before.at(static_cast<std::size_t>(open.axis));
  const std::int64_t outer = count_between(before, 0, open.axis);
  std::int64_t front = 1;
  for (std::size_t d = 0; d < after.shape.size(); ++d) {
    const std::int64_t dim = after.shape[d];
    if (front == outer && (dim != 1 || size == 1)) {
      // The same positions, several numbers of each as positions, or several positions as one.
      if (dim % size != 0 && size % dim != 0) break;
      if (dim == size) return opened(std::move(after), static_cast<std::int64_t>(d), open.count, open.rest_is_marked);
      const float factor = static_cast<float>(dim) / static_cast<float>(size);
      const ImportedValue count = closed(node.add_affine(node.add_reshape(open.count, {}), factor, 0.0F));
      return opened(std::move(after), static_cast<std::int64_t>(d), count, open.rest_is_marked);
    }
    front *= dim;
  }
  NodeBuilder::unsupported(fmt::format("{} reshaped to {}, where only a run tells how much of dimension {} counts",
                                       to_text(before), to_text(after.shape), open.axis));
}

}  // namespace octavo::graph
