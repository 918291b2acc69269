// SPDX-License-Identifier: Apache-2.0
// Convolution and Deconvolution. Kernel, stride and padding are given once for both directions, once for each, or as
// fields of their own (kernel_h, kernel_w, ...).
#include <fmt/core.h>

#include "graph/import/caffe_layers.h"

namespace octavo::graph {
namespace {

using Repeated = google::protobuf::RepeatedField<std::uint32_t>;

struct Extent {
  std::string_view name;
  const Repeated& values;
  bool has_h = false, has_w = false;
  std::uint32_t h = 0, w = 0;
};

/// Both directions, or `fallback` where nothing is given.
Pair both(const Extent& extent, std::int64_t fallback) {
  if (extent.has_h || extent.has_w) {
    if (!extent.values.empty()) {
      CaffeLayerContext::malformed(fmt::format("{} is given twice, with and without _h and _w", extent.name));
    }
    return {extent.has_h ? extent.h : fallback, extent.has_w ? extent.w : fallback};
  }
  if (extent.values.empty()) return {fallback, fallback};
  if (extent.values.size() == 1) return {extent.values[0], extent.values[0]};
  if (extent.values.size() == 2) return {extent.values[0], extent.values[1]};
  CaffeLayerContext::unsupported(fmt::format("{} has {} values", extent.name, extent.values.size()),
                                 "only two-dimensional convolutions are supported");
}

/// What the two layers share. `T` is the op.
template <class T>
T geometry(const CaffeLayerContext& layer) {
  const auto& param = layer.param().convolution_param();
  if (!layer.param().has_convolution_param()) CaffeLayerContext::malformed("it has no convolution_param");
  if (layer.shape().size() != 4 || layer.axis(param.axis()) != 1) {
    CaffeLayerContext::unsupported(
        fmt::format("a bottom of {} dimensions with channels on axis {}", layer.shape().size(), param.axis()),
        "only two-dimensional convolutions are supported");
  }
  T op;
  op.out_channels = param.num_output();
  op.groups = param.group();
  if (!param.has_group() && layer.param().type() != "Convolution" && layer.param().type() != "Deconvolution") {
    op.groups = layer.shape()[1];  // a depthwise type that leaves it out
  }
  op.kernel = both({"kernel_size", param.kernel_size(), param.has_kernel_h(), param.has_kernel_w(), param.kernel_h(),
                    param.kernel_w()},
                   0);
  op.stride = both(
      {"stride", param.stride(), param.has_stride_h(), param.has_stride_w(), param.stride_h(), param.stride_w()}, 1);
  op.pad_begin = op.pad_end =
      both({"pad", param.pad(), param.has_pad_h(), param.has_pad_w(), param.pad_h(), param.pad_w()}, 0);
  op.dilation = both({"dilation", param.dilation()}, 1);
  if (op.out_channels < 1) CaffeLayerContext::malformed("num_output is missing or 0");
  if (op.kernel[0] < 1 || op.kernel[1] < 1) CaffeLayerContext::malformed("the kernel's size is missing or 0");
  if (op.groups < 1 || op.out_channels % op.groups != 0 || layer.shape()[1] % op.groups != 0) {
    CaffeLayerContext::malformed(fmt::format("{} channels in and {} out cannot be cut into {} groups", layer.shape()[1],
                                             op.out_channels, op.groups));
  }
  return op;
}

/// In floating point: the product may be far beyond 64 bits in a file that is refused a moment later.
double fan_in_of(std::int64_t inputs, const Pair& kernel) {
  return static_cast<double>(inputs) * static_cast<double>(kernel[0]) * static_cast<double>(kernel[1]);
}

template <class T>
void finish(CaffeLayerContext& layer, T op, Shape weights, double fan_in) {
  for (std::size_t i = 1; i < layer.bottoms().size(); ++i) {
    if (layer.shape(i).size() != 4 || layer.shape(i)[1] != layer.shape()[1]) {
      CaffeLayerContext::malformed("its bottoms differ in their channels");
    }
  }
  std::vector<BlobNeed> needs{{std::move(weights), he_spread(fan_in)}};
  if (layer.param().convolution_param().bias_term()) needs.push_back({{op.out_channels}, spreads::bias});
  const auto blobs = layer.blobs(needs);
  op.weights = blobs[0];
  if (blobs.size() > 1) op.bias = blobs[1];
  layer.add_each(std::move(op));
}

}  // namespace

void convert_convolution(CaffeLayerContext& layer) {
  auto op = geometry<Convolution>(layer);
  const std::int64_t inputs = layer.shape()[1] / op.groups;
  Shape weights{op.out_channels, inputs, op.kernel[0], op.kernel[1]};
  const double fan_in = fan_in_of(inputs, op.kernel);
  finish(layer, std::move(op), std::move(weights), fan_in);
}

void convert_deconvolution(CaffeLayerContext& layer) {
  auto op = geometry<Deconvolution>(layer);
  const std::int64_t inputs = layer.shape()[1];
  Shape weights{inputs, op.out_channels / op.groups, op.kernel[0], op.kernel[1]};
  const double fan_in = fan_in_of(inputs / op.groups, op.kernel);
  finish(layer, std::move(op), std::move(weights), fan_in);
}

}  // namespace octavo::graph
