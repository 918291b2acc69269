// SPDX-License-Identifier: Apache-2.0
// Conv and ConvTranspose, in one or two dimensions; and what windows share: kernel, stride, dilation, padding.
#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "graph/check.h"
#include "graph/import/onnx_operators.h"

namespace octavo::graph {
namespace {

/// A list for one or two axes as height and width.
Pair as_pair(const std::vector<std::int64_t>& list, std::size_t first, std::size_t axes, std::int64_t height) {
  return axes == 1 ? Pair{height, list[first]} : Pair{list[first], list[first + 1]};
}

std::vector<std::int64_t> list_of(const OnnxNode& node, std::string_view name, std::size_t count,
                                  std::int64_t fallback) {
  std::vector<std::int64_t> list = node.attributes().integers(name);
  if (list.empty()) list.assign(count, fallback);
  if (list.size() != count) OnnxNode::malformed(fmt::format("{} has {} values", name, list.size()));
  return list;
}

/// What SAME adds to an axis: as much as lets the output have ceil(in / stride) pixels.
std::int64_t same_padding(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t dilation) {
  require(stride > 0, "a stride of {}", stride);
  const std::int64_t covered = checked_sum(checked_product(dilation, kernel - 1), 1);
  const std::int64_t out = (in - 1) / stride + 1;
  return std::max<std::int64_t>(checked_sum(checked_product(out - 1, stride), covered) - in, 0);
}

/// A kernel [out][in][w] as [out][in][1][w].
Shape as_image(Shape shape) {
  if (shape.size() == 3) shape.insert(shape.begin() + 2, 1);
  return shape;
}

void require_image(const OnnxNode& node, const Shape& x) {
  if (x.size() == 3 || x.size() == 4) return;
  OnnxNode::unsupported(fmt::format("a {} of {} dimensions", node.type(), x.size()),
                        "octavo convolves and pools over one or two dimensions");
}

BlobPtr bias_of(const OnnxNode& node, std::size_t input, std::int64_t channels) {
  if (!node.has_input(input)) return nullptr;
  const ConstantTensor& bias = node.constant(input, "biases");
  if (bias.count() != channels) OnnxNode::malformed(fmt::format("{} biases for {} channels", bias.count(), channels));
  Blob blob;
  blob.shape = {channels};
  blob.f32 = to_floats(bias);
  return std::make_shared<const Blob>(std::move(blob));
}

Shape spatial_of(const Shape& shape) { return {shape.begin() + 2, shape.end()}; }

/// What output_padding adds goes off the padding behind; where that is too little, zeros are added to the result.
struct Behind {
  Pair pad{0, 0}, grown{0, 0};
};

Behind behind_of(const OnnxWindow& window, const std::vector<std::int64_t>& added) {
  Behind behind;
  behind.pad = window.pad_end;
  for (std::size_t i = 0; i < window.axes; ++i) {
    const std::size_t side = 2 - window.axes + i;
    require(added[i] >= 0, "output_padding is {}", added[i]);
    behind.pad[side] -= added[i];
    behind.grown[side] = std::max<std::int64_t>(-behind.pad[side], 0);
    behind.pad[side] = std::max<std::int64_t>(behind.pad[side], 0);
  }
  return behind;
}

/// Paddings that make the output as large as output_shape, or in * stride for SAME.
void fit_transposed(const OnnxNode& node, const Shape& x, OnnxWindow& window, std::vector<std::int64_t>& added) {
  std::vector<std::int64_t> wanted = node.attributes().integers("output_shape");
  const std::string rule = node.attributes().text("auto_pad", "NOTSET");
  const bool same = rule == "SAME_UPPER" || rule == "SAME_LOWER";
  if (wanted.empty() && !same) return;
  if (wanted.size() == window.axes + 2) wanted.erase(wanted.begin(), wanted.begin() + 2);  // batch and channels, too
  require(wanted.empty() || wanted.size() == window.axes, "output_shape has {} sizes", wanted.size());
  for (std::size_t i = 0; i < window.axes; ++i) {
    const std::size_t side = 2 - window.axes + i;
    const std::int64_t in = x[2 + i];
    const std::int64_t size = wanted.empty() ? checked_product(in, window.stride[side]) : wanted[i];
    const std::int64_t covered = checked_sum(checked_product(window.dilation[side], window.kernel[side] - 1), 1);
    const std::int64_t full = checked_sum(checked_sum(checked_product(window.stride[side], in - 1), added[i]), covered);
    const std::int64_t total = std::max<std::int64_t>(full - size, 0);
    added[i] += std::max<std::int64_t>(size - full, 0);
    const std::int64_t smaller = total / 2;
    // SAME_UPPER puts the odd pixel behind; the other rules put it in front.
    window.pad_begin[side] = rule == "SAME_UPPER" ? smaller : total - smaller;
    window.pad_end[side] = total - window.pad_begin[side];
  }
}

}  // namespace

OnnxWindow onnx_window(const OnnxNode& node, const Shape& spatial, const Shape& kernel) {
  OnnxWindow window;
  window.axes = spatial.size();
  std::vector<std::int64_t> sizes = node.attributes().integers("kernel_shape");
  if (sizes.empty()) sizes = kernel;
  if (sizes.size() != window.axes) OnnxNode::malformed(fmt::format("a kernel of {} dimensions", sizes.size()));
  const auto strides = list_of(node, "strides", window.axes, 1);
  const auto dilations = list_of(node, "dilations", window.axes, 1);
  std::vector<std::int64_t> pads = list_of(node, "pads", 2 * window.axes, 0);
  const std::string rule = node.attributes().text("auto_pad", "NOTSET");
  for (const std::int64_t dilation : dilations) require(dilation > 0, "a dilation of {}", dilation);
  for (const std::int64_t size : sizes) require(size > 0, "a kernel of {}", size);
  if (rule == "SAME_UPPER" || rule == "SAME_LOWER") {
    for (std::size_t i = 0; i < window.axes; ++i) {
      const std::int64_t total = same_padding(spatial[i], sizes[i], strides[i], dilations[i]);
      pads[i] = rule == "SAME_UPPER" ? total / 2 : total - total / 2;
      pads[window.axes + i] = total - pads[i];
    }
  } else if (rule == "VALID") {
    std::fill(pads.begin(), pads.end(), 0);
  } else if (rule != "NOTSET" && !rule.empty()) {
    OnnxNode::malformed(fmt::format("auto_pad is '{}'", rule));
  }
  window.kernel = as_pair(sizes, 0, window.axes, 1);
  window.stride = as_pair(strides, 0, window.axes, 1);
  window.dilation = as_pair(dilations, 0, window.axes, 1);
  window.pad_begin = as_pair(pads, 0, window.axes, 0);
  window.pad_end = as_pair(pads, window.axes, window.axes, 0);
  return window;
}

ImportedValue onnx_as_image(OnnxNode& node, const ImportedValue& x) {
  if (x.shape.size() != 3) return x;
  return node.add_reshape(x, {x.shape[0], x.shape[1], 1, x.shape[2]}, {0, 0, 1, -1});
}

ImportedValue onnx_from_image(OnnxNode& node, const ImportedValue& y, std::int64_t rank) {
  if (rank != 3) return y;
  return node.add_reshape(y, {y.shape[0], y.shape[1], y.shape[3]}, {0, 0, -1});
}

ImportedValue onnx_convolution(OnnxNode& node, const ImportedValue& x, const ConstantTensor& weights, BlobPtr bias) {
  require_image(node, x.shape);
  if (weights.shape.size() != x.shape.size()) {
    OnnxNode::malformed(fmt::format("weights {} for an input {}", to_text(weights.shape), to_text(x.shape)));
  }
  const OnnxWindow window = onnx_window(node, spatial_of(x.shape), spatial_of(weights.shape));
  Convolution op;
  op.out_channels = weights.shape[0];
  op.groups = node.attributes().integer("group", 1);
  op.kernel = window.kernel;
  op.stride = window.stride;
  op.dilation = window.dilation;
  op.pad_begin = window.pad_begin;
  op.pad_end = window.pad_end;
  const BlobPtr packed = layer_weights(weights, !x.dequantized, op.window);
  Blob image = *packed;
  image.shape = as_image(packed->shape);
  op.weights = std::make_shared<const Blob>(std::move(image));
  op.bias = std::move(bias);
  ImportedValue y = node.add(std::move(op), {onnx_as_image(node, x)});
  return onnx_from_image(node, y, static_cast<std::int64_t>(x.shape.size()));
}

void convert_onnx_conv(OnnxNode& node) {
  const ConstantTensor& weights = node.constant(1, "weights");
  if (weights.shape.empty()) OnnxNode::malformed("its weights are a scalar");
  node.result(onnx_convolution(node, node.input(), weights, bias_of(node, 2, weights.shape[0])));
}

void convert_onnx_conv_transpose(OnnxNode& node) {
  const ImportedValue& x = node.input();
  const ConstantTensor& weights = node.constant(1, "weights");
  require_image(node, x.shape);
  if (weights.shape.size() != x.shape.size()) OnnxNode::malformed("weights and input differ in rank");
  OnnxWindow window = onnx_window(node, spatial_of(x.shape), spatial_of(weights.shape));
  std::vector<std::int64_t> added = list_of(node, "output_padding", window.axes, 0);
  fit_transposed(node, x.shape, window, added);
  const Behind behind = behind_of(window, added);
  Deconvolution op;
  op.groups = node.attributes().integer("group", 1);
  require(op.groups > 0, "{} groups", op.groups);
  op.out_channels = checked_product(weights.shape[1], op.groups);
  op.kernel = window.kernel;
  op.stride = window.stride;
  op.dilation = window.dilation;
  op.pad_begin = window.pad_begin;
  op.pad_end = behind.pad;
  Blob blob;
  blob.shape = as_image(weights.shape);
  blob.f32 = to_floats(weights);
  op.weights = std::make_shared<const Blob>(std::move(blob));
  const BlobPtr bias = bias_of(node, 2, op.out_channels);
  const bool grows = behind.grown != Pair{0, 0};
  if (!grows) op.bias = bias;
  ImportedValue y = node.add(std::move(op), {onnx_as_image(node, x)});
  if (grows) {
    y = node.add(Pad{.begins = {0, 0, 0, 0}, .ends = {0, 0, behind.grown[0], behind.grown[1]}}, {y});
    if (bias) y = node.add(Scale{.axis = 1, .offset = bias}, {y});
  }
  node.result(onnx_from_image(node, y, node.rank()));
}

}  // namespace octavo::graph
