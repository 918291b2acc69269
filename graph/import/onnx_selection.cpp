// SPDX-License-Identifier: Apache-2.0
// Operators that pick numbers by their places or their rank: TopK, GatherElements, GatherND, ScatterElements,
// ScatterND, OneHot, Hardmax, Compress. Places become those in a flattened value, which one Gather reads.
#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/node_places.h"
#include "graph/import/onnx_fold.h"
#include "graph/import/onnx_operators.h"
#include "graph/import/open_extent.h"

namespace octavo::graph {
namespace {

/// Puts rows of `updates` at known places of x.
ImportedValue scattered(OnnxNode& node, const ImportedValue& x, const ImportedValue& updates,
                        const std::vector<std::int64_t>& places, std::int64_t rows, std::int64_t row) {
  const std::string how = node.attributes().text("reduction", "none");
  std::vector<std::int64_t> from(static_cast<std::size_t>(rows));
  node.budget().take(rows);
  std::iota(from.begin(), from.end(), 0);
  bool twice = false;
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::int64_t& at = from[static_cast<std::size_t>(places[i])];
    twice = twice || at >= rows;
    at = rows + static_cast<std::int64_t>(i);  // of several, the last
  }
  const Shape flat{rows, row}, flat_updates{static_cast<std::int64_t>(places.size()), row};
  const ImportedValue before = node.add_reshape(x, flat, flat);
  ImportedValue after = node.add_reshape(updates, flat_updates, flat_updates);
  if (how != "none") {
    static constexpr std::pair<std::string_view, BinaryKind> kKinds[] = {{"add", BinaryKind::add},
                                                                         {"mul", BinaryKind::multiply},
                                                                         {"min", BinaryKind::minimum},
                                                                         {"max", BinaryKind::maximum}};
    const auto* const kind =
        std::find_if(std::begin(kKinds), std::end(kKinds), [&](auto& k) { return k.first == how; });
    if (kind == std::end(kKinds)) OnnxNode::malformed(fmt::format("its reduction is '{}'", how));
    if (twice) OnnxNode::unsupported(fmt::format("several numbers for one place, by '{}'", how));
    const ImportedValue own = node.add(Gather{.axis = 0}, {before, whole_numbers({flat_updates[0]}, places)});
    after = node.add_binary(kind->second, own, after);
  }
  const ImportedValue both = node.add(Concat{.axis = 0}, {before, after});
  ImportedValue y = node.add(Gather{.axis = 0}, {both, whole_numbers({rows}, std::move(from))});
  y.type = x.type;
  return node.add_reshape(y, x.shape, x.shape);
}

}  // namespace

ImportedValue onnx_rows_put(OnnxNode& node, const ImportedValue& x, const ImportedValue& places,
                            const ImportedValue& updates) {
  constexpr std::int64_t kMostPairs = std::int64_t{1} << 26;
  if (node.attributes().text("reduction", "none") != "none") {
    OnnxNode::unsupported("numbers that are combined at places that the network computes");
  }
  const std::int64_t rows = x.shape.at(0), count = places.shape.at(0);
  if (checked_product(rows, count) > kMostPairs) {
    OnnxNode::unsupported(fmt::format("{} places in {} rows, which the network computes", count, rows));
  }
  ImportedValue turned = counted_from_front(node, places, rows);
  if (places.open) turned = with_rest(node, opened(turned, 0, places.open->count), -1.0F);
  // For each row, the last update whose place it is.
  const ImportedValue numbers = node.add_reshape(counted_places(node, rows), {rows, 1});
  const ImportedValue is_here = node.add_binary(BinaryKind::equal, node.add_reshape(turned, {1, count}), numbers);
  const ImportedValue from = node.add(ArgMax{.has_axis = true, .axis = 1}, {is_here});
  Shape column(x.shape.size(), 1);
  column[0] = rows;
  const ImportedValue has_one =
      node.add_reshape(node.add(Reduction{.kind = ReductionKind::max, .axis = 1}, {is_here}), column);
  const ImportedValue put = node.add(Gather{.axis = 0}, {closed(updates), node.add_reshape(from, {rows})});
  ImportedValue y = node.add(Select{}, {has_one, put, closed(x)});
  y.type = x.type;
  return y;
}

