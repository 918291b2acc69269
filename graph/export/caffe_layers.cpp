// SPDX-License-Identifier: Apache-2.0
// Layers with weights, arithmetic and movement as Caffe layers.
#include <fmt/core.h>

#include <algorithm>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/enum_names.h"
#include "graph/export/caffe_exporter.h"

namespace octavo::graph {
namespace {

std::uint32_t caffe_size(std::int64_t number) {
  if (number < 0 || number > std::int64_t{1} << 31)
    throw Error(ErrorKind::unsupported, fmt::format("a size of {}", number));
  return static_cast<std::uint32_t>(number);
}

}  // namespace

template <class Spatial>
void CaffeNodeExporter::set_window(const Spatial& op, caffe::ConvolutionParameter& param) {
  if (op.pad_begin != op.pad_end) cannot("a convolution of other padding behind than before");
  param.set_num_output(caffe_size(op.out_channels));
  param.set_bias_term(op.bias != nullptr);
  param.set_group(caffe_size(op.groups));
  for (std::size_t i = 0; i < 2; ++i) {
    param.add_pad(caffe_size(op.pad_begin[i]));
    param.add_kernel_size(caffe_size(op.kernel[i]));
    param.add_stride(caffe_size(op.stride[i]));
    param.add_dilation(caffe_size(op.dilation[i]));
  }
}

void CaffeNodeExporter::write(const Convolution& op) {
  std::string result;
  caffe::LayerParameter& made = layer("Convolution", !plain(op.add_residual, op.activation), result);
  set_window(op, *made.mutable_convolution_param());
  add_blob(made, op.weights);
  if (op.bias) add_blob(made, op.bias);
  finish_layer(result, op.add_residual, op.activation);
}

void CaffeNodeExporter::write(const Deconvolution& op) {
  std::string result;
  caffe::LayerParameter& made = layer("Deconvolution", !plain(false, op.activation), result);
  set_window(op, *made.mutable_convolution_param());
  add_blob(made, op.weights);
  if (op.bias) add_blob(made, op.bias);
  finish_layer(result, false, op.activation);
}

void CaffeNodeExporter::write(const Linear& op) {
  std::string result;
  caffe::LayerParameter& made = layer("InnerProduct", !plain(op.add_residual, op.activation), result);
  auto& param = *made.mutable_inner_product_param();
  param.set_num_output(caffe_size(op.out_features));
  param.set_bias_term(op.bias != nullptr);
  param.set_axis(static_cast<std::int32_t>(op.axis));
  add_blob(made, op.weights);
  if (op.bias) add_blob(made, op.bias);
  finish_layer(result, op.add_residual, op.activation);
}

void CaffeNodeExporter::write(const Unary& op) {
  switch (op.kind) {
    case UnaryKind::relu:
      if (caffe::LayerParameter& made = layer("ReLU"); op.alpha != 0.0F) {
        made.mutable_relu_param()->set_negative_slope(op.alpha);
      }
      break;
    case UnaryKind::relu6:
      layer("ReLU6");
      break;
    case UnaryKind::sigmoid:
      layer("Sigmoid");
      break;
    case UnaryKind::tanh:
      layer("TanH");
      break;
    case UnaryKind::abs:
      layer("AbsVal");
      break;
    case UnaryKind::elu:
      layer("ELU").mutable_elu_param()->set_alpha(op.alpha);
      break;
    case UnaryKind::power: {
      auto& param = *layer("Power").mutable_power_param();
      param.set_shift(op.alpha);
      param.set_scale(op.beta);
      param.set_power(op.gamma);
      break;
    }
    case UnaryKind::exp: {
      auto& param = *layer("Exp").mutable_exp_param();
      param.set_base(op.alpha);
      param.set_shift(op.beta);
      param.set_scale(op.gamma);
      break;
    }
    case UnaryKind::log: {
      auto& param = *layer("Log").mutable_log_param();
      param.set_base(op.alpha);
      param.set_shift(op.beta);
      param.set_scale(op.gamma);
      break;
    }
    case UnaryKind::threshold:
      layer("Threshold").mutable_threshold_param()->set_threshold(op.alpha);
      break;
    default:
      cannot(fmt::format("the function {}", enum_name(op.kind)));
  }
}

void CaffeNodeExporter::write(const PRelu& op) {
  caffe::LayerParameter& made = layer("PReLU");
  made.mutable_prelu_param()->set_channel_shared(element_count(op.slopes->shape) == 1 && in_shape()[1] != 1);
  add_blob(made, op.slopes);
}

/// The third blob is what the other two were gathered with: 1.
void CaffeNodeExporter::write(const BatchNorm& op) {
  caffe::LayerParameter& made = layer("BatchNorm");
  made.mutable_batch_norm_param()->set_use_global_stats(true);
  made.mutable_batch_norm_param()->set_eps(op.epsilon);
  add_blob(made, op.mean);
  add_blob(made, op.variance);
  add_blob(made, {1}, {1.0F});
}

void CaffeNodeExporter::write(const Scale& op) {
  const auto axis = static_cast<std::int32_t>(op.axis);
  const bool factor = op.factor != nullptr || (node_.inputs.size() == 2 && !op.second_is_offset);
  const BlobPtr& numbers = op.factor ? op.factor : op.offset;
  const auto spans = static_cast<std::int32_t>(numbers ? numbers->shape.size() : 1);
  if (!factor) {
    caffe::LayerParameter& made = layer("Bias");
    made.mutable_bias_param()->set_axis(axis);
    made.mutable_bias_param()->set_num_axes(spans);
    if (op.offset) add_blob(made, op.offset);
    return;
  }
  caffe::LayerParameter& made = layer("Scale");
  made.mutable_scale_param()->set_axis(axis);
  made.mutable_scale_param()->set_num_axes(spans);
  made.mutable_scale_param()->set_bias_term(op.offset != nullptr);
  if (op.factor) add_blob(made, op.factor);
  if (op.offset) add_blob(made, op.offset);
}

void CaffeNodeExporter::write(const Lrn& op) {
  auto& param = *layer("LRN").mutable_lrn_param();
  param.set_local_size(caffe_size(op.size));
  param.set_alpha(op.alpha);
  param.set_beta(op.beta);
  param.set_k(op.k);
  if (op.across_channels) return;
  if (op.k != 1.0F) cannot("a normalization within a channel of another constant than 1");
  param.set_norm_region(caffe::LRNParameter::WITHIN_CHANNEL);
}

void CaffeNodeExporter::write(const Pool& op) {
  if (op.pad_begin != op.pad_end) cannot("a pool of other padding behind than before");
  const bool padded = op.pad_begin != Pair{0, 0};
  if (op.kind == PoolKind::average && padded && !op.include_padding) cannot("a mean that leaves the padding out");
  auto& param = *layer("Pooling").mutable_pooling_param();
  param.set_pool(op.kind == PoolKind::max ? caffe::PoolingParameter::MAX : caffe::PoolingParameter::AVE);
  if (!op.ceil_mode) param.set_round_mode(caffe::PoolingParameter::FLOOR);
  if (op.global) {
    param.set_global_pooling(true);
    return;
  }
  param.set_kernel_h(caffe_size(op.kernel[0]));
  param.set_kernel_w(caffe_size(op.kernel[1]));
  param.set_stride_h(caffe_size(op.stride[0]));
  param.set_stride_w(caffe_size(op.stride[1]));
  param.set_pad_h(caffe_size(op.pad_begin[0]));
  param.set_pad_w(caffe_size(op.pad_begin[1]));
}

void CaffeNodeExporter::write(const Softmax& op) {
  layer("Softmax").mutable_softmax_param()->set_axis(static_cast<std::int32_t>(op.axis));
}

void CaffeNodeExporter::write(const Concat& op) {
  layer("Concat").mutable_concat_param()->set_axis(static_cast<std::int32_t>(op.axis));
}

void CaffeNodeExporter::write(const Slice& op) {
  auto& param = *layer("Slice").mutable_slice_param();
  param.set_axis(static_cast<std::int32_t>(op.axis));
  for (const std::int64_t point : op.points) param.add_slice_point(caffe_size(point));
}

void CaffeNodeExporter::write(const Eltwise& op) {
  std::string result;
  caffe::LayerParameter& made = layer("Eltwise", op.activation.kind != jit::ActivationKind::none, result);
  for (std::size_t i = 1; i < node_.inputs.size(); ++i) made.add_bottom(in(i));
  auto& param = *made.mutable_eltwise_param();
  if (op.kind == EltwiseKind::product) param.set_operation(caffe::EltwiseParameter::PROD);
  if (op.kind == EltwiseKind::max) param.set_operation(caffe::EltwiseParameter::MAX);
  for (const float coefficient : op.coefficients) param.add_coeff(coefficient);
  finish_layer(result, false, op.activation);
}

/// Of values of one shape what Eltwise has.
void CaffeNodeExporter::write(const Binary& op) {
  if (in_shape(0) != in_shape(1)) cannot("arithmetic of values of different shapes");
  caffe::EltwiseParameter param;
  switch (op.kind) {
    case BinaryKind::add:
      break;
    case BinaryKind::subtract:
      param.add_coeff(1.0F);
      param.add_coeff(-1.0F);
      break;
    case BinaryKind::multiply:
      param.set_operation(caffe::EltwiseParameter::PROD);
      break;
    case BinaryKind::maximum:
      param.set_operation(caffe::EltwiseParameter::MAX);
      break;
    default:
      cannot(fmt::format("the function {}", enum_name(op.kind)));
  }
  *layer("Eltwise").mutable_eltwise_param() = param;
}

void CaffeNodeExporter::write(const Flatten& op) {
  auto& param = *layer("Flatten").mutable_flatten_param();
  param.set_axis(static_cast<std::int32_t>(op.axis));
  param.set_end_axis(static_cast<std::int32_t>(op.end_axis));
}

void CaffeNodeExporter::write(const Reshape& op) {
  auto& param = *layer("Reshape").mutable_reshape_param();
  for (const std::int64_t dim : op.dims) param.mutable_shape()->add_dim(dim);
  param.set_axis(static_cast<std::int32_t>(op.axis));
  param.set_num_axes(static_cast<std::int32_t>(op.num_axes));
}

void CaffeNodeExporter::write(const Permute& op) {
  auto& param = *layer("Permute").mutable_permute_param();
  for (const std::int64_t axis : op.order) param.add_order(caffe_size(axis));
}

void CaffeNodeExporter::write(const Crop& op) {
  auto& param = *layer("Crop").mutable_crop_param();
  param.set_axis(static_cast<std::int32_t>(op.axis));
  for (const std::int64_t offset : op.offsets) param.add_offset(caffe_size(offset));
}

void CaffeNodeExporter::write(const Tile& op) {
  auto& param = *layer("Tile").mutable_tile_param();
  param.set_axis(static_cast<std::int32_t>(op.axis));
  param.set_tiles(static_cast<std::int32_t>(caffe_size(op.tiles)));
}

void CaffeNodeExporter::write(const Reduction& op) {
  caffe::ReductionParameter param;
  switch (op.kind) {
    case ReductionKind::sum:
      param.set_operation(caffe::ReductionParameter::SUM);
      break;
    case ReductionKind::abs_sum:
      param.set_operation(caffe::ReductionParameter::ASUM);
      break;
    case ReductionKind::square_sum:
      param.set_operation(caffe::ReductionParameter::SUMSQ);
      break;
    case ReductionKind::mean:
      param.set_operation(caffe::ReductionParameter::MEAN);
      break;
    default:
      cannot(fmt::format("the reduction {}", enum_name(op.kind)));
  }
  param.set_axis(static_cast<std::int32_t>(op.axis));
  param.set_coeff(op.coefficient);
  *layer("Reduction").mutable_reduction_param() = param;
}

void CaffeNodeExporter::write(const ArgMax& op) {
  if (op.first) cannot("the first of equal greatest numbers");
  auto& param = *layer("ArgMax").mutable_argmax_param();
  param.set_out_max_val(op.out_max_value);
  param.set_top_k(caffe_size(op.top_k));
  if (op.has_axis) param.set_axis(static_cast<std::int32_t>(op.axis));
}

void CaffeNodeExporter::write(const Embed& op) {
  caffe::LayerParameter& made = layer("Embed");
  auto& param = *made.mutable_embed_param();
  param.set_input_dim(caffe_size(op.weights->shape[0]));
  param.set_num_output(caffe_size(op.weights->shape[1]));
  param.set_bias_term(op.bias != nullptr);
  add_blob(made, op.weights);
  if (op.bias) add_blob(made, op.bias);
}

}  // namespace octavo::graph
