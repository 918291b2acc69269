// SPDX-License-Identifier: Apache-2.0
// Layers with weights, pools and normalization as ONNX nodes.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "graph/axes.h"
#include "graph/export/onnx_exporter.h"
#include "graph/transposed.h"

namespace octavo::graph {
namespace {

std::vector<std::int64_t> pads_of(const Pair& begin, const Pair& end) { return {begin[0], begin[1], end[0], end[1]}; }
std::vector<std::int64_t> list(const Pair& pair) { return {pair[0], pair[1]}; }

}  // namespace

/// A window of all channels has a scale for each output channel; a narrower one is a block along the input channels,
/// whose scale is repeated for each tap of the kernel.
std::string OnnxNodeExporter::weights(const Blob& blob, bool turn) {
  const std::int64_t rows = blob.shape[0], columns = blob.shape[1];
  Shape shape = blob.shape;
  if (turn) std::swap(shape[0], shape[1]);
  if (!blob.quantized()) {
    const auto& numbers = blob.f32.values;
    return turn ? constant("weights", shape, transposed<float>(numbers, rows, columns))
                : constant("weights", shape, numbers);
  }
  const std::string q = writer_.bytes(
      node_.name + "/weights", shape,
      turn ? std::span<const std::int8_t>(transposed<std::int8_t>(blob.q.values, rows, columns)) : blob.q.values);
  const QuantizationWindow window = std::visit(
      [](const auto& op) {
        if constexpr (requires { op.window; }) return op.window;
        return QuantizationWindow{};
      },
      node_.op);
  std::string result;
  if (window.channels == 0) {
    const std::string scales = constant("scales", {blob.shape[0]}, blob.scales.values);
    step("DequantizeLinear", {q, scales}, result).set("axis", std::int64_t{turn ? 1 : 0});
    return result;
  }
  Shape scale_shape = blob.shape;
  scale_shape[1] = (blob.shape[1] - 1) / blob.window + 1;
  std::int64_t taps = 1;
  for (std::size_t d = 2; d < blob.shape.size(); ++d) taps *= blob.shape[d];
  std::vector<float> scales;
  for (const float scale : blob.scales.values) scales.insert(scales.end(), static_cast<std::size_t>(taps), scale);
  if (turn) {
    scales = transposed<float>(scales, rows, scale_shape[1]);
    std::swap(scale_shape[0], scale_shape[1]);
  }
  step("DequantizeLinear", {q, constant("scales", scale_shape, scales)}, result)
      .set("axis", std::int64_t{turn ? 0 : 1})
      .set("block_size", window.channels);
  return result;
}

bool OnnxNodeExporter::plain(bool residual, const Activation& activation) {
  return !residual && activation.kind == jit::ActivationKind::none;
}

void OnnxNodeExporter::finish_layer(const std::string& result, bool residual, const Activation& activation) {
  if (plain(residual, activation)) return;
  if (!residual) {
    write_activation(result, activation);
  } else if (activation.kind == jit::ActivationKind::none) {
    last("Add", {result, in(1)});
  } else {
    write_activation(step("Add", {result, in(1)}), activation);
  }
}

void OnnxNodeExporter::write(const Convolution& op) {
  std::vector<std::string> inputs{in(), weights(*op.weights)};
  if (op.bias) inputs.push_back(constant("bias", *op.bias, op.bias->shape));
  std::string result;
  const bool alone = plain(op.add_residual, op.activation);
  layer("Conv", inputs, alone, result)
      .set("kernel_shape", list(op.kernel))
      .set("strides", list(op.stride))
      .set("dilations", list(op.dilation))
      .set("group", op.groups)
      .set("pads", pads_of(op.pad_begin, op.pad_end));
  finish_layer(result, op.add_residual, op.activation);
}

void OnnxNodeExporter::write(const Deconvolution& op) {
  std::vector<std::string> inputs{in(), weights(*op.weights)};
  if (op.bias) inputs.push_back(constant("bias", *op.bias, op.bias->shape));
  std::string result;
  layer("ConvTranspose", inputs, plain(false, op.activation), result)
      .set("kernel_shape", list(op.kernel))
      .set("strides", list(op.stride))
      .set("dilations", list(op.dilation))
      .set("group", op.groups)
      .set("pads", pads_of(op.pad_begin, op.pad_end));
  finish_layer(result, false, op.activation);
}

/// Gemm on rows of features; MatMul where there are more dimensions before the features.
void OnnxNodeExporter::write(const Linear& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  const bool alone = plain(op.add_residual, op.activation);
  std::string x = in(), result;
  if (axis == 1) {
    if (rank() > 2) step("Flatten", {x}, x).set("axis", std::int64_t{1});
    std::vector<std::string> inputs{x, weights(*op.weights)};
    if (op.bias) inputs.push_back(constant("bias", *op.bias, op.bias->shape));
    layer("Gemm", inputs, alone, result).set("transB", std::int64_t{1});
  } else {
    if (axis + 1 < rank()) {
      std::vector<std::int64_t> dims(static_cast<std::size_t>(axis), 0);
      dims.push_back(-1);
      x = step("Reshape", {x, integers("shape", dims)});
    }
    const std::vector<std::string> inputs{x, weights(*op.weights, true)};
    if (!op.bias) {
      layer("MatMul", inputs, alone, result);
    } else {
      std::string product;
      layer("MatMul", inputs, false, product);
      const std::vector<std::string> sum{product, constant("bias", *op.bias, op.bias->shape)};
      alone ? last("Add", sum) : step("Add", sum, result);
    }
  }
  finish_layer(result, op.add_residual, op.activation);
}

void OnnxNodeExporter::write(const BatchNorm& op) {
  const Shape channels{element_count(op.mean->shape)};
  const auto count = static_cast<std::size_t>(channels[0]);
  last("BatchNormalization", {in(), constant("scale", channels, std::vector<float>(count, 1.0F)),
                              constant("bias", channels, std::vector<float>(count, 0.0F)),
                              constant("mean", *op.mean, channels), constant("variance", *op.variance, channels)})
      .set("epsilon", op.epsilon);
}

void OnnxNodeExporter::write(const Lrn& op) {
  if (!op.across_channels) cannot("a normalization over neighbouring pixels within a channel");
  last("LRN", {in()}).set("size", op.size).set("alpha", op.alpha).set("beta", op.beta).set("bias", op.k);
}

void OnnxNodeExporter::write(const Pool& op) {
  const bool maximum = op.kind == PoolKind::max;
  if (op.global) {
    last(maximum ? "GlobalMaxPool" : "GlobalAveragePool", {in()});
    return;
  }
  OnnxNodeWriter node = last(maximum ? "MaxPool" : "AveragePool", {in()});
  node.set("kernel_shape", list(op.kernel))
      .set("strides", list(op.stride))
      .set("pads", pads_of(op.pad_begin, op.pad_end))
      .set("ceil_mode", std::int64_t{op.ceil_mode ? 1 : 0});
  if (!maximum) node.set("count_include_pad", std::int64_t{op.include_padding ? 1 : 0});
}

void OnnxNodeExporter::write(const LayerNorm& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  const Shape row(in_shape().begin() + axis, in_shape().end());
  const auto count = static_cast<std::size_t>(element_count(row));
  if (op.centered) {
    // The operator wants a scale; its ones are not worth a file larger than any layer's row.
    constexpr std::size_t kMaxOnes = std::size_t{1} << 24;
    if (!op.factor && count > kMaxOnes)
      cannot(fmt::format("a layer normalization of {} numbers without a scale", count));
    std::vector<std::string> inputs{
        in(), op.factor ? constant("scale", *op.factor, row) : constant("scale", row, std::vector<float>(count, 1.0F))};
    if (op.offset) inputs.push_back(constant("bias", *op.offset, row));
    last("LayerNormalization", inputs).set("axis", op.axis).set("epsilon", op.epsilon);
    return;
  }
  // RMSNormalization is younger than the operator set that is written.
  std::vector<std::int64_t> axes;
  for (std::int64_t d = axis; d < rank(); ++d) axes.push_back(d);
  const std::string square = step("Mul", {in(), in()});
  const std::string mean = step("ReduceMean", {square, integers("axes", axes)});
  const std::string root = step("Sqrt", {step("Add", {mean, constant("epsilon", op.epsilon)})});
  if (!op.factor && !op.offset) {
    last("Div", {in(), root});
    return;
  }
  std::string y = step("Div", {in(), root});
  if (op.factor && op.offset) y = step("Mul", {y, constant("scale", *op.factor, row)});
  if (op.offset) {
    last("Add", {y, constant("bias", *op.offset, row)});
  } else {
    last("Mul", {y, constant("scale", *op.factor, row)});
  }
}

void OnnxNodeExporter::write(const Normalize& op) {
  std::vector<std::int64_t> axes{1};
  if (op.across_spatial) axes = {1, 2, 3};
  const std::string squares = step("ReduceSumSquare", {in(), integers("axes", axes)});
  const std::string root = step("Sqrt", {step("Add", {squares, constant("epsilon", op.epsilon)})});
  const std::string y = step("Div", {in(), root});
  last("Mul", {y, constant("factor", *op.factor, {element_count(op.factor->shape), 1, 1})});
}

void OnnxNodeExporter::write(const Softmax& op) { last("Softmax", {in()}).set("axis", op.axis); }

void OnnxNodeExporter::write(const MatMul&) { last("MatMul", {in(0), in(1)}); }

}  // namespace octavo::graph
