// SPDX-License-Identifier: Apache-2.0
// Convolutions: over pictures in either layout, dilated, separable, over time.
#include <fmt/core.h>

#include <algorithm>

#include "graph/check.h"
#include "graph/import/bigdl_layers.h"
#include "graph/import/bigdl_permuted.h"

namespace octavo::graph {
namespace {

std::int64_t either(const BigdlAttributes& attributes, std::string_view name, std::string_view other) {
  return attributes.has(name) ? attributes.integer(name) : attributes.integer(other);
}

/// As [out][in / groups][kh][kw]. Channels-last layers keep [groups][kh][kw][in / groups][out / groups].
BlobPtr convolution_weights(const BigdlLayer& layer, const Convolution& op, std::int64_t in, bool last) {
  const std::int64_t groups = op.groups, ins = in / groups, outs = op.out_channels / groups;
  const Shape shape{op.out_channels, ins, op.kernel[0], op.kernel[1]};
  if (!last) return layer.parameter(0, shape);
  const Shape stored{groups, op.kernel[0], op.kernel[1], ins, outs};
  const BlobPtr weights = layer.parameter(0, stored);
  layer.tensors().budget().take(element_count(shape));
  return make_blob(shape, permuted<float>(weights->f32.values, stored, {0, 4, 3, 1, 2}));
}

/// Weights of a separable convolution stand among its attributes, too, and in some releases only there.
BlobPtr separable_weights(const BigdlLayer& layer, std::size_t which, std::string_view name, const Shape& shape) {
  if (layer.has_parameter(which)) return layer.parameter(which, shape);
  const auto tensor = layer.attributes().tensor(name);
  if (!tensor) BigdlLayer::malformed(fmt::format("its '{}' is not in the file", name));
  return BigdlLayer::reshaped(layer.tensors().blob(*tensor), shape);
}

void add_convolution(BigdlLayer& layer, bool last) {
  const ValueId x = layer.channels_first(layer.x_of_rank(4), last);
  Convolution op = bigdl_convolution_of(layer, layer.shape(x));
  op.weights = convolution_weights(layer, op, layer.shape(x)[1], last);
  if (layer.has_parameter(1) && layer.attributes().flag("withBias", true)) {
    op.bias = bigdl_bias(layer, 1, op.out_channels);
  }
  layer.result(layer.channels_last(layer.add_main(std::move(op), {x}), last));
}

}  // namespace

BigdlPadding bigdl_same_padding(std::int64_t in, std::int64_t kernel, std::int64_t stride) {
  require(stride > 0, "a stride of {}", stride);
  const std::int64_t out = (in - 1) / stride + 1;
  const std::int64_t total =
      std::max<std::int64_t>(checked_sum(checked_product(out - 1, stride), checked_sum(kernel, -in)), 0);
  return {total / 2, total - total / 2};
}

void set_bigdl_padding(const BigdlLayer& layer, const Shape& nchw, const Pair& kernel, const Pair& stride,
                       Pair& pad_begin, Pair& pad_end) {
  const Pair pad{layer.attributes().integer("padH", 0), layer.attributes().integer("padW", 0)};
  pad_begin = pad_end = pad;
  if (pad != Pair{-1, -1}) return;
  for (std::size_t i = 0; i < 2; ++i) {
    const BigdlPadding same = bigdl_same_padding(nchw[2 + i], kernel[i], stride[i]);
    pad_begin[i] = same.begin;
    pad_end[i] = same.end;
  }
}

BlobPtr bigdl_bias(const BigdlLayer& layer, std::size_t parameter, std::int64_t channels) {
  return layer.parameter(parameter, {channels});
}

Convolution bigdl_convolution_of(const BigdlLayer& layer, const Shape& nchw) {
  const BigdlAttributes& attributes = layer.attributes();
  Convolution op;
  op.out_channels = attributes.integer("nOutputPlane");
  op.groups = attributes.integer("nGroup", 1);
  op.kernel = {either(attributes, "kernelH", "kH"), either(attributes, "kernelW", "kW")};
  op.stride = {either(attributes, "strideH", "dH"), either(attributes, "strideW", "dW")};
  op.dilation = {attributes.integer("dilationH", 1), attributes.integer("dilationW", 1)};
  for (std::size_t i = 0; i < 2; ++i) {
    require(op.kernel[i] > 0 && op.stride[i] > 0 && op.dilation[i] > 0,
            "a kernel of {}, a stride of {}, a dilation of {}", op.kernel[i], op.stride[i], op.dilation[i]);
  }
  require(op.groups > 0 && op.out_channels > 0 && op.out_channels % op.groups == 0, "{} outputs in {} groups",
          op.out_channels, op.groups);
  const std::int64_t in = attributes.integer("nInputPlane");
  if (in != nchw[1]) BigdlLayer::malformed(fmt::format("it takes {} channels and is given {}", in, to_text(nchw)));
  require(in % op.groups == 0, "{} channels in {} groups", in, op.groups);
  set_bigdl_padding(layer, nchw, op.kernel, op.stride, op.pad_begin, op.pad_end);
  return op;
}

void convert_bigdl_convolution(BigdlLayer& layer) { add_convolution(layer, layer.attributes().channels_last()); }

void convert_bigdl_dilated_convolution(BigdlLayer& layer) { add_convolution(layer, false); }

/// A grouped convolution of one group a channel, then 1x1. The first weights are [multiplier][in][kh][kw], or, channels
/// last, [kh][kw][in][multiplier]; the second [out][in * multiplier], or turned.
void convert_bigdl_separable_convolution(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  const bool last = attributes.channels_last("dataFormat");
  const ValueId x = layer.channels_first(layer.x_of_rank(4), last);
  const std::int64_t in = attributes.integer("nInputChannel"), multiplier = attributes.integer("depthMultiplier");
  const std::int64_t out = attributes.integer("nOutputChannel");
  Convolution depth;
  depth.kernel = {attributes.integer("kH"), attributes.integer("kW")};
  depth.stride = {attributes.integer("sH", 1), attributes.integer("sW", 1)};
  const Pair pad{attributes.integer("pH", 0), attributes.integer("pW", 0)};
  depth.pad_begin = depth.pad_end = pad;
  require(in > 0 && multiplier > 0 && out > 0 && depth.kernel[0] > 0 && depth.kernel[1] > 0,
          "{} x {} channels, a kernel of {} x {}", in, multiplier, depth.kernel[0], depth.kernel[1]);
  const std::int64_t inner = checked_product(in, multiplier);
  for (std::size_t i = 0; pad == Pair{-1, -1} && i < 2; ++i) {
    const BigdlPadding same = bigdl_same_padding(layer.shape(x)[2 + i], depth.kernel[i], depth.stride[i]);
    depth.pad_begin[i] = same.begin;
    depth.pad_end[i] = same.end;
  }
  depth.groups = in;
  depth.out_channels = inner;
  const Shape first = last ? Shape{depth.kernel[0], depth.kernel[1], in, multiplier}
                           : Shape{multiplier, in, depth.kernel[0], depth.kernel[1]};
  const BlobPtr stored = separable_weights(layer, 0, "depthWeight", first);
  layer.tensors().budget().take(element_count(first));
  depth.weights = make_blob({inner, 1, depth.kernel[0], depth.kernel[1]},
                            last ? permuted<float>(stored->f32.values, first, {2, 3, 0, 1})
                                 : permuted<float>(stored->f32.values, first, {1, 0, 2, 3}));
  Convolution point;
  point.out_channels = out;
  const BlobPtr second = separable_weights(layer, 1, "pointWeight", last ? Shape{inner, out} : Shape{out, inner});
  point.weights = BigdlLayer::reshaped(second, {out, inner, 1, 1});
  if (last) {
    layer.tensors().budget().take(element_count(second->shape));
    point.weights = make_blob({out, inner, 1, 1}, permuted<float>(second->f32.values, {inner, out}, {1, 0}));
  }
  if (attributes.flag("hasBias", true)) point.bias = separable_weights(layer, 2, "bias", {out});
  const ValueId between = layer.add(std::move(depth), {x});
  layer.result(layer.channels_last(layer.add_main(std::move(point), {between}), last));
}

/// x is [N][time][features]; the weights [out][kernel * features], of one time after the other.
void convert_bigdl_temporal_convolution(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  const Shape x = layer.shape(layer.x_of_rank(3));
  const std::int64_t in = attributes.integer("inputFrameSize"), kernel = attributes.integer("kernelW");
  Convolution op;
  op.out_channels = attributes.integer("outputFrameSize");
  op.kernel = {1, kernel};
  op.stride = {1, attributes.integer("strideW", 1)};
  require(in > 0 && kernel > 0 && op.out_channels > 0, "a kernel of {} x {} to {}", kernel, in, op.out_channels);
  if (in != x[2]) BigdlLayer::malformed(fmt::format("it takes {} features and is given {}", in, to_text(x)));
  const Shape stored{op.out_channels, kernel, in};
  const BlobPtr weights = layer.parameter(0, stored);
  layer.tensors().budget().take(element_count(stored));
  op.weights = make_blob({op.out_channels, in, 1, kernel}, permuted<float>(weights->f32.values, stored, {0, 2, 1}));
  op.bias = bigdl_bias(layer, 1, op.out_channels);
  const ValueId turned = layer.add_permute(layer.x(), {0, 2, 1});
  const ValueId image = layer.add_reshape_dims(turned, {0, 0, 1, -1});
  const ValueId y = layer.add_main(std::move(op), {image});
  layer.result(layer.add_permute(layer.add_reshape_dims(y, {0, 0, -1}), {0, 2, 1}));
}

}  // namespace octavo::graph
