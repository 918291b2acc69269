// SPDX-License-Identifier: Apache-2.0
// See tools/zoo/caffe_sketch.h.
#include "tools/zoo/caffe_sketch.h"

#include <google/protobuf/text_format.h>

#include "graph/blob.h"

namespace octavo::zoo {

using graph::he_spread;
namespace spreads = graph::spreads;

CaffeSketch::CaffeSketch(const std::string& name, std::int64_t channels, std::int64_t size) : name_(name) {
  auto& shape = *add("Input", "data", {}, "data", {channels, size, size}).param.mutable_input_param()->add_shape();
  for (const std::int64_t dim : {std::int64_t{1}, channels, size, size}) shape.add_dim(dim);
}

SketchLayer& CaffeSketch::add(const char* type, const Name& layer, const std::vector<Name>& bottoms, const Name& top,
                              const Picture& shape) {
  SketchLayer& added = layers_.emplace_back();
  added.param.set_name(layer);
  added.param.set_type(type);
  for (const Name& bottom : bottoms) added.param.add_bottom(bottom);
  added.param.add_top(top);
  shapes_[top] = shape;
  return added;
}

CaffeSketch::Name CaffeSketch::convolution(const Name& layer, const Name& bottom, const ConvolutionShape& shape) {
  const Picture in = shapes_.at(bottom);
  const std::uint32_t kernel_w = shape.kernel_w == 0 ? shape.kernel : shape.kernel_w;
  const auto extent = [&](std::int64_t size) {
    if (shape.kernel_w != 0) return size;
    return (size + 2 * shape.pad - shape.dilation * (shape.kernel - 1) - 1) / shape.stride + 1;
  };
  SketchLayer& added = add("Convolution", layer, {bottom}, layer, {shape.outputs, extent(in[1]), extent(in[2])});
  auto& param = *added.param.mutable_convolution_param();
  param.set_num_output(shape.outputs);
  if (!shape.bias) param.set_bias_term(false);
  if (shape.kernel_w != 0) {
    param.set_kernel_h(shape.kernel);
    param.set_kernel_w(kernel_w);
    param.set_pad_h(shape.kernel / 2);
    param.set_pad_w(kernel_w / 2);
  } else {
    if (shape.pad != 0) param.add_pad(shape.pad);
    param.add_kernel_size(shape.kernel);
  }
  if (shape.dilation != 1) param.add_dilation(shape.dilation);
  if (shape.groups != 1) param.set_group(shape.groups);
  if (shape.stride != 1) param.add_stride(shape.stride);
  const std::int64_t inputs = in[0] / shape.groups;
  added.blobs.push_back({{shape.outputs, inputs, shape.kernel, kernel_w},
                         he_spread(static_cast<double>(inputs * shape.kernel * kernel_w))});
  if (shape.bias) added.blobs.push_back({{shape.outputs}, spreads::bias});
  return layer;
}

CaffeSketch::Name CaffeSketch::relu(const Name& layer, const Name& bottom) {
  add("ReLU", layer, {bottom}, bottom, shapes_.at(bottom));
  return bottom;
}

CaffeSketch::Name CaffeSketch::relu6(const Name& layer, const Name& bottom) {
  add("ReLU6", layer, {bottom}, bottom, shapes_.at(bottom));
  return bottom;
}

CaffeSketch::Name CaffeSketch::lrn(const Name& layer, const Name& bottom, std::uint32_t size, float alpha, float beta) {
  auto& param = *add("LRN", layer, {bottom}, layer, shapes_.at(bottom)).param.mutable_lrn_param();
  param.set_local_size(size);
  param.set_alpha(alpha);
  param.set_beta(beta);
  return layer;
}

CaffeSketch::Name CaffeSketch::batch_norm(const Name& layer, const Name& bottom) {
  return add_batch_norm(layer, bottom, bottom);
}

CaffeSketch::Name CaffeSketch::batch_norm_apart(const Name& layer, const Name& bottom) {
  return add_batch_norm(layer, bottom, layer);
}

CaffeSketch::Name CaffeSketch::add_batch_norm(const Name& layer, const Name& bottom, const Name& top) {
  const Picture shape = shapes_.at(bottom);
  SketchLayer& added = add("BatchNorm", layer, {bottom}, top, shape);
  added.param.mutable_batch_norm_param()->set_use_global_stats(true);
  added.blobs = {{{shape[0]}, spreads::mean}, {{shape[0]}, spreads::variance}, {{1}, spreads::one}};
  return top;
}

CaffeSketch::Name CaffeSketch::scale(const Name& layer, const Name& bottom) {
  const Picture shape = shapes_.at(bottom);
  SketchLayer& added = add("Scale", layer, {bottom}, bottom, shape);
  added.param.mutable_scale_param()->set_bias_term(true);
  added.blobs = {{{shape[0]}, spreads::factor}, {{shape[0]}, spreads::bias}};
  return bottom;
}

CaffeSketch::Name CaffeSketch::pool(const Name& layer, const Name& bottom, const PoolShape& shape) {
  const Picture in = shapes_.at(bottom);
  const auto extent = [&](std::int64_t size) {  // Caffe rounds up; the last window starts within the picture
    const std::int64_t out = (size + 2 * shape.pad - shape.kernel + shape.stride - 1) / shape.stride + 1;
    return shape.pad > 0 && (out - 1) * shape.stride >= size + shape.pad ? out - 1 : out;
  };
  auto& param =
      *add("Pooling", layer, {bottom}, layer, {in[0], extent(in[1]), extent(in[2])}).param.mutable_pooling_param();
  param.set_pool(shape.average ? graph::caffe::PoolingParameter::AVE : graph::caffe::PoolingParameter::MAX);
  param.set_kernel_size(shape.kernel);
  param.set_stride(shape.stride);
  if (shape.pad != 0) param.set_pad(shape.pad);
  return layer;
}

CaffeSketch::Name CaffeSketch::global_average(const Name& layer, const Name& bottom) {
  auto& param = *add("Pooling", layer, {bottom}, layer, {shapes_.at(bottom)[0], 1, 1}).param.mutable_pooling_param();
  param.set_pool(graph::caffe::PoolingParameter::AVE);
  param.set_global_pooling(true);
  return layer;
}

CaffeSketch::Name CaffeSketch::inner_product(const Name& layer, const Name& bottom, std::uint32_t outputs) {
  const Picture in = shapes_.at(bottom);
  SketchLayer& added = add("InnerProduct", layer, {bottom}, layer, {outputs, 1, 1});
  added.param.mutable_inner_product_param()->set_num_output(outputs);
  const std::int64_t inputs = in[0] * in[1] * in[2];
  added.blobs = {{{outputs, inputs}, he_spread(inputs)}, {{outputs}, spreads::bias}};
  return layer;
}

CaffeSketch::Name CaffeSketch::dropout(const Name& layer, const Name& bottom, float ratio) {
  add("Dropout", layer, {bottom}, bottom, shapes_.at(bottom)).param.mutable_dropout_param()->set_dropout_ratio(ratio);
  return bottom;
}

CaffeSketch::Name CaffeSketch::softmax(const Name& layer, const Name& bottom) {
  add("Softmax", layer, {bottom}, layer, shapes_.at(bottom));
  return layer;
}

CaffeSketch::Name CaffeSketch::concat(const Name& layer, const std::vector<Name>& bottoms) {
  Picture shape = shapes_.at(bottoms.front());
  shape[0] = 0;
  for (const Name& bottom : bottoms) shape[0] += shapes_.at(bottom)[0];
  add("Concat", layer, bottoms, layer, shape);
  return layer;
}

CaffeSketch::Name CaffeSketch::sum(const Name& layer, const Name& a, const Name& b) {
  add("Eltwise", layer, {a, b}, layer, shapes_.at(a));
  return layer;
}

std::int64_t CaffeSketch::parameters() const {
  std::int64_t count = 0;
  for (const SketchLayer& layer : layers_) {
    for (const graph::BlobNeed& blob : layer.blobs) count += graph::element_count(blob.shape);
  }
  return count;
}

std::string CaffeSketch::text() const {
  graph::caffe::NetParameter net;
  net.set_name(name_);
  for (const SketchLayer& layer : layers_) *net.add_layer() = layer.param;
  std::string text;
  google::protobuf::TextFormat::PrintToString(net, &text);
  return text;
}

}  // namespace octavo::zoo
