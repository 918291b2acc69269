// SPDX-License-Identifier: Apache-2.0
// Normalization and softmax.
#include <fmt/core.h>

#include <limits>

#include "graph/check.h"
#include "graph/import/bigdl_layers.h"

namespace octavo::graph {
namespace {

/// What an attribute saves of a trained layer, as many numbers as there are channels.
BlobPtr running(const BigdlLayer& layer, std::string_view name, std::int64_t channels) {
  const auto tensor = layer.attributes().tensor(name);
  if (!tensor) BigdlLayer::malformed(fmt::format("its '{}' is not in the file", name));
  return BigdlLayer::reshaped(layer.tensors().blob(*tensor), {channels});
}

/// 1 / (sum of |x|^p over axis 1 + eps)^(1/p), of size 1 along that axis.
ValueId inverse_norm(BigdlLayer& layer, ValueId x, float p, float epsilon) {
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < layer.rank(); ++i) {
    if (i != 1) order.push_back(i);
  }
  order.push_back(1);
  const ValueId magnitude = layer.add_unary(UnaryKind::abs, layer.add_permute(x, order));
  const ValueId powers = layer.add_unary(UnaryKind::power, magnitude, 0.0F, 1.0F, p);
  const ValueId sums = layer.add(Reduction{.kind = ReductionKind::sum, .axis = layer.rank() - 1}, {powers});
  const ValueId inverse = layer.add_unary(UnaryKind::power, sums, epsilon, 1.0F, -1.0F / p);
  Shape kept = layer.shape();
  kept[1] = 1;
  return layer.add_reshape(inverse, kept);
}

}  // namespace

void convert_bigdl_batch_normalization(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  const bool pictures = layer.module().type == "SpatialBatchNormalization";
  const bool last = pictures && attributes.channels_last("dataFormat");
  const ValueId x = layer.channels_first(layer.x_of_rank(pictures ? 4 : 2), last);
  const std::int64_t channels = attributes.integer("nOutput");
  if (layer.shape(x)[1] != channels) {
    BigdlLayer::malformed(fmt::format("{} channels for {}", channels, to_text(layer.shape(x))));
  }
  BatchNorm op;
  op.mean = running(layer, "runningMean", channels);
  op.variance = running(layer, "runningVar", channels);
  op.epsilon = attributes.real("eps", 1e-5);
  ValueId y = layer.add_main(std::move(op), {x});
  if (attributes.flag("affine", true)) {
    Scale scale;
    scale.factor = layer.parameter(0, {channels});
    scale.offset = layer.parameter(1, {channels});
    y = layer.add(std::move(scale), {y});
  }
  layer.result(layer.channels_last(y, last));
}

void convert_bigdl_lrn(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  const bool last = attributes.channels_last();
  const ValueId x = layer.channels_first(layer.x_of_rank(4), last);
  Lrn op;
  op.across_channels = layer.module().type == "SpatialCrossMapLRN";
  op.size = attributes.integer("size", 5);
  op.alpha = attributes.real("alpha", 1.0);
  op.beta = attributes.real("beta", 0.75);
  op.k = attributes.real("k", 1.0);
  layer.result(layer.channels_last(layer.add_main(op, {x}), last));
}

/// Normalize, and NormalizeScale, which has a factor for each channel besides.
void convert_bigdl_normalize(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  const float p = attributes.real("p", 2.0), epsilon = attributes.real("eps", 1e-10);
  const bool scaled = layer.module().type == "NormalizeScale";
  require(p > 0.0F, "a norm of order {}", p);
  if (p > 1e30F) BigdlLayer::unsupported("division by the greatest number");
  if (layer.rank() != 2 && layer.rank() != 4) (void)layer.x_of_rank(4);
  const std::int64_t channels = layer.shape()[1];
  BlobPtr factor = scaled ? layer.parameter(0, {channels}) : nullptr;
  if (p == 2.0F) {
    if (!factor) factor = make_blob({1}, {1.0F});
    const bool rows = layer.rank() == 2;
    const ValueId x = rows ? layer.add_reshape_dims(layer.x(), {0, channels, 1, 1}) : layer.x();
    const ValueId y = layer.add_main(Normalize{.across_spatial = false, .epsilon = epsilon, .factor = factor}, {x});
    layer.result(rows ? layer.add_reshape_dims(y, {0, channels}) : y);
    return;
  }
  const ValueId inverse = inverse_norm(layer, layer.x(), p, epsilon);
  ValueId y = layer.add(Binary{.kind = BinaryKind::multiply}, {layer.x(), inverse});
  if (factor) y = layer.add(Scale{.axis = 1, .factor = factor}, {y});
  layer.result(y);
}

/// Over the channels: of pictures and of rows dimension 1, of one picture without a batch dimension 0. Later releases
/// say which dimension, counted without the batch.
void convert_bigdl_softmax(BigdlLayer& layer) {
  const std::int64_t rank = layer.rank();
  std::int64_t axis = rank == 2 || rank == 4 ? 1 : 0;
  const std::int64_t position = layer.attributes().integer("pos", 1);
  if (position != 1) axis = BigdlLayer::axis(position, rank);
  ValueId x = layer.x();
  if (layer.module().type == "SoftMin") x = layer.add_affine(x, -1.0F, 0.0F);
  layer.result(layer.add_main(Softmax{.axis = axis}, {x}));
}

/// x - log(sum(exp(x))): the logarithm of a softmax that is 0 would be lost.
void convert_bigdl_log_softmax(BigdlLayer& layer) {
  const ValueId x = layer.x_of_rank(2);
  const ValueId sums = layer.add(Reduction{.kind = ReductionKind::log_sum_exp, .axis = 1}, {x});
  const ValueId column = layer.add_reshape_dims(sums, {0, 1});
  layer.result(layer.add_main(Binary{.kind = BinaryKind::subtract}, {x, column}));
}

}  // namespace octavo::graph
