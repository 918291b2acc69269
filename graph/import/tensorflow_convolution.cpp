// SPDX-License-Identifier: Apache-2.0
// TensorFlow's convolutions; and what windows share: kernel, stride, dilation, padding.
#include <fmt/core.h>

#include <algorithm>

#include "graph/check.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {
namespace {

/// Height and width of a list of four for N, H, W and C by data_format; `fallback` where it is missing.
Pair spatial_pair(const TensorflowNode& node, std::string_view name, std::int64_t fallback) {
  const std::vector<std::int64_t> list = node.attributes().integers(name);
  if (list.empty()) return {fallback, fallback};
  if (list.size() != 4) TensorflowNode::malformed(fmt::format("{} has {} values", name, list.size()));
  const std::size_t first = node.channels_first() ? 2 : 1;
  const std::size_t channels = node.channels_first() ? 1 : 3;
  if (list[0] != 1 || list[channels] != 1) TensorflowNode::unsupported(fmt::format("{} over batch or channels", name));
  const Pair pair{list[first], list[first + 1]};
  require(pair[0] > 0 && pair[1] > 0, "{} of {} and {}", name, pair[0], pair[1]);
  return pair;
}

/// What SAME adds to an axis: as much as lets the output have ceil(in / stride) pixels; the odd pixel comes behind.
std::int64_t padding_for_same(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t dilation) {
  const std::int64_t covered = checked_sum(checked_product(dilation, kernel - 1), 1);
  const std::int64_t out = (in - 1) / stride + 1;
  return std::max<std::int64_t>(checked_sum(checked_product(out - 1, stride), covered) - in, 0);
}

/// Weights [H, W, in, out] as [out][in][H][W].
BlobPtr kernel_blob(TensorflowNode& node, const ConstantTensor& kernel, bool depthwise) {
  if (kernel.shape.size() != 4) TensorflowNode::malformed(fmt::format("weights {}", to_text(kernel.shape)));
  // Of a depthwise kernel [H, W, channel, multiple], output channel * multiples + multiple.
  const std::vector<std::int64_t> order =
      depthwise ? std::vector<std::int64_t>{2, 3, 0, 1} : std::vector<std::int64_t>{3, 2, 0, 1};
  ConstantPtr turned = permuted(kernel, order, node.budget());
  if (depthwise) {
    const Shape& shape = turned->shape;
    turned = reshaped(*turned, {checked_product(shape[0], shape[1]), 1, shape[2], shape[3]});
  }
  return to_blob(*turned);
}

}  // namespace

TensorflowWindow tensorflow_window(const TensorflowNode& node, const Shape& picture, const Pair& kernel) {
  TensorflowWindow window;
  window.kernel = kernel;
  window.stride = spatial_pair(node, "strides", 1);
  window.dilation = spatial_pair(node, "dilations", 1);
  const std::string padding = node.attributes().text("padding", "VALID");
  if (padding == "SAME") {
    for (std::size_t side = 0; side < 2; ++side) {
      const std::int64_t total =
          padding_for_same(picture[2 + side], kernel[side], window.stride[side], window.dilation[side]);
      window.pad_begin[side] = total / 2;
      window.pad_end[side] = total - total / 2;
    }
  } else if (padding == "EXPLICIT") {
    const std::vector<std::int64_t> pads = node.attributes().integers("explicit_paddings");
    if (pads.size() != 8) TensorflowNode::malformed(fmt::format("{} explicit paddings", pads.size()));
    const std::size_t first = node.channels_first() ? 4 : 2;
    for (std::size_t i = 0; i < 8; ++i) {
      const bool spatial = i >= first && i < first + 4;
      require(pads[i] >= 0 && (spatial || pads[i] == 0), "a padding of {}", pads[i]);
    }
    for (std::size_t side = 0; side < 2; ++side) {
      window.pad_begin[side] = pads[first + 2 * side];
      window.pad_end[side] = pads[first + 2 * side + 1];
    }
  } else if (padding != "VALID") {
    TensorflowNode::malformed(fmt::format("its padding is '{}'", padding));
  }
  return window;
}

