// SPDX-License-Identifier: Apache-2.0
// Modules that take or give tables.
#include <fmt/core.h>

#include <map>

#include "graph/check.h"
#include "graph/import/torch_layers.h"
#include "graph/import/torch_limits.h"

namespace octavo::graph {
namespace {

void flatten_torch_into(const TorchActivity& activity, std::vector<TorchActivity>& list) {
  if (!activity.is_table()) list.push_back(activity);
  for (const TorchActivity& part : activity.table) flatten_torch_into(part, list);
}

/// The last two dimensions exchanged.
ValueId torch_turned(TorchLayer& layer, ValueId x) {
  std::vector<std::int64_t> order;
  for (std::int64_t d = 0; d < layer.rank(x); ++d) order.push_back(d);
  if (order.size() < 2) TorchLayer::malformed("a matrix is expected");
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return layer.add_permute(x, order);
}

}  // namespace

TorchActivity convert_torch_join_table(TorchLayer& layer) {
  const std::vector<ValueId> parts = layer.tensors();
  const std::int64_t axis =
      layer.axis(layer.module().integer("dimension"), parts[0], layer.module().optional_integer("nInputDims"));
  return layer.add_concat(parts, axis);
}

TorchActivity convert_torch_split_table(TorchLayer& layer) {
  const ValueId x = layer.tensor();
  const std::int64_t axis =
      layer.axis(layer.module().integer("dimension"), x, layer.module().optional_integer("nInputDims"));
  const std::int64_t size = layer.shape(x)[static_cast<std::size_t>(axis)];
  require(size <= static_cast<std::int64_t>(kMaxTorchNodes), "a table of {}", size);
  std::vector<TorchActivity> parts;
  for (std::int64_t i = 0; i < size; ++i) parts.emplace_back(layer.add_select(x, axis, i));
  return TorchActivity(std::move(parts));
}

TorchActivity convert_torch_select_table(TorchLayer& layer) {
  const auto count = static_cast<std::int64_t>(layer.table().size());
  const std::int64_t index = layer.module().integer("index");
  const std::int64_t at = index < 0 ? count + index : index - 1;
  if (index == 0 || at < 0 || at >= count)
    TorchLayer::malformed(fmt::format("entry {} of a table of {}", index, count));
  return layer.table()[static_cast<std::size_t>(at)];
}

TorchActivity convert_torch_narrow_table(TorchLayer& layer) {
  const auto count = static_cast<std::int64_t>(layer.table().size());
  const std::int64_t offset = layer.module().integer("offset"), length = layer.module().integer("length", 1);
  if (offset < 1 || length < 1 || offset > count || length > count - offset + 1) {
    TorchLayer::malformed(fmt::format("{} entries from {} on of a table of {}", length, offset, count));
  }
  const auto first = layer.table().begin() + (offset - 1);
  return TorchActivity(std::vector<TorchActivity>(first, first + length));
}

TorchActivity convert_torch_flatten_table(TorchLayer& layer) {
  std::vector<TorchActivity> list;
  flatten_torch_into(layer.input(), list);
  return TorchActivity(std::move(list));
}

/// {{a1, a2}, {b1, b2}} becomes {{a1, b1}, {a2, b2}}.
TorchActivity convert_torch_zip_table(TorchLayer& layer) {
  std::vector<TorchActivity> zipped;
  for (const TorchActivity& list : layer.table()) {
    if (zipped.empty()) zipped.resize(list.table.size(), TorchActivity(std::vector<TorchActivity>{}));
    if (!list.is_table() || list.table.size() != zipped.size()) {
      TorchLayer::malformed("a table of tables of equal length is expected");
    }
    for (std::size_t i = 0; i < zipped.size(); ++i) zipped[i].table.push_back(list.table[i]);
  }
  return TorchActivity(std::move(zipped));
}

TorchActivity convert_torch_table_arithmetic(TorchLayer& layer) {
  const std::vector<ValueId> parts = layer.tensors();
  const std::string_view type = layer.module().type();
  for (const ValueId part : parts) {
    if (layer.shape(part) != layer.shape(parts[0])) {
      TorchLayer::malformed(
          fmt::format("{} and {} differ", to_text(layer.shape(parts[0])), to_text(layer.shape(part))));
    }
  }
  if (type == "CSubTable" || type == "CDivTable") {
    if (parts.size() != 2) TorchLayer::malformed(fmt::format("a table of {} comes in, not of 2", parts.size()));
    if (type == "CDivTable") return layer.add_binary(BinaryKind::divide, parts[0], parts[1]);
    return layer.add(Eltwise{.kind = EltwiseKind::sum, .coefficients = {1.0F, -1.0F}, .activation = {}}, parts);
  }
  if (parts.size() == 1) return parts[0];
  if (type == "CMinTable") {
    ValueId least = parts[0];
    for (std::size_t i = 1; i < parts.size(); ++i) least = layer.add_binary(BinaryKind::minimum, least, parts[i]);
    return least;
  }
  static const std::map<std::string_view, EltwiseKind> kinds{
      {"CAddTable", EltwiseKind::sum}, {"CMulTable", EltwiseKind::product}, {"CMaxTable", EltwiseKind::max}};
  return layer.add(Eltwise{.kind = kinds.at(type), .coefficients = {}, .activation = {}}, parts);
}

TorchActivity convert_torch_mm(TorchLayer& layer) {
  std::vector<ValueId> parts = layer.tensors();
  if (parts.size() != 2) TorchLayer::malformed(fmt::format("a table of {} comes in, not of 2", parts.size()));
  if (layer.module().flag("transA", false)) parts[0] = torch_turned(layer, parts[0]);
  if (layer.module().flag("transB", false)) parts[1] = torch_turned(layer, parts[1]);
  return layer.add(MatMul{}, parts);
}

/// One number a row: the sum of the products.
TorchActivity convert_torch_dot_product(TorchLayer& layer) {
  const std::vector<ValueId> parts = layer.tensors();
  if (parts.size() != 2) TorchLayer::malformed(fmt::format("a table of {} comes in, not of 2", parts.size()));
  const ValueId product = layer.add(Eltwise{.kind = EltwiseKind::product, .coefficients = {}, .activation = {}}, parts);
  return layer.add(Reduction{.kind = ReductionKind::sum, .axis = layer.rank(product) - 1}, {product});
}

}  // namespace octavo::graph