void convert_onnx_top_k(OnnxNode& node) {
  const ImportedValue& x = node.input();
  if (x.shape.empty()) OnnxNode::malformed("its input is a scalar");
  const std::int64_t axis = OnnxNode::axis(node.attributes().integer("axis", -1), node.rank());
  const std::int64_t k = node.opset() < 10 ? node.attributes().integer("k", 0)
                                           : static_cast<std::int64_t>(node.scalar(1, "number of results"));
  const std::int64_t size = x.shape[static_cast<std::size_t>(axis)];
  if (k == 0) OnnxNode::unsupported("a result without numbers");
  require(k > 0 && k <= size, "the {} greatest of {}", k, size);
  const bool largest = node.opset() < 11 || node.attributes().flag("largest", true);
  const ImportedValue ranked = largest ? x : node.add_affine(x, -1.0F, 0.0F);
  ArgMax op{.has_axis = true, .first = true, .axis = axis, .top_k = k};
  std::vector<ImportedValue> results(2);
  op.out_max_value = true;
  results[0] = node.add(op, {ranked});
  if (!largest) results[0] = node.add_affine(results[0], -1.0F, 0.0F);
  results[0].type = x.type;
  op.out_max_value = false;
  if (node.output_count() > 1) results[1] = node.add(op, {ranked});
  results[1].type = ElementType::int64;
  node.results(std::move(results));
}

void convert_onnx_gather_elements(OnnxNode& node) {
  const ImportedValue& x = node.input();
  const ImportedValue& indices = node.input(1);
  require(!x.shape.empty() && indices.shape.size() == x.shape.size(), "indices {} into {}", to_text(indices.shape),
          to_text(x.shape));
  const auto axis = static_cast<std::size_t>(OnnxNode::axis(node.attributes().integer("axis", 0), node.rank()));
  const Shape steps = steps_between(x.shape);
  Places places(node, indices.shape);
  for (std::size_t d = 0; d < x.shape.size(); ++d) {
    require(d == axis || indices.shape[d] <= x.shape[d], "indices {} into {}", to_text(indices.shape),
            to_text(x.shape));
    if (d != axis) places.add_position(d, steps[d]);
  }
  places.add_indices(indices, x.shape[axis], steps[axis]);
  const std::int64_t count = element_count(x.shape);
  node.result(rows_at(node, x, count, 1, places.value(count), indices.shape));
}

void convert_onnx_gather_nd(OnnxNode& node) {
  node.result(add_gather_nd(node, node.input(), node.input(1), node.attributes().integer("batch_dims", 0)));
}

ImportedValue onnx_row_places(OnnxNode& node, const ImportedValue& indices, std::size_t axis) {
  const Shape& x = node.shape();
  std::optional<ImportedValue> places = axis == 0 ? node.untiled(indices, 0) : std::nullopt;
  if (!places || !std::equal(x.begin() + 1, x.end(), indices.shape.begin() + 1)) {
    OnnxNode::unsupported("places that the network computes, other than those of whole rows");
  }
  return indices.open ? opened(*places, 0, indices.open->count) : *places;
}

void convert_onnx_scatter_elements(OnnxNode& node) {
  const ImportedValue& x = node.input();
  const ImportedValue& indices = node.input(1);
  require(!x.shape.empty() && indices.shape.size() == x.shape.size() && node.shape(2) == indices.shape,
          "updates {} at {} of {}", to_text(node.shape(2)), to_text(indices.shape), to_text(x.shape));
  const auto axis = static_cast<std::size_t>(OnnxNode::axis(node.attributes().integer("axis", 0), node.rank()));
  if (!indices.is_constant()) {
    node.result(onnx_rows_put(node, x, onnx_row_places(node, indices, axis), node.input(2)));
    return;
  }
  const Shape steps = steps_between(x.shape);
  Places places(node, indices.shape);
  for (std::size_t d = 0; d < x.shape.size(); ++d) {
    require(d == axis || indices.shape[d] <= x.shape[d], "updates {} of {}", to_text(indices.shape), to_text(x.shape));
    if (d != axis) places.add_position(d, steps[d]);
  }
  places.add_indices(indices, x.shape[axis], steps[axis]);
  node.result(scattered(node, x, node.input(2), places.known(), element_count(x.shape), 1));
}

void convert_onnx_scatter_nd(OnnxNode& node) {
  const ImportedValue& x = node.input();
  const ImportedValue& indices = node.input(1);
  (void)node.constant(1, "places");
  const std::int64_t depth = indices.shape.empty() ? 0 : indices.shape.back();
  require(depth > 0 && depth <= node.rank(), "places {} in {}", to_text(indices.shape), to_text(x.shape));
  const Shape prefix(indices.shape.begin(), indices.shape.end() - 1);
  const Shape outer(x.shape.begin(), x.shape.begin() + depth);
  const std::int64_t rows = element_count(outer);
  require(rows > 0, "places in {}", to_text(x.shape));
  const std::int64_t row = element_count(x.shape) / rows;
  require(element_count(node.shape(2)) == checked_product(element_count(prefix), row), "updates {} at {} of {}",
          to_text(node.shape(2)), to_text(indices.shape), to_text(x.shape));
  const Shape steps = steps_between(outer);
  Places places(node, prefix);
  for (std::int64_t k = 0; k < depth; ++k) {
    const auto at = static_cast<std::size_t>(k);
    places.add_indices(index_column(node, indices, k, prefix), outer[at], steps[at]);
  }
  node.result(scattered(node, x, node.input(2), places.known(), rows, row));
}

