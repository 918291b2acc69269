// SPDX-License-Identifier: Apache-2.0
// Linear in fp32, on oneDNN.
#include <string_view>
#include <utility>

#include "graph/axes.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/onednn_layer.h"

namespace octavo::runtime {
namespace {

using dnnl::memory;

/// [out][columns] weights in the order `wanted`; `image` is the channels-last input's shape, whose columns follow each
/// other as [H][W][C], or empty where they lie as stored.
memory pack_weights(const graph::Linear& op, const Shape& image, const memory::desc& wanted,
                    const dnnl::engine& engine) {
  if (image.empty()) {
    const Shape stored{op.out_features, wanted.dims()[1]};
    return pack_constant(*op.weights, onednn_desc(stored, Layout::plain), wanted, engine);
  }
  const Shape stored{op.out_features, image[1], image[2], image[3]};
  memory permuted =
      pack_constant(*op.weights, onednn_desc(stored, Layout::plain), onednn_desc(stored, Layout::nhwc), engine);
  const memory rows(onednn_desc({stored[0], stored[1] * stored[2] * stored[3]}, Layout::plain), engine,
                    permuted.get_data_handle());
  return repack(rows, wanted, engine);
}

using Forward = dnnl::inner_product_forward;

/// oneDNN's first offer; for a single row its matrix-vector product, where it has one: that reads the weights a third
/// faster than the blocked kernel (VGG's fc6: 18 against 24 ms).
Forward::primitive_desc choose(const Forward::desc& desc, const dnnl::primitive_attr& attributes, std::int64_t rows,
                               const dnnl::engine& engine) {
  Forward::primitive_desc first(desc, attributes, engine);
  if (rows != 1) return first;
  Forward::primitive_desc other(desc, attributes, engine);
  do {
    if (std::string_view(other.impl_info_str()).find(":gemm") != std::string_view::npos) return other;
  } while (other.next_impl());
  return first;
}

}  // namespace

BuiltStep build_linear(const StepRequest& request) {
  const auto& op = std::get<graph::Linear>(request.node.op);
  const dnnl::engine& engine = request.context.engine;
  const Shape& x = request.input_shape();
  const auto rank = static_cast<std::int64_t>(x.size());
  const std::int64_t axis = graph::canonical_axis(op.axis, rank);
  const std::int64_t rows = graph::count_between(x, 0, axis), columns = graph::count_between(x, axis, rank);
  const bool image = request.input_layouts[0] == Layout::nhwc;  // stays as it is: the weights follow
  const Forward::desc desc(dnnl::prop_kind::forward_inference, onednn_desc({rows, columns}, Layout::plain),
                           onednn_any({op.out_features, columns}),
                           op.bias ? onednn_any({op.out_features}) : memory::desc(),
                           onednn_desc({rows, op.out_features}, Layout::plain));
  const Forward::primitive_desc chosen = choose(desc, onednn_attributes(op.activation, op.add_residual), rows, engine);

  OnednnLayer layer{OnednnCall(Forward(chosen), engine), chosen.impl_info_str(), {}, {}, {}};
  layer.call.bind_slot(DNNL_ARG_SRC, chosen.src_desc(), request.inputs[0]);
  layer.call.bind_slot(DNNL_ARG_DST, chosen.dst_desc(), request.outputs[0]);
  layer.call.bind_constant(DNNL_ARG_WEIGHTS, pack_weights(op, image ? x : Shape{}, chosen.weights_desc(), engine));
  if (op.bias)
    layer.call.bind_constant(DNNL_ARG_BIAS, pack_constant(*op.bias, onednn_desc({op.out_features}, Layout::plain),
                                                          chosen.bias_desc(), engine));
  layer.call.bind_scratch(chosen.scratchpad_desc());
  if (op.activation.slopes) layer.slopes = graph::to_float(*op.activation.slopes);
  if (request.inputs.size() > 1) layer.residual = request.inputs[1];
  return make_onednn_step(request, std::move(layer), Layout::plain, {rows, op.out_features, 1});
}

}  // namespace octavo::runtime
