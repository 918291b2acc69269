// SPDX-License-Identifier: Apache-2.0
// Linear in fp32, on oneDNN.
#include <utility>

#include "graph/axes.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/onednn_layer.h"

namespace octavo::runtime {

BuiltStep build_linear(const StepRequest& request) {
  using Forward = dnnl::inner_product_forward;
  using dnnl::memory;
  const auto& op = std::get<graph::Linear>(request.node.op);
  const dnnl::engine& engine = request.context.engine;
  const Shape& x = request.input_shape();
  const auto rank = static_cast<std::int64_t>(x.size());
  const std::int64_t axis = graph::canonical_axis(op.axis, rank);
  const std::int64_t rows = graph::count_between(x, 0, axis), columns = graph::count_between(x, axis, rank);

  // A channels-last image stays as it is: oneDNN orders the weights to match.
  const bool image = request.input_layouts[0] == Layout::nhwc;
  const Shape source = image ? x : Shape{rows, columns};
  Shape weight_shape = source;
  weight_shape[0] = op.out_features;
  const Shape target{rows, op.out_features};
  const Forward::desc desc(dnnl::prop_kind::forward_inference, onednn_desc(source, request.input_layouts[0]),
                           onednn_any(weight_shape), op.bias ? onednn_any({op.out_features}) : memory::desc(),
                           onednn_desc(target, Layout::plain));
  const Forward::primitive_desc chosen(desc, onednn_attributes(op.activation, op.add_residual), engine);

  OnednnLayer layer{OnednnCall(Forward(chosen), engine), chosen.impl_info_str(), {}, {}};
  layer.call.bind_slot(DNNL_ARG_SRC, chosen.src_desc(), request.inputs[0]);
  layer.call.bind_slot(DNNL_ARG_DST, chosen.dst_desc(), request.outputs[0]);
  layer.call.bind_constant(DNNL_ARG_WEIGHTS, pack_constant(*op.weights, onednn_desc(weight_shape, Layout::plain),
                                                           chosen.weights_desc(), engine));
  if (op.bias)
    layer.call.bind_constant(DNNL_ARG_BIAS, pack_constant(*op.bias, onednn_desc({op.out_features}, Layout::plain),
                                                          chosen.bias_desc(), engine));
  layer.call.bind_scratch(chosen.scratchpad_desc());
  if (op.activation.slopes) layer.slopes = graph::to_float(*op.activation.slopes);
  if (request.inputs.size() > 1) layer.residual = request.inputs[1];
  return make_onednn_step(request, std::move(layer), Layout::plain, {rows, op.out_features, 1});
}

}  // namespace octavo::runtime
