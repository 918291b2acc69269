// SPDX-License-Identifier: Apache-2.0
// Linear layers, tables of vectors, and learned factors and offsets.
#include <fmt/core.h>

#include <algorithm>

#include "graph/check.h"
#include "graph/import/torch_layers.h"

namespace octavo::graph {
namespace {

/// x * parameters or x + parameters. They follow x's dimensions from some axis on where they can (a Scale, which folds
/// into the layer before), else they are broadcast.
ValueId torch_scaled(TorchLayer& layer, ValueId x, const BlobPtr& parameters, bool multiplies) {
  const auto scale = [&](std::int64_t axis, const Shape& part) {
    const auto blob = std::make_shared<const Blob>(Blob{part, parameters->f32, {}, {}, 0});
    return layer.add(Scale{.axis = axis, .factor = multiplies ? blob : nullptr, .offset = multiplies ? nullptr : blob},
                     {x});
  };
  const Shape shape = layer.shape(x), given = parameters->shape;
  const std::int64_t count = element_count(given);
  if (count == 1) return scale(0, {});
  const auto rank = static_cast<std::int64_t>(shape.size());
  // One sample's: all dimensions behind the batch, or the whole value.
  const Shape sample(shape.begin() + 1, shape.end());
  if (given.size() != shape.size() || given == shape) {
    if (rank > 1 && count == element_count(sample)) return scale(1, sample);
    if (count == element_count(shape)) return scale(0, shape);
    TorchLayer::malformed(fmt::format("{} parameters for a value of shape {}", to_text(given), to_text(shape)));
  }
  std::size_t begin = 0, end = given.size();
  while (given[begin] == 1) ++begin;
  while (given[end - 1] == 1) --end;
  const Shape part(given.begin() + static_cast<std::ptrdiff_t>(begin),
                   given.begin() + static_cast<std::ptrdiff_t>(end));
  if (std::equal(part.begin(), part.end(), shape.begin() + static_cast<std::ptrdiff_t>(begin))) {
    return scale(static_cast<std::int64_t>(begin), part);
  }
  return layer.add_binary(multiplies ? BinaryKind::multiply : BinaryKind::add, x, layer.add_constant(parameters));
}

}  // namespace

TorchActivity convert_torch_linear(TorchLayer& layer) {
  const BlobPtr weights = layer.blob("weight");
  if (!weights || weights->shape.size() != 2) TorchLayer::malformed("its weights are no matrix");
  Linear op;
  op.out_features = weights->shape[0];
  op.weights = weights;
  if (layer.blob("bias")) op.bias = layer.blob("bias", {op.out_features});
  return layer.with_batch(layer.tensor(), 2, [&](ValueId x) {
    const std::int64_t features = layer.shape(x)[1];
    if (features != weights->shape[1]) {
      TorchLayer::malformed(fmt::format("{} features meet a matrix for {}", features, weights->shape[1]));
    }
    return layer.add(op, {layer.unflattened(x)});
  });
}

/// Lua counts from 1.
TorchActivity convert_torch_lookup_table(TorchLayer& layer) {
  if (layer.module().has("maxNorm")) TorchLayer::unsupported("a table of vectors that are shortened as they are used");
  const BlobPtr weights = layer.blob("weight");
  if (!weights || weights->shape.size() != 2) TorchLayer::malformed("its weights are no matrix");
  Embed op;
  op.weights = weights;
  return layer.add(std::move(op), {layer.add_affine(layer.tensor(), 1.0F, -1.0F)});
}

/// Mul, CMul, Add, CAdd.
TorchActivity convert_torch_scale(TorchLayer& layer) {
  const std::string_view type = layer.module().type();
  const bool multiplies = type.ends_with("Mul");
  const std::string_view field = multiplies ? "weight" : "bias";
  const BlobPtr parameters = layer.blob(field);
  if (!parameters) TorchLayer::malformed(fmt::format("it has no numbers in '{}'", field));
  return torch_scaled(layer, layer.tensor(), parameters, multiplies);
}

}  // namespace octavo::graph
