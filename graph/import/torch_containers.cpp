// SPDX-License-Identifier: Apache-2.0
// Modules that hold modules.
#include <fmt/core.h>

#include <algorithm>

#include "graph/check.h"
#include "graph/import/torch_layers.h"

namespace octavo::graph {
namespace {

/// Each module within, on the same input.
std::vector<TorchActivity> torch_branches_of(const TorchLayer& layer) {
  std::vector<TorchActivity> results;
  for (const TorchValue& module : layer.modules()) {
    results.push_back(layer.apply(module, layer.input(), results.size() + 1));
  }
  if (results.empty()) TorchLayer::malformed("it holds no modules");
  return results;
}

/// Zeros around x, half of what is missing (rounded down) before it, but not along the axis.
ValueId torch_centred_in(TorchLayer& layer, ValueId x, const Shape& whole, std::int64_t axis) {
  const Shape shape = layer.shape(x);
  Pad pad;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const std::int64_t missing = static_cast<std::int64_t>(d) == axis ? 0 : whole[d] - shape[d];
    pad.begins.push_back(missing / 2);
    pad.ends.push_back(missing - missing / 2);
  }
  const auto none = [](const std::vector<std::int64_t>& list) {
    return std::all_of(list.begin(), list.end(), [](std::int64_t pixels) { return pixels == 0; });
  };
  return none(pad.ends) && none(pad.begins) ? x : layer.add(std::move(pad), {x});
}

}  // namespace

TorchActivity convert_torch_sequential(TorchLayer& layer) {
  TorchActivity x = layer.input();
  std::size_t place = 0;
  for (const TorchValue& module : layer.modules()) x = layer.apply(module, x, ++place);
  return x;
}

/// Concat, and DepthConcat, whose branches may differ in height and width.
TorchActivity convert_torch_concat(TorchLayer& layer) {
  std::vector<ValueId> parts;
  for (const TorchActivity& branch : torch_branches_of(layer)) parts.push_back(TorchLayer::tensor_of(branch));
  const std::int64_t axis = layer.axis(layer.module().integer("dimension"), parts[0]);
  if (layer.module().type() == "DepthConcat") {
    Shape whole = layer.shape(parts[0]);
    for (const ValueId part : parts) {
      const Shape shape = layer.shape(part);
      if (shape.size() != whole.size()) TorchLayer::malformed("its branches differ in rank");
      for (std::size_t d = 0; d < whole.size(); ++d) whole[d] = std::max(whole[d], shape[d]);
    }
    for (ValueId& part : parts) part = torch_centred_in(layer, part, whole, axis);
  }
  return layer.add_concat(parts, axis);
}

TorchActivity convert_torch_concat_table(TorchLayer& layer) { return TorchActivity(torch_branches_of(layer)); }

TorchActivity convert_torch_parallel_table(TorchLayer& layer) {
  const std::vector<TorchValue> modules = layer.modules();
  if (modules.size() > layer.table().size()) {
    TorchLayer::malformed(fmt::format("a table of {} comes in for {} modules", layer.table().size(), modules.size()));
  }
  std::vector<TorchActivity> results;
  for (const TorchValue& module : modules) {
    results.push_back(layer.apply(module, layer.table()[results.size()], results.size() + 1));
  }
  return TorchActivity(std::move(results));
}

/// Module i on position i of one dimension; the results joined along another.
TorchActivity convert_torch_parallel(TorchLayer& layer) {
  const ValueId x = layer.tensor();
  const std::int64_t axis = layer.axis(layer.module().integer("inputDimension"), x);
  const std::vector<TorchValue> modules = layer.modules();
  const std::int64_t size = layer.shape(x)[static_cast<std::size_t>(axis)];
  if (size != static_cast<std::int64_t>(modules.size())) {
    TorchLayer::malformed(fmt::format("{} modules for a dimension of {}", modules.size(), size));
  }
  std::vector<ValueId> parts;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const ValueId part = layer.add_select(x, axis, static_cast<std::int64_t>(i));
    parts.push_back(TorchLayer::tensor_of(layer.apply(modules[i], part, i + 1)));
  }
  return layer.add_concat(parts, layer.axis(layer.module().integer("outputDimension"), parts.at(0)));
}

TorchActivity convert_torch_map_table(TorchLayer& layer) {
  TorchValue module = layer.module().field("module");
  if (module.is(TorchKind::nil)) {
    const std::vector<TorchValue> modules = layer.modules();
    if (modules.empty()) TorchLayer::malformed("it holds no module");
    module = modules[0];
  }
  std::vector<TorchActivity> results;
  for (const TorchActivity& part : layer.table()) {
    results.push_back(layer.apply(module, part, results.size() + 1));
  }
  return TorchActivity(std::move(results));
}

/// A module for fewer dimensions: the first ones are seen as one.
TorchActivity convert_torch_bottle(TorchLayer& layer) {
  const std::vector<TorchValue> modules = layer.modules();
  if (modules.size() != 1) TorchLayer::malformed(fmt::format("it holds {} modules", modules.size()));
  const ValueId x = layer.tensor();
  const std::int64_t dims = layer.module().integer("nInputDim", 2);
  const std::int64_t joined = layer.rank(x) - dims + 1;
  if (dims < 1 || joined <= 1) return layer.apply(modules[0], x, 1);
  const Shape shape = layer.shape(x);
  const Shape first(shape.begin(), shape.begin() + joined);
  Shape seen(shape.begin() + joined, shape.end());
  seen.insert(seen.begin(), element_count(first));
  const ValueId y = TorchLayer::tensor_of(layer.apply(modules[0], layer.add_reshape(x, seen), 1));
  Shape result = layer.shape(y);
  if (result.empty() || result[0] != seen[0]) TorchLayer::malformed("its module changes the first dimension");
  result.erase(result.begin());
  result.insert(result.begin(), first.begin(), first.end());
  return layer.add_reshape(y, result);
}

/// What adds something to one module that does not matter here: where it runs, what is watched.
TorchActivity convert_torch_decorator(TorchLayer& layer) {
  const std::vector<TorchValue> modules = layer.modules();
  if (modules.empty()) TorchLayer::malformed("it holds no module");
  return layer.apply(modules[0], layer.input(), 1);
}

}  // namespace octavo::graph
