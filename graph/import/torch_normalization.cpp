// SPDX-License-Identifier: Apache-2.0
// Normalizations, LRN, and the Softmax family.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "graph/check.h"
#include "graph/import/torch_layers.h"

namespace octavo::graph {
namespace {

/// Versions before 2 keep 1 / sqrt(variance + epsilon).
BlobPtr torch_variance(const TorchLayer& layer, std::int64_t channels, float epsilon) {
  if (layer.blob("running_var")) return layer.blob("running_var", {channels});
  const BlobPtr inverse = layer.blob("running_std", {channels});
  layer.budget().take(channels);
  std::vector<float> variance;
  for (const float value : inverse->f32.values) {
    const double deviation = 1.0 / static_cast<double>(value);
    variance.push_back(static_cast<float>(deviation * deviation - static_cast<double>(epsilon)));
  }
  return make_blob({channels}, std::move(variance));
}

/// Learned factors and offsets, where the module has them.
ValueId torch_affine(TorchLayer& layer, ValueId x, std::int64_t channels) {
  Scale op;
  if (layer.blob("weight")) op.factor = layer.blob("weight", {channels});
  if (layer.blob("bias")) op.offset = layer.blob("bias", {channels});
  return op.factor || op.offset ? layer.add(std::move(op), {x}) : x;
}

/// x - log(sum(exp(x))): the logarithm of a softmax that is 0 would be lost.
ValueId torch_log_softmax(TorchLayer& layer, ValueId x, std::int64_t axis) {
  return layer.add_binary(BinaryKind::subtract, x, layer.add_reduction(ReductionKind::log_sum_exp, x, axis));
}

}  // namespace

TorchActivity convert_torch_batch_normalization(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  const BlobPtr mean = layer.blob("running_mean");
  if (!mean || mean->shape.size() != 1) TorchLayer::malformed("it has no means in 'running_mean'");
  const std::int64_t channels = mean->shape[0];
  BatchNorm op;
  op.epsilon = static_cast<float>(module.number("eps", 1e-5));
  op.mean = mean;
  op.variance = torch_variance(layer, channels, op.epsilon);
  const std::int64_t dims = module.type() == "BatchNormalization" ? 2 : 4;
  return layer.with_batch(layer.tensor(), dims,
                          [&](ValueId x) { return torch_affine(layer, layer.add(op, {x}), channels); });
}

/// Each channel of each picture by its own mean and variance.
TorchActivity convert_torch_instance_normalization(TorchLayer& layer) {
  const auto epsilon = static_cast<float>(layer.module().number("eps", 1e-5));
  return layer.with_batch(layer.tensor(), 4, [&](ValueId x) {
    const Shape shape = layer.shape(x);
    const ValueId rows = layer.add_reshape(x, {shape[0], shape[1], checked_product(shape[2], shape[3])});
    const ValueId y = layer.add(LayerNorm{.axis = -1, .epsilon = epsilon}, {rows});
    return torch_affine(layer, layer.add_reshape(y, shape), shape[1]);
  });
}

TorchActivity convert_torch_lrn(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  Lrn op;
  op.size = module.integer("size", 5);
  op.alpha = static_cast<float>(module.number("alpha", 1e-4));
  op.beta = static_cast<float>(module.number("beta", 0.75));
  op.k = static_cast<float>(module.number(module.has("K") ? "K" : "k", 1));
  return layer.with_batch(layer.tensor(), 4, [&](ValueId x) { return layer.add(op, {x}); });
}

/// x / (sum(|x|^p) + eps)^(1/p), a row at a time.
TorchActivity convert_torch_normalize(TorchLayer& layer) {
  const double p = layer.module().number("p"), epsilon = layer.module().number("eps", 1e-10);
  if (!(p > 0)) TorchLayer::malformed(fmt::format("p is {}", p));
  return layer.with_batch(layer.tensor(), 2, [&](ValueId x) {
    const std::int64_t columns = layer.shape(x)[1];
    if (p == 2.0) {  // x / sqrt(mean(x^2) + eps / n) / sqrt(n)
      layer.budget().take(columns);
      const auto count = static_cast<double>(columns);
      LayerNorm op{.axis = 1, .centered = false, .epsilon = static_cast<float>(epsilon / count)};
      op.factor = make_blob(
          {columns}, std::vector<float>(static_cast<std::size_t>(columns), static_cast<float>(1.0 / std::sqrt(count))));
      return layer.add(std::move(op), {x});
    }
    const ValueId size = layer.add_unary(UnaryKind::abs, x);
    const auto shift = static_cast<float>(epsilon);
    ValueId norm = 0;
    if (std::isinf(p)) {
      norm = layer.add_affine(layer.add_reduction(ReductionKind::max, size, 1), 1.0F, shift);
    } else {
      const auto power = static_cast<float>(p);
      const ValueId powers = power == 1.0F ? size : layer.add_unary(UnaryKind::power, size, 0.0F, 1.0F, power);
      norm = layer.add_unary(UnaryKind::power, layer.add_reduction(ReductionKind::sum, powers, 1), shift, 1.0F,
                             1.0F / power);
    }
    return layer.add_binary(BinaryKind::divide, x, norm);
  });
}

/// Over the channels: the first dimension of vectors and single pictures, the second one of batches.
TorchActivity convert_torch_softmax(TorchLayer& layer) {
  const std::string_view type = layer.module().type();
  const ValueId x = layer.tensor();
  const std::int64_t rank = layer.rank(x);
  if (rank > 4) TorchLayer::malformed(fmt::format("its input has {} dimensions", rank));
  const std::int64_t axis = rank == 2 || rank == 4 ? 1 : 0;
  if (type == "LogSoftMax" || type == "SpatialLogSoftMax") return torch_log_softmax(layer, x, axis);
  return layer.add(Softmax{.axis = axis}, {type == "SoftMin" ? layer.add_affine(x, -1.0F, 0.0F) : x});
}

}  // namespace octavo::graph
