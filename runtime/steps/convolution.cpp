// SPDX-License-Identifier: Apache-2.0
// Convolution and Deconvolution in fp32, on oneDNN.
#include <optional>
#include <utility>

#include "runtime/steps/builders.h"
#include "runtime/steps/onednn_layer.h"
#include "runtime/steps/pointwise.h"

namespace octavo::runtime {
namespace {

using dnnl::memory;

/// What both directions of convolution tell oneDNN in the same way.
struct Geometry {
  memory::dims strides, dilates, pad_begin, pad_end;
};

/// `in` and `out` of the convolution, or the other way round for a deconvolution. The padding after the image follows
/// from the sizes: what is over is never read.
template <class Op>
Geometry geometry_of(const Op& op, const Shape& in, const Shape& out) {
  Geometry geometry;
  for (std::size_t side = 0; side < 2; ++side) {
    const std::int64_t covered = op.dilation[side] * (op.kernel[side] - 1) + 1;
    geometry.strides.push_back(op.stride[side]);
    geometry.dilates.push_back(op.dilation[side] - 1);  // oneDNN counts the pixels left out
    geometry.pad_begin.push_back(op.pad_begin[side]);
    geometry.pad_end.push_back((out[2 + side] - 1) * op.stride[side] + covered - in[2 + side] - op.pad_begin[side]);
  }
  return geometry;
}

template <class Forward, class Op>
BuiltStep finish(const StepRequest& request, const Op& op, const typename Forward::primitive_desc& chosen,
                 memory weights, std::optional<graph::Unary> function = std::nullopt) {
  const dnnl::engine& engine = request.context.engine;
  OnednnLayer layer{OnednnCall(Forward(chosen), engine), chosen.impl_info_str(), {}, {}, {}};
  layer.call.bind_slot(DNNL_ARG_SRC, chosen.src_desc(), request.inputs[0]);
  layer.call.bind_slot(DNNL_ARG_DST, chosen.dst_desc(), request.outputs[0]);
  layer.call.bind_constant(DNNL_ARG_WEIGHTS, std::move(weights));
  if (op.bias)
    layer.call.bind_constant(DNNL_ARG_BIAS, pack_constant(*op.bias, onednn_desc({op.out_channels}, Layout::plain),
                                                          chosen.bias_desc(), engine));
  layer.function = std::move(function);
  layer.call.bind_scratch(chosen.scratchpad_desc());
  if (op.activation.slopes) layer.slopes = graph::to_float(*op.activation.slopes);
  if (request.inputs.size() > 1) layer.residual = request.inputs[1];
  return make_onednn_step(request, std::move(layer), Layout::nhwc,
                          view_from_channels(request.output_shape(), Layout::nhwc));
}

}  // namespace

BuiltStep build_convolution(const StepRequest& request) {
  using Forward = dnnl::convolution_forward;
  const auto& op = std::get<graph::Convolution>(request.node.op);
  const Shape& stored = op.weights->shape;  // [out][in / groups][kh][kw]
  const Shape shape =
      op.groups == 1 ? stored : Shape{op.groups, stored[0] / op.groups, stored[1], stored[2], stored[3]};
  const Geometry geometry = geometry_of(op, request.input_shape(), request.output_shape());
  // `auto` is always a direct convolution here: oneDNN's fp32 Winograd has to be asked for by name.
  const Forward::desc desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_auto,
                           onednn_desc(request.input_shape(), Layout::nhwc), onednn_any(shape),
                           op.bias ? onednn_any({op.out_channels}) : memory::desc(),
                           onednn_desc(request.output_shape(), Layout::nhwc), geometry.strides, geometry.dilates,
                           geometry.pad_begin, geometry.pad_end);
  const Forward::primitive_desc chosen(desc, onednn_attributes(op.activation, op.add_residual), request.context.engine);
  memory weights =
      pack_constant(*op.weights, onednn_desc(shape, Layout::plain), chosen.weights_desc(), request.context.engine);
  return finish<Forward>(request, op, chosen, std::move(weights));
}

BuiltStep build_deconvolution(const StepRequest& request) {
  using Forward = dnnl::deconvolution_forward;
  using Tag = memory::format_tag;
  const auto& op = std::get<graph::Deconvolution>(request.node.op);
  if (makes_blocks(op)) return build_block_deconvolution(request);
  const Shape& stored = op.weights->shape;  // [in][out / groups][kh][kw]; oneDNN's dimensions have `out` first
  const std::int64_t in = stored[0] / op.groups, out = stored[1];
  const bool single = op.groups == 1;
  const Shape shape = single ? Shape{out, in, stored[2], stored[3]} : Shape{op.groups, out, in, stored[2], stored[3]};
  const memory::desc source(shape, memory::data_type::f32, single ? Tag::bacd : Tag::acbde);
  const Geometry geometry = geometry_of(op, request.output_shape(), request.input_shape());
  const Forward::desc desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::deconvolution_direct,
                           onednn_desc(request.input_shape(), Layout::nhwc), onednn_any(shape),
                           op.bias ? onednn_any({op.out_channels}) : memory::desc(),
                           onednn_desc(request.output_shape(), Layout::nhwc), geometry.strides, geometry.dilates,
                           geometry.pad_begin, geometry.pad_end);
  // oneDNN's deconvolution applies an activation number by number, at four times the cost of all the rest.
  const Forward::primitive_desc chosen(desc, onednn_attributes({}, false), request.context.engine);
  memory weights = pack_constant(*op.weights, source, chosen.weights_desc(), request.context.engine);
  return finish<Forward>(request, op, chosen, std::move(weights), function_of(op.activation));
}

}  // namespace octavo::runtime
