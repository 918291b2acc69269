// SPDX-License-Identifier: Apache-2.0
// BatchNorm, Scale, Bias and LRN.
#include <fmt/core.h>

#include <algorithm>

#include "graph/import/caffe_layers.h"

namespace octavo::graph {
namespace {

BlobPtr scaled(const Blob& blob, float factor) {
  std::vector<float> values(blob.f32.values.begin(), blob.f32.values.end());
  for (float& value : values) value *= factor;
  return make_blob(blob.shape, std::move(values));
}

/// Dims axis .. axis + num_axes of x (-1: to the end), which the factor or offset spans.
Shape spanned(const CaffeLayerContext& layer, std::size_t axis, std::int64_t num_axes) {
  const Shape& x = layer.shape();
  const auto left = static_cast<std::int64_t>(x.size() - axis);
  if (num_axes < -1 || num_axes > left) {
    CaffeLayerContext::malformed(fmt::format("num_axes is {}, but {} are left from axis {} on", num_axes, left, axis));
  }
  const auto begin = x.begin() + static_cast<std::ptrdiff_t>(axis);
  return {begin, begin + (num_axes == -1 ? left : num_axes)};
}

}  // namespace

// Caffe keeps running sums and their common factor; a factor of 0 means that nothing was gathered.
void convert_batch_norm(CaffeLayerContext& layer) {
  const auto& param = layer.param().batch_norm_param();
  if (param.has_use_global_stats() && !param.use_global_stats()) {
    CaffeLayerContext::unsupported("it normalizes by the statistics of each batch (use_global_stats: false)",
                                   "set use_global_stats to true to use the statistics that training gathered");
  }
  const Shape& x = layer.shape();
  const std::int64_t channels = x.size() < 2 ? 1 : x[1];
  const auto blobs = layer.blobs({{{channels}, spreads::mean}, {{channels}, spreads::variance}, {{1}, spreads::one}});
  const float gathered = blobs[2]->f32.values[0];
  const float factor = gathered == 0.0F ? 0.0F : 1.0F / gathered;
  BatchNorm op;
  op.mean = factor == 1.0F ? blobs[0] : scaled(*blobs[0], factor);
  op.variance = factor == 1.0F ? blobs[1] : scaled(*blobs[1], factor);
  op.epsilon = param.eps();
  layer.add(std::move(op));
}

void convert_scale(CaffeLayerContext& layer) {
  const auto& param = layer.param().scale_param();
  layer.require_bottoms(1, 2);
  Scale op;
  const std::size_t axis = layer.axis(param.axis());
  op.axis = static_cast<std::int64_t>(axis);
  const bool given = layer.bottoms().size() == 2;
  const Shape span = given ? layer.shape(1) : spanned(layer, axis, param.num_axes());
  std::vector<BlobNeed> needs;
  if (!given) needs.push_back({span, spreads::factor});
  if (param.bias_term()) needs.push_back({span, spreads::bias});
  const auto blobs = layer.blobs(needs);
  if (!given) op.factor = blobs.front();
  if (param.bias_term()) op.offset = blobs.back();
  layer.add(std::move(op));
}

void convert_bias(CaffeLayerContext& layer) {
  const auto& param = layer.param().bias_param();
  layer.require_bottoms(1, 2);
  Scale op;
  const std::size_t axis = layer.axis(param.axis());
  op.axis = static_cast<std::int64_t>(axis);
  if (layer.bottoms().size() == 2) {
    op.second_is_offset = true;
  } else {
    op.offset = layer.blobs({{spanned(layer, axis, param.num_axes()), spreads::bias}})[0];
  }
  layer.add(std::move(op));
}

void convert_lrn(CaffeLayerContext& layer) {
  const auto& param = layer.param().lrn_param();
  Lrn op;
  op.across_channels = param.norm_region() == caffe::LRNParameter::ACROSS_CHANNELS;
  op.size = param.local_size();
  op.alpha = param.alpha();
  op.beta = param.beta();
  op.k = op.across_channels ? param.k() : 1.0F;  // Caffe ignores k within a channel
  layer.add(std::move(op));
}

}  // namespace octavo::graph