Convolution tensorflow_convolution(TensorflowNode& node, const Shape& picture, const ConstantTensor& kernel) {
  const bool depthwise = node.type() == "DepthwiseConv2dNative";
  Convolution op;
  op.weights = kernel_blob(node, kernel, depthwise);
  const Shape& weights = op.weights->shape;
  for (const std::int64_t size : weights) require(size > 0, "weights {}", to_text(weights));
  op.out_channels = weights[0];
  require(picture[1] % weights[1] == 0, "{} channels meet weights for {}", picture[1], weights[1]);
  op.groups = picture[1] / weights[1];
  const TensorflowWindow window = tensorflow_window(node, picture, {weights[2], weights[3]});
  op.kernel = window.kernel;
  op.stride = window.stride;
  op.dilation = window.dilation;
  op.pad_begin = window.pad_begin;
  op.pad_end = window.pad_end;
  return op;
}

void convert_tensorflow_conv(TensorflowNode& node) {
  const ImportedValue x = node.picture();
  const Convolution op = tensorflow_convolution(node, x.shape, node.constant(1, "weights"));
  std::shared_ptr<const TensorflowBlocks> blocks = node.value().blocks;
  node.result_picture(node.add(op, {x}));
  // Between SpaceToBatchND and BatchToSpaceND this is a dilated convolution of what was there before.
  const bool plain = op.stride == Pair{1, 1} && op.dilation == Pair{1, 1} && op.pad_begin == Pair{0, 0} &&
                     op.pad_end == Pair{0, 0} && !node.channels_first();
  if (!blocks || !plain) return;
  auto dilated = std::make_shared<TensorflowBlocks>(*blocks);
  dilated->convolution = op;
  dilated->convolution->dilation = blocks->size;
  node.mark_blocks(std::move(dilated));
}

void convert_tensorflow_conv_transpose(TensorflowNode& node) {
  // The inputs of the convolution that this is the gradient of: its input's size, its weights, its output.
  const std::vector<std::int64_t> wanted = node.integers(0, "sizes");
  const ImportedValue x = node.picture(2);
  if (wanted.size() != 4) TensorflowNode::malformed(fmt::format("{} sizes", wanted.size()));
  for (const std::int64_t size : wanted) require(size > 0, "a size of {}", size);
  const Shape picture = node.channels_first() ? Shape(wanted) : image_shape(wanted);
  Deconvolution op;
  op.weights =
      kernel_blob(node, node.constant(1, "weights"), false);  // [in][out][H][W]: the convolution's outputs come in
  const Shape& weights = op.weights->shape;
  for (const std::int64_t size : weights) require(size > 0, "weights {}", to_text(weights));
  require(weights[0] == x.shape[1] && weights[1] == picture[1], "weights {} for {} to {} channels", to_text(weights),
          x.shape[1], picture[1]);
  const TensorflowWindow window = tensorflow_window(node, picture, {weights[2], weights[3]});
  op.out_channels = weights[1];
  op.kernel = window.kernel;
  op.stride = window.stride;
  op.dilation = window.dilation;
  op.pad_begin = window.pad_begin;
  Pair grown{0, 0};
  for (std::size_t side = 0; side < 2; ++side) {
    const std::int64_t covered = checked_sum(checked_product(op.dilation[side], op.kernel[side] - 1), 1);
    const std::int64_t full = checked_sum(checked_product(op.stride[side], x.shape[2 + side] - 1), covered);
    const std::int64_t behind = full - op.pad_begin[side] - picture[2 + side];
    op.pad_end[side] = std::max<std::int64_t>(behind, 0);
    grown[side] = std::max<std::int64_t>(-behind, 0);
  }
  ImportedValue y = node.add(op, {x});
  if (grown != Pair{0, 0}) y = node.add(Pad{.begins = {0, 0, 0, 0}, .ends = {0, 0, grown[0], grown[1]}}, {y});
  node.result_picture(std::move(y));
}

}  // namespace octavo::graph
