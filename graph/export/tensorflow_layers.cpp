// SPDX-License-Identifier: Apache-2.0
// Layers with weights, pools and normalization as TensorFlow nodes.
#include <algorithm>
#include <limits>
#include <utility>

#include "graph/axes.h"
#include "graph/export/tensorflow_exporter.h"
#include "graph/transposed.h"

namespace octavo::graph {
namespace {

std::vector<std::int64_t> over_pixels(const Pair& pair) { return {1, pair[0], pair[1], 1}; }

/// [a][b][height][width] as [height][width][second][first], or, not `swapped`, [height][width][first][second].
std::vector<float> kernel_last(const Blob& weights, bool swapped) {
  const std::vector<float> numbers = to_float(weights);
  const std::int64_t first = weights.shape[0], second = weights.shape[1], taps = weights.shape[2] * weights.shape[3];
  std::vector<float> result(numbers.size());
  std::size_t at = 0;
  for (std::int64_t a = 0; a < first; ++a) {
    for (std::int64_t b = 0; b < second; ++b) {
      for (std::int64_t tap = 0; tap < taps; ++tap, ++at) {
        const std::int64_t place = swapped ? b * first + a : a * second + b;
        result[static_cast<std::size_t>(tap * first * second + place)] = numbers[at];
      }
    }
  }
  return result;
}

std::int64_t same_total(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t dilation) {
  const std::int64_t out = (in - 1) / stride + 1;
  return std::max<std::int64_t>((out - 1) * stride + dilation * (kernel - 1) + 1 - in, 0);
}

}  // namespace

bool TensorflowNodeExporter::plain_layer(const BlobPtr& bias, bool residual, const Activation& activation) {
  return !bias && !residual && activation.kind == jit::ActivationKind::none;
}

void TensorflowNodeExporter::finish_layer(std::string product, const BlobPtr& bias, bool residual,
                                          const Activation& activation) {
  if (plain_layer(bias, residual, activation)) return;
  const bool activates = activation.kind != jit::ActivationKind::none;
  if (bias) {
    const std::vector<std::string> inputs{product, constant("bias", *bias, bias->shape)};
    layer("BiasAdd", inputs, !residual && !activates, product);
  }
  if (residual) layer("AddV2", {product, operand(1)}, !activates, product);
  if (activates) done(activated(product, activation));
}

/// SAME where that says the same, VALID, or the numbers.
void TensorflowNodeExporter::write_padding(TensorflowNodeWriter& writer, const Pair& kernel, const Pair& stride,
                                           const Pair& dilation, const Pair& begin, const Pair& end,
                                           const Shape& picture) {
  if (begin == Pair{0, 0} && end == Pair{0, 0}) {
    writer.set("padding", std::string_view("VALID"));
    return;
  }
  bool same = true;
  for (std::size_t side = 0; side < 2; ++side) {
    const std::int64_t total = same_total(picture[2 + side], kernel[side], stride[side], dilation[side]);
    same = same && begin[side] == total / 2 && end[side] == total - total / 2;
  }
  if (same) {
    writer.set("padding", std::string_view("SAME"));
    return;
  }
  writer.set("padding", std::string_view("EXPLICIT"));
  writer.set("explicit_paddings", std::vector<std::int64_t>{0, 0, begin[0], end[0], begin[1], end[1], 0, 0});
}

void TensorflowNodeExporter::write(const Convolution& op) {
  pixels_ = true;
  const Shape& shape = op.weights->shape;
  const bool alone = plain_layer(op.bias, op.add_residual, op.activation);
  const bool depthwise = op.groups > 1 && op.groups == in_shape()[1] && op.stride[0] == op.stride[1];
  std::string weights, result;
  if (depthwise) {  // [out = channels * multiples][1][h][w] as [h][w][channels][multiples]
    weights =
        constant("weights", {shape[2], shape[3], op.groups, shape[0] / op.groups}, kernel_last(*op.weights, false));
  } else {
    weights = constant("weights", {shape[2], shape[3], shape[1], shape[0]}, kernel_last(*op.weights, true));
  }
  TensorflowNodeWriter writer =
      layer(depthwise ? "DepthwiseConv2dNative" : "Conv2D", {pixels(), weights}, alone, result);
  writer.set("strides", over_pixels(op.stride))
      .set("dilations", over_pixels(op.dilation))
      .set("data_format", std::string_view("NHWC"));
  write_padding(writer, op.kernel, op.stride, op.dilation, op.pad_begin, op.pad_end, in_shape());
  finish_layer(result, op.bias, op.add_residual, op.activation);
}

/// The gradient of the convolution that goes the other way.
void TensorflowNodeExporter::write(const Deconvolution& op) {
  if (op.groups != 1) cannot("a transposed convolution in groups");
  pixels_ = true;
  const Shape& shape = op.weights->shape;  // [in][out][h][w]
  const bool alone = plain_layer(op.bias, false, op.activation);
  const std::string sizes = integers("sizes", own_order(out_shape()));
  const std::string weights =
      constant("weights", {shape[2], shape[3], shape[1], shape[0]}, kernel_last(*op.weights, true));
  std::string result;
  TensorflowNodeWriter writer = layer("Conv2DBackpropInput", {sizes, weights, pixels()}, alone, result);
  writer.set("strides", over_pixels(op.stride))
      .set("dilations", over_pixels(op.dilation))
      .set("data_format", std::string_view("NHWC"));
  write_padding(writer, op.kernel, op.stride, op.dilation, op.pad_begin, op.pad_end, out_shape());
  finish_layer(result, op.bias, false, op.activation);
}

void TensorflowNodeExporter::write(const Linear& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  if (axis == 0) cannot("a product over all dimensions, the first one too: it has no rows");
  const std::int64_t outs = op.weights->shape[0], ins = op.weights->shape[1];
  const bool alone = plain_layer(op.bias, op.add_residual, op.activation);
  std::vector<float> weights = transposed<float>(to_float(*op.weights), outs, ins);
  std::string x, result;
  if (axis == 1 && rank() == 4 && names_.pixels.contains(node_.inputs[0])) {
    // The map's pixels come in TensorFlow's order: so do the weights' rows.
    const Shape& shape = in_shape();
    std::vector<float> turned(weights.size());
    const std::int64_t taps = shape[2] * shape[3];
    for (std::int64_t c = 0; c < shape[1]; ++c) {
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        std::copy_n(weights.begin() + (c * taps + tap) * outs, outs, turned.begin() + (tap * shape[1] + c) * outs);
      }
    }
    weights = std::move(turned);
    x = step("Reshape", {pixels(), integers("shape", {-1, ins})});
  } else if (rank() == 2 || axis == rank() - 1) {
    x = in();
  } else {
    std::vector<std::int64_t> dims(in_shape().begin(), in_shape().begin() + axis);
    dims.push_back(ins);
    dims[0] = -1;
    x = step("Reshape", {in(), integers("shape", dims)});
  }
  const std::string matrix = constant("weights", {ins, outs}, weights);
  layer(axis == 1 ? "MatMul" : "BatchMatMulV2", {x, matrix}, alone, result);
  finish_layer(result, op.bias, op.add_residual, op.activation);
}

