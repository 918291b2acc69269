// SPDX-License-Identifier: Apache-2.0
// Layers that combine bottoms element by element, or elements along axes: Eltwise, Softmax, Reduction, ArgMax.
#include "graph/import/caffe_layers.h"

namespace octavo::graph {

void convert_softmax(CaffeLayerContext& layer) {
  layer.add(Softmax{.axis = static_cast<std::int64_t>(layer.axis(layer.param().softmax_param().axis()))});
}

void convert_eltwise(CaffeLayerContext& layer) {
  using caffe::EltwiseParameter;
  const auto& param = layer.param().eltwise_param();
  Eltwise op;
  op.kind = param.operation() == EltwiseParameter::SUM    ? EltwiseKind::sum
            : param.operation() == EltwiseParameter::PROD ? EltwiseKind::product
                                                          : EltwiseKind::max;
  // Caffe knows coefficients of a sum only: it refuses those of a product and ignores those of a maximum.
  if (op.kind != EltwiseKind::max) op.coefficients.assign(param.coeff().begin(), param.coeff().end());
  layer.add(std::move(op));
}

void convert_reduction(CaffeLayerContext& layer) {
  using caffe::ReductionParameter;
  const auto& param = layer.param().reduction_param();
  Reduction op;
  switch (param.operation()) {
    case ReductionParameter::SUM:
      op.kind = ReductionKind::sum;
      break;
    case ReductionParameter::ASUM:
      op.kind = ReductionKind::abs_sum;
      break;
    case ReductionParameter::SUMSQ:
      op.kind = ReductionKind::square_sum;
      break;
    case ReductionParameter::MEAN:
      op.kind = ReductionKind::mean;
      break;
  }
  op.axis = static_cast<std::int64_t>(layer.axis(param.axis()));
  op.coefficient = param.coeff();
  layer.add(std::move(op));
}

void convert_argmax(CaffeLayerContext& layer) {
  const auto& param = layer.param().argmax_param();
  ArgMax op;
  op.has_axis = param.has_axis();
  op.axis = op.has_axis ? static_cast<std::int64_t>(layer.axis(param.axis())) : 1;
  op.top_k = param.top_k();
  op.out_max_value = param.out_max_val();
  layer.add(std::move(op));
}

}  // namespace octavo::graph
