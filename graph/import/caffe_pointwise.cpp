// SPDX-License-Identifier: Apache-2.0
// Layers that compute each output from the input at the same place.
#include "graph/import/caffe_layers.h"

namespace octavo::graph {

void convert_relu(CaffeLayerContext& layer) {
  layer.add(Unary{.kind = UnaryKind::relu, .alpha = layer.param().relu_param().negative_slope()});
}

void convert_relu6(CaffeLayerContext& layer) { layer.add(Unary{.kind = UnaryKind::relu6}); }

void convert_prelu(CaffeLayerContext& layer) {
  const Shape& x = layer.shape();
  if (x.size() < 2) CaffeLayerContext::malformed("its bottom has no channels");
  const Shape slopes{layer.param().prelu_param().channel_shared() ? 1 : x[1]};
  layer.add(PRelu{.slopes = layer.blobs({{slopes, spreads::slope}})[0]});
}

void convert_elu(CaffeLayerContext& layer) {
  layer.add(Unary{.kind = UnaryKind::elu, .alpha = layer.param().elu_param().alpha()});
}

void convert_sigmoid(CaffeLayerContext& layer) { layer.add(Unary{.kind = UnaryKind::sigmoid}); }
void convert_tanh(CaffeLayerContext& layer) { layer.add(Unary{.kind = UnaryKind::tanh}); }
void convert_absval(CaffeLayerContext& layer) { layer.add(Unary{.kind = UnaryKind::abs}); }

void convert_power(CaffeLayerContext& layer) {
  const auto& param = layer.param().power_param();
  layer.add(Unary{.kind = UnaryKind::power, .alpha = param.shift(), .beta = param.scale(), .gamma = param.power()});
}

void convert_exp(CaffeLayerContext& layer) {
  const auto& param = layer.param().exp_param();
  if (param.base() != -1.0F && !(param.base() > 0.0F)) CaffeLayerContext::malformed("the base has to be above 0");
  layer.add(Unary{.kind = UnaryKind::exp, .alpha = param.base(), .beta = param.shift(), .gamma = param.scale()});
}

void convert_log(CaffeLayerContext& layer) {
  const auto& param = layer.param().log_param();
  if (param.base() != -1.0F && !(param.base() > 0.0F)) CaffeLayerContext::malformed("the base has to be above 0");
  layer.add(Unary{.kind = UnaryKind::log, .alpha = param.base(), .beta = param.shift(), .gamma = param.scale()});
}

void convert_threshold(CaffeLayerContext& layer) {
  layer.add(Unary{.kind = UnaryKind::threshold, .alpha = layer.param().threshold_param().threshold()});
}

void convert_copy(CaffeLayerContext& layer) { layer.add(Identity{}); }

}  // namespace octavo::graph
