// SPDX-License-Identifier: Apache-2.0
// Layers that take or give tables of values.
#include <fmt/core.h>

#include <algorithm>

#include "graph/check.h"
#include "graph/import/bigdl_layers.h"
#include "graph/import/bigdl_limits.h"

namespace octavo::graph {
namespace {

bool all_of_one_shape(const BigdlLayer& layer, const std::vector<ValueId>& values) {
  return std::ranges::all_of(values, [&](ValueId value) { return layer.shape(value) == layer.shape(values[0]); });
}

ValueId folded(BigdlLayer& layer, const std::vector<ValueId>& values, BinaryKind kind) {
  ValueId y = values[0];
  for (std::size_t i = 1; i < values.size(); ++i) y = layer.add(Binary{.kind = kind}, {y, values[i]});
  return y;
}

BigdlActivity values_as_table(const std::vector<ValueId>& values) {
  std::vector<BigdlActivity> items;
  for (const ValueId value : values) items.push_back({value, nullptr});
  return bigdl_table(std::move(items));
}

ValueId part_of(BigdlLayer& layer, std::int64_t axis, std::int64_t begin, std::int64_t end) {
  return layer.add(StridedSlice{.axes = {axis}, .begins = {begin}, .ends = {end}, .steps = {1}}, {layer.x()});
}

const std::vector<BigdlActivity>& table_of(const BigdlLayer& layer) {
  if (!layer.input().table) BigdlLayer::malformed("it takes a table of values and is given one value");
  return *layer.input().table;
}

}  // namespace

/// Sums, products and greatest numbers of values of one shape are Eltwise; what repeats, or is none of these, Binary.
void convert_bigdl_eltwise(BigdlLayer& layer) {
  const std::string& type = layer.module().type;
  const std::vector<ValueId> values = layer.items();
  const bool pair = type == "CSubTable" || type == "CDivTable";
  if (pair && values.size() != 2) BigdlLayer::malformed(fmt::format("it is given {} values, not 2", values.size()));
  const bool same = all_of_one_shape(layer, values) && values.size() > 1;
  if (type == "CAddTable" || type == "CAveTable") {
    const bool mean = type == "CAveTable";
    const float share = 1.0F / static_cast<float>(values.size());
    if (same) {
      Eltwise op;
      if (mean) op.coefficients.assign(values.size(), share);
      layer.result(layer.add_main(std::move(op), values));
    } else {
      const ValueId sum = folded(layer, values, BinaryKind::add);
      layer.result(mean ? layer.add_affine(sum, share, 0.0F) : sum);
    }
  } else if (type == "CMulTable") {
    layer.result(same ? layer.add_main(Eltwise{.kind = EltwiseKind::product}, values)
                      : folded(layer, values, BinaryKind::multiply));
  } else if (type == "CMaxTable") {
    layer.result(same ? layer.add_main(Eltwise{.kind = EltwiseKind::max}, values)
                      : folded(layer, values, BinaryKind::maximum));
  } else if (type == "CMinTable") {
    layer.result(folded(layer, values, BinaryKind::minimum));
  } else if (type == "CSubTable") {
    layer.result(same ? layer.add_main(Eltwise{.coefficients = {1.0F, -1.0F}}, values)
                      : folded(layer, values, BinaryKind::subtract));
  } else {
    layer.result(folded(layer, values, BinaryKind::divide));
  }
}

void convert_bigdl_join_table(BigdlLayer& layer) {
  const std::vector<ValueId> values = layer.items();
  const auto rank = static_cast<std::int64_t>(layer.shape(values[0]).size());
  const std::int64_t axis = BigdlLayer::batched_axis(layer.attributes().integer("dimension"),
                                                     layer.attributes().integer("nInputDims", 0), rank);
  layer.result(layer.add_main(Concat{.axis = axis}, values));
}

/// Joins values along a dimension that they do not have.
void convert_bigdl_pack(BigdlLayer& layer) {
  const std::vector<ValueId> values = layer.input().value ? std::vector<ValueId>{layer.x()} : layer.items();
  Shape shape = layer.shape(values[0]);
  const std::int64_t axis =
      BigdlLayer::axis(layer.attributes().integer("dimension"), static_cast<std::int64_t>(shape.size()) + 1);
  shape.insert(shape.begin() + axis, 1);
  std::vector<ValueId> packed;
  for (const ValueId value : values) packed.push_back(layer.add_reshape(value, shape));
  layer.result(layer.add_main(Concat{.axis = axis}, packed));
}

void convert_bigdl_split_table(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  const std::int64_t axis =
      BigdlLayer::batched_axis(attributes.integer("dimension"), attributes.integer("nInputDims", -1), layer.rank());
  const std::int64_t count = layer.shape()[static_cast<std::size_t>(axis)];
  if (count > static_cast<std::int64_t>(kMaxBigdlList))
    BigdlLayer::malformed(fmt::format("a table of {} values", count));
  std::vector<ValueId> parts;
  for (std::int64_t i = 0; i < count; ++i) parts.push_back(count == 1 ? layer.x() : part_of(layer, axis, i, i + 1));
  if (!attributes.flag("keepDim", false)) {
    Shape shape = layer.shape(parts[0]);
    shape.erase(shape.begin() + axis);
    for (ValueId& part : parts) part = layer.add_reshape(part, shape.empty() ? Shape{1} : shape);
  }
  layer.result(values_as_table(parts));
}

void convert_bigdl_bifurcate(BigdlLayer& layer) {
  const std::int64_t axis = BigdlLayer::axis(layer.attributes().integer("dimension"), layer.rank());
  const std::int64_t size = layer.shape()[static_cast<std::size_t>(axis)];
  if (size < 2) BigdlLayer::malformed(fmt::format("no two halves of {}", to_text(layer.shape())));
  layer.result(values_as_table({part_of(layer, axis, 0, size / 2), part_of(layer, axis, size / 2, size)}));
}

void convert_bigdl_select_table(BigdlLayer& layer) {
  const auto& items = table_of(layer);
  const std::int64_t which =
      BigdlLayer::axis(layer.attributes().integer("index"), static_cast<std::int64_t>(items.size()));
  layer.result(items[static_cast<std::size_t>(which)]);
}

void convert_bigdl_narrow_table(BigdlLayer& layer) {
  const auto& items = table_of(layer);
  const auto count = static_cast<std::int64_t>(items.size());
  const std::int64_t first = BigdlLayer::axis(layer.attributes().integer("offset"), count);
  std::int64_t length = layer.attributes().integer("length", 1);
  if (length < 0) length = count - first + length + 1;
  if (length < 1 || length > count - first) {
    BigdlLayer::malformed(fmt::format("{} values from {} of a table of {}", length, first + 1, count));
  }
  layer.result(bigdl_table({items.begin() + first, items.begin() + first + length}));
}

void convert_bigdl_flatten_table(BigdlLayer& layer) { layer.result(values_as_table(flat_values(layer.input()))); }

}  // namespace octavo::graph
