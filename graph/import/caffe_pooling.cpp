// SPDX-License-Identifier: Apache-2.0
// Pooling: MAX, AVE and STOCHASTIC, which at test time is the mean of the inputs weighted by themselves.
#include <fmt/core.h>

#include <limits>

#include "graph/import/caffe_layers.h"

namespace octavo::graph {
namespace {

using caffe::PoolingParameter;

void set_kernel(const PoolingParameter& param, Pool& op) {
  if (param.global_pooling()) {
    if (param.has_kernel_size() || param.has_kernel_h() || param.has_kernel_w()) {
      CaffeLayerContext::malformed("a kernel size is given along with global_pooling");
    }
    if (op.pad_begin != Pair{0, 0} || op.stride != Pair{1, 1}) {
      CaffeLayerContext::malformed("global_pooling goes with pad 0 and stride 1 only");
    }
    op.global = true;
    return;
  }
  if (param.has_kernel_size() == (param.has_kernel_h() || param.has_kernel_w()) ||
      param.has_kernel_h() != param.has_kernel_w()) {
    CaffeLayerContext::malformed("either kernel_size or both kernel_h and kernel_w have to be given");
  }
  op.kernel = param.has_kernel_size() ? Pair{param.kernel_size(), param.kernel_size()}
                                      : Pair{param.kernel_h(), param.kernel_w()};
}

Pool pool_of(const PoolingParameter& param) {
  Pool op;
  op.kind = param.pool() == PoolingParameter::MAX ? PoolKind::max : PoolKind::average;
  op.stride = {param.has_stride_h() ? param.stride_h() : param.stride(),
               param.has_stride_w() ? param.stride_w() : param.stride()};
  op.pad_begin = {param.has_pad_h() ? param.pad_h() : param.pad(), param.has_pad_w() ? param.pad_w() : param.pad()};
  op.pad_end = op.pad_begin;
  op.ceil_mode = param.round_mode() == PoolingParameter::CEIL && param.ceil_mode();
  op.include_padding = true;
  set_kernel(param, op);
  return op;
}

/// sum(x^2) / sum(x) over the window, 0 where all x are 0. Both sums are averages here: their divisors cancel.
void add_stochastic(CaffeLayerContext& layer, const Pool& mean) {
  if (mean.pad_begin != Pair{0, 0}) {
    CaffeLayerContext::malformed("padding is defined for MAX and AVE pooling only");
  }
  layer.require_bottoms(1, 1);
  const ValueId x = layer.bottoms()[0];
  const ValueId square = layer.add_part("square", Unary{UnaryKind::power, 0.0F, 1.0F, 2.0F}, {x});
  const ValueId squares = layer.add_part("mean_square", mean, {square});
  const ValueId means = layer.add_part("mean", mean, {x});
  constexpr float kTiny = std::numeric_limits<float>::min();  // Caffe starts its sum there, too
  const ValueId inverse = layer.add_part("inverse", Unary{UnaryKind::power, kTiny, 1.0F, -1.0F}, {means});
  layer.add(Eltwise{.kind = EltwiseKind::product, .coefficients = {}, .activation = {}}, {squares, inverse});
}

}  // namespace

void convert_pooling(CaffeLayerContext& layer) {
  const auto& param = layer.param().pooling_param();
  if (!layer.param().has_pooling_param()) CaffeLayerContext::malformed("it has no pooling_param");
  if (layer.param().top_size() > 1) {
    CaffeLayerContext::unsupported("its second top, the places of the maxima, is not supported");
  }
  const Pool op = pool_of(param);
  if (param.pool() == PoolingParameter::STOCHASTIC) {
    add_stochastic(layer, op);
  } else {
    layer.add(op);
  }
}

}  // namespace octavo::graph