void TensorflowNodeExporter::write(const BatchNorm& op) {
  const std::int64_t channels = element_count(op.mean->shape);
  const auto count = static_cast<std::size_t>(channels);
  if (rank() == 4) {
    pixels_ = true;
    last("FusedBatchNormV3", {pixels(), constant("scale", {channels}, std::vector<float>(count, 1.0F)),
                              constant("offset", {channels}, std::vector<float>(count, 0.0F)),
                              constant("mean", *op.mean, {channels}), constant("variance", *op.variance, {channels})})
        .set("U", tensorflow::DT_FLOAT)
        .set("epsilon", op.epsilon)
        .set("is_training", false)
        .set("data_format", std::string_view("NHWC"));
    return;
  }
  Shape shape{channels};
  shape.insert(shape.end(), static_cast<std::size_t>(std::max<std::int64_t>(rank() - 2, 0)), 1);
  const std::string centered = step("Sub", {in(), constant("mean", *op.mean, shape)});
  const std::string root =
      step("Rsqrt", {step("AddV2", {constant("variance", *op.variance, shape), constant("epsilon", op.epsilon)})});
  last("Mul", {centered, root});
}

void TensorflowNodeExporter::write(const Lrn& op) {
  if (!op.across_channels) cannot("a normalization over neighbouring pixels within a channel");
  if (op.size % 2 == 0) cannot("a normalization over an even number of channels");
  pixels_ = true;
  last("LRN", {pixels()})
      .set("depth_radius", op.size / 2)
      .set("alpha", op.alpha / static_cast<float>(op.size))
      .set("beta", op.beta)
      .set("bias", op.k);
}

