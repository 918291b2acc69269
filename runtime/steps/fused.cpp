// SPDX-License-Identifier: Apache-2.0
// FusedConvolution and FusedLinear: what a layer is to the machine-code layer.
#include <string>
#include <utility>

#include "graph/axes.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/integer_layer.h"

namespace octavo::runtime {
namespace {

jit::Epilogue epilogue_of(const graph::BlobPtr& bias, bool residual, const graph::Activation& activation) {
  return {bias != nullptr, residual, activation.kind, activation.slope};
}

std::string algorithm_of(const jit::ConvSpec& spec) {
  const std::string kernel = std::to_string(spec.kernel_h) + "x" + std::to_string(spec.kernel_w);
  if (spec.depthwise()) return "int8 depthwise " + kernel;
  if (spec.pointwise()) return "int8 GEMM 1x1";
  return "int8 direct " + kernel;
}

/// Whether every pixel is a window of its own. Windows of several pixels must neither change their shape nor reach from
/// one image into the next.
bool windows_are_pixels(const jit::ConvSpec& spec) { return spec.window.tile_h <= 1 && spec.window.tile_w <= 1; }

/// Images one after the other are one image of a single row: a pixel's outputs need that pixel alone.
void flatten_pointwise(jit::ConvSpec& spec, std::int64_t& images) {
  spec.in_w = spec.out_w = images * spec.in_h * spec.in_w;
  spec.in_h = spec.out_h = 1;
  images = 1;
}

LayerWork work_of(const jit::ConvSpec& spec, std::int64_t images) {
  return {.images = images,
          .in_channels = spec.in_channels,
          .out_channels = spec.out_channels,
          .groups = spec.groups,
          .in_h = spec.in_h,
          .in_w = spec.in_w,
          .out_h = spec.out_h,
          .out_w = spec.out_w,
          .kernel_h = spec.kernel_h,
          .kernel_w = spec.kernel_w,
          .stride_h = spec.stride_h,
          .stride_w = spec.stride_w,
          .dilation_h = spec.dilation_h,
          .dilation_w = spec.dilation_w,
          .pad_top = spec.pad_top,
          .pad_left = spec.pad_left,
          .nonnegative_input = spec.nonnegative_input,
          .bias = spec.epilogue.bias,
          .residual = spec.epilogue.residual,
          .relu = spec.epilogue.activation == jit::ActivationKind::relu};
}

BuiltStep finish(const StepRequest& request, const IntegerLayerRequest& layer, const LayerWork& work, Layout layout) {
  std::optional<Slot> residual;
  if (request.inputs.size() > 1) residual = request.inputs[1];
  BuiltStep built;
  built.step = make_integer_step(layer, request.context, request.inputs[0], residual, request.outputs[0]);
  built.step->info.work = work;
  built.outputs = {layout};
  if (residual) built.in_place = 1;
  return built;
}

}  // namespace

BuiltStep build_fused_convolution(const StepRequest& request) {
  const auto& op = std::get<graph::FusedConvolution>(request.node.op);
  const graph::Convolution& conv = op.conv;
  const Shape& x = request.input_shape();
  const Shape& y = request.output_shape();
  IntegerLayerRequest layer;
  layer.spec = {.in_channels = x[1],
                .out_channels = y[1],
                .groups = conv.groups,
                .in_h = x[2],
                .in_w = x[3],
                .out_h = op.pool ? 2 * y[2] : y[2],
                .out_w = op.pool ? 2 * y[3] : y[3],
                .kernel_h = conv.kernel[0],
                .kernel_w = conv.kernel[1],
                .stride_h = conv.stride[0],
                .stride_w = conv.stride[1],
                .dilation_h = conv.dilation[0],
                .dilation_w = conv.dilation[1],
                .pad_top = conv.pad_begin[0],
                .pad_left = conv.pad_begin[1],
                .src_pixel_stride = 0,
                .dst_pixel_stride = request.output_pixel_stride,
                .window = conv.window,
                .nonnegative_input = op.nonnegative,
                .epilogue = epilogue_of(conv.bias, conv.add_residual, conv.activation),
                .isa = request.context.isa};
  layer.spec.epilogue.max_pool = op.pool;
  layer.images = x[0];
  layer.algorithm = algorithm_of(layer.spec);
  const LayerWork work = work_of(layer.spec, layer.images);
  if (layer.spec.pointwise() && windows_are_pixels(layer.spec)) flatten_pointwise(layer.spec, layer.images);
  layer.weights = conv.weights;
  layer.bias = conv.bias;
  layer.slopes = conv.activation.slopes;
  return finish(request, layer, work, Layout::nhwc);
}

BuiltStep build_fused_linear(const StepRequest& request) {
  const auto& op = std::get<graph::FusedLinear>(request.node.op);
  const graph::Linear& linear = op.linear;
  const Shape& x = request.input_shape();
  const auto rank = static_cast<std::int64_t>(x.size());
  const std::int64_t axis = graph::canonical_axis(linear.axis, rank);
  const std::int64_t rows = graph::count_between(x, 0, axis);
  IntegerLayerRequest layer;
  layer.spec = {.in_channels = graph::count_between(x, axis, rank),
                .out_channels = linear.out_features,
                .in_w = rows,
                .out_w = rows,
                .window = {.channels = linear.window.channels},  // a row is a window: rows know nothing of each other
                .nonnegative_input = op.nonnegative,
                .epilogue = epilogue_of(linear.bias, linear.add_residual, linear.activation),
                .isa = request.context.isa};
  layer.algorithm = "int8 Linear";
  layer.weights = linear.weights;
  layer.bias = linear.bias;
  layer.slopes = linear.activation.slopes;
  // To the kernels the rows are pixels of one row.
  LayerWork work = work_of(layer.spec, rows);
  work.in_w = work.out_w = 1;
  return finish(request, layer, work, Layout::plain);
}

}  // namespace octavo::runtime