/// values[1] where the new axis is at the index, values[0] elsewhere.
void convert_onnx_one_hot(OnnxNode& node) {
  const ImportedValue& indices = node.input(0);
  const auto depth = static_cast<std::int64_t>(node.scalar(1, "depth"));
  const ImportedValue& values = node.input(2);
  require(depth > 0 && depth <= kExactIntegers, "a depth of {}", depth);
  require(values.shape == Shape{2}, "values {}", to_text(values.shape));
  const std::int64_t rank = node.rank() + 1;
  require(rank <= 8, "a value of {} dimensions", rank);
  const auto axis = static_cast<std::size_t>(OnnxNode::axis(node.attributes().integer("axis", -1), rank));
  Shape expanded = indices.shape, along(static_cast<std::size_t>(rank), 1);
  expanded.insert(expanded.begin() + static_cast<std::ptrdiff_t>(axis), 1);
  along[axis] = depth;
  const ImportedValue at = node.add_reshape(indices, expanded, expanded);
  const ImportedValue is_negative = node.add_binary(BinaryKind::less, at, OnnxNode::constant_value(0.0F));
  const ImportedValue turned = node.add_affine(at, 1.0F, static_cast<float>(depth));
  const ImportedValue place = node.add(Select{}, {is_negative, turned, at});
  const ImportedValue numbers = node.add_reshape(counted_places(node, depth), along, along);
  const ImportedValue is_hot = node.add_binary(BinaryKind::equal, node.add_unary(UnaryKind::truncate, place), numbers);
  ImportedValue y =
      node.add(Select{}, {is_hot, index_column(node, values, 1, {1}), index_column(node, values, 0, {1})});
  y.type = values.type;
  node.result(std::move(y));
}

/// 1 at the first of the greatest along an axis (before operator set 13: of all dimensions from the axis on), else 0.
void convert_onnx_hardmax(OnnxNode& node) {
  const ImportedValue& x = node.input();
  if (x.shape.empty()) OnnxNode::malformed("its input is a scalar");
  const bool flat = node.opset() < 13;
  const std::int64_t axis = OnnxNode::axis(node.attributes().integer("axis", flat ? 1 : -1), node.rank());
  ImportedValue rows = x;
  auto along = static_cast<std::size_t>(axis);
  if (flat && axis + 1 < node.rank()) {
    const Shape matrix{count_between(x.shape, 0, axis), count_between(x.shape, axis, node.rank())};
    rows = node.add_reshape(x, matrix, {axis == 1 ? 0 : matrix[0], -1});
    along = 1;
  }
  Shape numbered(rows.shape.size(), 1);
  numbered[along] = rows.shape[along];
  const ImportedValue best =
      node.add(ArgMax{.has_axis = true, .first = true, .axis = static_cast<std::int64_t>(along)}, {rows});
  const ImportedValue numbers = node.add_reshape(counted_places(node, rows.shape[along]), numbered, numbered);
  ImportedValue y = node.add_binary(BinaryKind::equal, numbers, best);
  y.type = x.type;
  node.result(node.add_reshape(y, x.shape));
}

/// The positions of an axis (without one: of all numbers) where a condition holds.
void convert_onnx_compress(OnnxNode& node) {
  ImportedValue x = node.input();
  const ConstantTensor& condition = node.constant(1, "conditions");
  std::int64_t axis = 0;
  if (node.attributes().has("axis")) {
    axis = OnnxNode::axis(node.attributes().integer("axis", 0), node.rank());
  } else {
    x = node.add_reshape(x, {element_count(x.shape)});
  }
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < condition.count(); ++i) {
    if (condition.real(static_cast<std::size_t>(i)) != 0) kept.push_back(i);
  }
  if (kept.empty()) OnnxNode::unsupported("a result without numbers");
  const std::int64_t size = x.shape.at(static_cast<std::size_t>(axis));
  require(kept.back() < size, "{} conditions for {} positions", condition.count(), size);
  const auto count = static_cast<std::int64_t>(kept.size());
  ImportedValue y = node.add(Gather{.axis = axis}, {x, whole_numbers({count}, std::move(kept))});
  y.type = x.type;
  node.result(std::move(y));
}

}  // namespace octavo::graph