void TensorflowNodeExporter::write(const Pool& op) {
  pixels_ = true;
  const bool maximum = op.kind == PoolKind::max;
  if (op.global) {
    last(maximum ? "Max" : "Mean", {pixels(), integers("axes", {1, 2})})
        .set("Tidx", tensorflow::DT_INT32)
        .set("keep_dims", true);
    return;
  }
  Pair end = op.pad_end;
  bool padded = op.pad_begin != Pair{0, 0} || op.pad_end != Pair{0, 0}, same = padded, clipped = false;
  for (std::size_t side = 0; side < 2; ++side) {
    const std::int64_t in = in_shape()[2 + side], out = out_shape()[2 + side];
    const std::int64_t total = same_total(in, op.kernel[side], op.stride[side], 1);
    same = same && op.pad_begin[side] == total / 2 && op.pad_end[side] == total - total / 2;
    // What a last window that was rounded up reaches beyond the padding.
    const std::int64_t reach = (out - 1) * op.stride[side] + op.kernel[side] - op.pad_begin[side] - in;
    clipped = clipped || reach > op.pad_end[side];
    end[side] = std::max(end[side], reach);
  }
  const bool by_same = same && !clipped && (maximum || !op.include_padding);
  std::string x = pixels();
  if (!by_same && (padded || clipped)) {
    if (!maximum && (!op.include_padding || clipped)) cannot("an average over windows that are cut off at an edge");
    const std::string pads =
        writer_.pairs(part("paddings"), {0, 0, op.pad_begin[0], end[0], op.pad_begin[1], end[1], 0, 0});
    std::string result;
    step("PadV2", {x, pads, constant("value", maximum ? std::numeric_limits<float>::lowest() : 0.0F)}, result)
        .set("Tpaddings", tensorflow::DT_INT32);
    x = result;
  }
  last(maximum ? "MaxPool" : "AvgPool", {x})
      .set("ksize", over_pixels(op.kernel))
      .set("strides", over_pixels(op.stride))
      .set("padding", std::string_view(by_same ? "SAME" : "VALID"))
      .set("data_format", std::string_view("NHWC"));
}

void TensorflowNodeExporter::write(const LayerNorm& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  std::vector<std::int64_t> axes;
  for (std::int64_t d = axis; d < rank(); ++d) axes.push_back(d);
  const Shape row(in_shape().begin() + axis, in_shape().end());
  const auto mean_of = [&](const std::string& x) {
    std::string result;
    step("Mean", {x, integers("axes", axes)}, result).set("Tidx", tensorflow::DT_INT32).set("keep_dims", true);
    return result;
  };
  const std::string centered = op.centered ? step("Sub", {in(), mean_of(in())}) : in();
  const std::string variance = mean_of(step("Square", {centered}));
  const std::string root = step("Rsqrt", {step("AddV2", {variance, constant("epsilon", op.epsilon)})});
  std::string y = step("Mul", {centered, root});
  if (op.factor) y = step("Mul", {y, constant("scale", *op.factor, row)});
  if (op.offset) y = step("AddV2", {y, constant("offset", *op.offset, row)});
  done(y);
}

void TensorflowNodeExporter::write(const Normalize& op) {
  pixels_ = true;
  std::string sum;
  const std::vector<std::int64_t> axes =
      op.across_spatial ? std::vector<std::int64_t>{1, 2, 3} : std::vector<std::int64_t>{3};
  step("Sum", {step("Square", {pixels()}), integers("axes", axes)}, sum)
      .set("Tidx", tensorflow::DT_INT32)
      .set("keep_dims", true);
  const std::string root = step("Rsqrt", {step("AddV2", {sum, constant("epsilon", op.epsilon)})});
  last("Mul", {step("Mul", {pixels(), root}), constant("factor", *op.factor, {element_count(op.factor->shape)})});
}

/// TensorFlow's is over the last dimension.
void TensorflowNodeExporter::write(const Softmax& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  pixels_ = in_pixels() && axis == 1;
  if (pixels_ || axis == rank() - 1) {
    last("Softmax", {operand()});
    return;
  }
  std::vector<std::int64_t> order;
  for (std::int64_t d = 0; d < rank(); ++d) order.push_back(d);
  std::swap(order[static_cast<std::size_t>(axis)], order.back());
  std::string turned;
  step("Transpose", {in(), integers("order", order)}, turned).set("Tperm", tensorflow::DT_INT32);
  const std::string y = step("Softmax", {turned});
  last("Transpose", {y, integers("order", order)}).set("Tperm", tensorflow::DT_INT32);
}

void TensorflowNodeExporter::write(const MatMul&) {
  const bool matrices = rank(0) == 2 && rank(1) == 2;
  last(matrices ? "MatMul" : "BatchMatMulV2", {in(0), in(1)});
}

}  // namespace octavo::graph
