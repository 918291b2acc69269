// SPDX-License-Identifier: Apache-2.0
// Layers with weights, pools and normalization as BigDL modules.
#include <fmt/core.h>

#include <algorithm>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/export/bigdl_exporter.h"

namespace octavo::graph {
namespace {

std::vector<float> bias_or_zeros(const BlobPtr& bias, std::int64_t channels) {
  return bias ? to_float(*bias) : std::vector<float>(static_cast<std::size_t>(channels), 0.0F);
}

bool pads_as_same(const Shape& nchw, std::size_t i, std::int64_t kernel, std::int64_t stride, std::int64_t begin,
                  std::int64_t end) {
  const std::int64_t out = (nchw[2 + i] - 1) / stride + 1;
  const std::int64_t total = std::max<std::int64_t>((out - 1) * stride + kernel - nchw[2 + i], 0);
  return begin == total / 2 && end == total - total / 2;
}

}  // namespace

/// Equal on both sides: BigDL's own; as SAME has it: -1; else zeros in front, where zeros are what padding means.
BigdlNodeExporter::Padded BigdlNodeExporter::padded(const Pair& kernel, const Pair& stride, const Pair& begin,
                                                    const Pair& end, bool zeros_count) {
  if (begin == end) return {in(), begin};
  bool same = true;
  for (std::size_t i = 0; i < 2; ++i) {
    same = same && pads_as_same(in_shape(), i, kernel[i], stride[i], begin[i], end[i]);
  }
  if (same) return {in(), {-1, -1}};
  if (!zeros_count) cannot("a window of other padding behind than before");
  return {bordered(in(), begin, end), {0, 0}};
}

void BigdlNodeExporter::write_quantized(const Convolution& op, const Padded& window) {
  if (op.window.channels != 0) {
    cannot(fmt::format("weights with scales for {} input channels each: it has one scale for an output channel",
                       op.window.channels),
           "quantize the fp32 network with windows of all channels (--window all)");
  }
  const bool dilated = op.dilation != Pair{1, 1};
  if (dilated && op.groups != 1) cannot("a dilated convolution in groups");
  BigdlModuleWriter module =
      layer(dilated ? "quantized.SpatialDilatedConvolution" : "quantized.SpatialConvolution", {window.source});
  module.set("nInputPlane", in_shape()[1]).set("nOutputPlane", op.out_channels);
  module.set("kernelW", op.kernel[1]).set("kernelH", op.kernel[0]);
  module.set("strideW", op.stride[1]).set("strideH", op.stride[0]);
  module.set("padW", window.pad[1]).set("padH", window.pad[0]);
  if (dilated) {
    module.set("dilationW", op.dilation[1]).set("dilationH", op.dilation[0]);
  } else {
    module.set("nGroup", op.groups);
  }
  module.channels_first("format");
  module.quantized("weights", *op.weights, op.groups).bias(bias_or_zeros(op.bias, op.out_channels));
}

void BigdlNodeExporter::write(const Convolution& op) {
  const bool dilated = op.dilation != Pair{1, 1};
  const Pair covered{op.dilation[0] * (op.kernel[0] - 1) + 1, op.dilation[1] * (op.kernel[1] - 1) + 1};
  Padded window = padded(covered, op.stride, op.pad_begin, op.pad_end, true);
  if (dilated && window.pad == Pair{-1, -1}) window = {bordered(in(), op.pad_begin, op.pad_end), {0, 0}};
  if (op.weights->quantized()) {
    write_quantized(op, window);
    finish_layer(node_.name, op.add_residual, op.activation);
    return;
  }
  if (dilated && op.groups != 1) cannot("a dilated convolution in groups");
  const std::int64_t in_channels = in_shape()[1];
  BigdlModuleWriter module = layer(dilated ? "SpatialDilatedConvolution" : "SpatialConvolution", {window.source});
  module.set("nInputPlane", in_channels).set("nOutputPlane", op.out_channels);
  const Shape flat = op.weights->shape;
  if (dilated) {
    module.set("kW", op.kernel[1]).set("kH", op.kernel[0]).set("dW", op.stride[1]).set("dH", op.stride[0]);
    module.set("padW", window.pad[1]).set("padH", window.pad[0]);
    module.set("dilationW", op.dilation[1]).set("dilationH", op.dilation[0]);
    module.no_regularizers({"wRegularizer", "bRegularizer"});
    module.parameter(flat, op.weights->f32.values);
    module.parameter({op.out_channels}, bias_or_zeros(op.bias, op.out_channels));  // this class always has one
  } else {
    module.set("kernelW", op.kernel[1]).set("kernelH", op.kernel[0]);
    module.set("strideW", op.stride[1]).set("strideH", op.stride[0]);
    module.set("padW", window.pad[1]).set("padH", window.pad[0]).set("nGroup", op.groups);
    module.flag("propagateBack", true).flag("withBias", op.bias != nullptr).channels_first("format");
    module.no_regularizers({"wRegularizer", "bRegularizer"});
    module.no_tensors({"initWeight", "initBias", "initGradWeight", "initGradBias"});
    module.parameter({op.groups, op.out_channels / op.groups, flat[1], flat[2], flat[3]}, op.weights->f32.values);
    if (op.bias) module.parameter({op.out_channels}, to_float(*op.bias));
  }
  finish_layer(node_.name, op.add_residual, op.activation);
}

void BigdlNodeExporter::write(const Deconvolution& op) {
  if (op.dilation != Pair{1, 1}) cannot("a dilated transposed convolution");
  Pair added{0, 0};
  for (std::size_t i = 0; i < 2; ++i) {
    added[i] = op.pad_begin[i] - op.pad_end[i];
    if (added[i] < 0 || added[i] >= op.stride[i]) cannot("a transposed convolution of that padding");
  }
  const std::int64_t in_channels = in_shape()[1];
  BigdlModuleWriter module = layer("SpatialFullConvolution", {in()});
  module.integers("intParams", {in_channels, op.out_channels, op.kernel[1], op.kernel[0], op.stride[1], op.stride[0],
                                op.pad_begin[1], op.pad_begin[0], added[1], added[0], op.groups});
  module.flag("noBias", op.bias == nullptr).no_regularizers({"wRegularizer", "bRegularizer"});
  module.parameter({op.groups, in_channels / op.groups, op.out_channels / op.groups, op.kernel[0], op.kernel[1]},
                   op.weights->f32.values);
  if (op.bias) module.parameter({op.out_channels}, to_float(*op.bias));
  finish_layer(node_.name, false, op.activation);
}

/// On rows of features: what has more dimensions becomes rows first, and has them back behind.
void BigdlNodeExporter::write(const Linear& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  const std::int64_t features = count_between(in_shape(), axis, rank());
  const std::int64_t rows = count_between(in_shape(), 0, axis);
  if (axis == 0) cannot("a fully connected layer over the whole batch");
  const std::string source = reshaped(in(), in_shape(), {rows, features});
  if (op.weights->quantized()) {
    if (op.window.channels != 0) {
      cannot(fmt::format("weights with scales for {} inputs each: it has one scale for an output", op.window.channels),
             "quantize the fp32 network with windows of all channels (--window all)");
    }
    layer("quantized.Linear", {source})
        .set("inputSize", features)
        .set("outputSize", op.out_features)
        .flag("withBias", true)
        .quantized("weight", *op.weights, 1)
        .bias(bias_or_zeros(op.bias, op.out_features));
  } else {
    BigdlModuleWriter module = layer("Linear", {source});
    module.set("inputSize", features).set("outputSize", op.out_features).flag("withBias", op.bias != nullptr);
    module.no_regularizers({"wRegularizer", "bRegularizer"});
    module.no_tensors({"initWeight", "initBias", "initGradWeight", "initGradBias"});
    module.parameter(op.weights->shape, op.weights->f32.values);
    if (op.bias) module.parameter({op.out_features}, to_float(*op.bias));
  }
  finish_layer(reshaped(node_.name, {rows, op.out_features}, out_shape()), op.add_residual, op.activation);
}

void BigdlNodeExporter::write(const PRelu& op) {
  const std::int64_t slopes = element_count(op.slopes->shape);
  layer("PReLU", {in()}).set("nOutputPlane", slopes == 1 ? 0 : slopes).parameter({slopes}, to_float(*op.slopes));
  made();
}

/// With the Scale behind it, where there is one, as one module.
void BigdlNodeExporter::write(const BatchNorm& op) {
  if (rank() != 2 && rank() != 4) cannot(fmt::format("batch normalization of {} dimensions", rank()));
  const std::int64_t channels = element_count(op.mean->shape);
  const auto behind = patterns_.affine.find(&node_);
  const bool affine = behind != patterns_.affine.end();
  BigdlModuleWriter module = layer(rank() == 4 ? "SpatialBatchNormalization" : "BatchNormalization", {in()});
  module.set("nOutput", channels).set("eps", static_cast<double>(op.epsilon)).set("momentum", 0.1);
  module.flag("affine", affine).no_tensors({"initWeight", "initBias", "initGradWeight", "initGradBias"});
  if (rank() == 4) module.channels_first("dataFormat");
  const std::vector<float> mean = to_float(*op.mean), variance = to_float(*op.variance);
  for (const std::string_view name : {"runningMean", "saveMean"}) module.tensor(name, {channels}, mean);
  for (const std::string_view name : {"runningVar", "saveStd"}) module.tensor(name, {channels}, variance);
  if (!affine) {
    made();
    return;
  }
  const auto& scale = std::get<Scale>(behind->second->op);
  module.parameter({channels}, to_float(*scale.factor)).parameter({channels}, to_float(*scale.offset));
  sources_[behind->second->outputs[0]] = node_.name;
}

void BigdlNodeExporter::write(const Lrn& op) {
  const auto real = [](float value) { return static_cast<double>(value); };
  if (op.across_channels) {
    layer("SpatialCrossMapLRN", {in()})
        .set("size", op.size)
        .set("alpha", real(op.alpha))
        .set("beta", real(op.beta))
        .set("k", real(op.k))
        .channels_first("format");
  } else {
    if (op.k != 1.0F) cannot("a normalization within a channel of another constant than 1");
    layer("SpatialWithinChannelLRN", {in()})
        .set("size", op.size)
        .set("alpha", real(op.alpha))
        .set("beta", real(op.beta));
  }
  made();
}

void BigdlNodeExporter::write(const Pool& op) {
  const bool maximum = op.kind == PoolKind::max;
  const Pair kernel = op.global ? Pair{in_shape()[2], in_shape()[3]} : op.kernel;
  const Pair stride = op.global ? Pair{1, 1} : op.stride;
  const Padded window = padded(kernel, stride, op.pad_begin, op.pad_end, false);
  for (std::size_t i = 0; i < 2; ++i) {
    if (window.pad[i] > kernel[i] / 2) cannot("a pool of more padding than half its window");
  }
  if (op.ceil_mode && window.pad == Pair{-1, -1}) cannot("a pool of that padding and rounding");
  BigdlModuleWriter module = layer(maximum ? "SpatialMaxPooling" : "SpatialAveragePooling", {window.source});
  module.set("kW", kernel[1]).set("kH", kernel[0]).set("dW", stride[1]).set("dH", stride[0]);
  module.set("padW", window.pad[1]).set("padH", window.pad[0]).channels_first("format");
  if (maximum) {
    module.flag("ceil_mode", op.ceil_mode);
  } else {
    module.flag("globalPooling", op.global).flag("ceilMode", op.ceil_mode);
    module.flag("countIncludePad", op.include_padding).flag("divide", true);
  }
  made();
}

/// BigDL's is over the channels of rows or pictures.
void BigdlNodeExporter::write(const Softmax& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  if (axis == 1 && (rank() == 2 || rank() == 4)) {
    layer("SoftMax", {in()});
    made();
    return;
  }
  if (axis + 1 != rank()) cannot(fmt::format("a softmax over dimension {} of {}", axis, rank()));
  const std::int64_t row = in_shape().back(), rows = count_between(in_shape(), 0, axis);
  layer("SoftMax", {reshaped(in(), in_shape(), {rows, row})});
  made(reshaped(node_.name, {rows, row}, out_shape()));
}

void BigdlNodeExporter::write(const Normalize& op) {
  if (op.across_spatial) cannot("a normalization over a whole picture");
  const std::vector<float> factor = to_float(*op.factor);
  const auto epsilon = static_cast<double>(op.epsilon);
  if (factor.size() == 1) {
    layer("Normalize", {in()}).set("p", 2.0).set("eps", epsilon);
    made(factor[0] == 1.0F ? node_.name : multiplied(node_.name, factor[0]));
    return;
  }
  const Shape size{1, static_cast<std::int64_t>(factor.size()), 1, 1};
  layer("NormalizeScale", {in()})
      .set("p", 2.0)
      .set("eps", epsilon)
      .set("scale", 1.0)
      .integers("size", size)
      .no_regularizers({"wRegularizer"})
      .parameter(size, factor);
  made();
}

void BigdlNodeExporter::write(const PriorBox& op) {
  const auto whole = [](float size) { return size == static_cast<float>(static_cast<std::int64_t>(size)); };
  if (!op.truncate_sizes && !(std::ranges::all_of(op.min_sizes, whole) && std::ranges::all_of(op.max_sizes, whole))) {
    cannot("boxes of broken sizes: it cuts them to whole pixels");
  }
  if (!whole(op.image_h) || !whole(op.image_w)) cannot("a picture of a broken size");
  const auto size = [&](float given, std::size_t dim) {
    return given != 0.0F ? static_cast<std::int64_t>(given) : in_shape(1).at(dim);
  };
  layer("PriorBox", {in()})
      .numbers("minSizes", op.min_sizes)
      .numbers("maxSizes", op.max_sizes)
      .numbers("_aspectRatios", op.aspect_ratios)
      .flag("isFlip", false)
      .flag("isClip", op.clip)
      .numbers("variances", op.variances)
      .set("offset", op.offset)
      .set("imgH", size(op.image_h, 2))
      .set("imgW", size(op.image_w, 3))
      .set("imgSize", std::int64_t{0})
      .set("stepH", op.step_h)
      .set("stepW", op.step_w)
      .set("step", 0.0F);
  made();
}

void BigdlNodeExporter::write(const DetectionOutput& op) {
  if (op.code != BoxCode::center_size) cannot("boxes that are coded by their corners");
  if (op.nms_eta != 1.0F || op.nms_top_k < 0 || op.keep_top_k < 0) cannot("detections of no bound, or one that moves");
  layer("DetectionOutputSSD", {in(0), in(1), in(2)})
      .set("nClasses", op.classes)
      .flag("shareLocation", op.share_location)
      .set("bgLabel", op.background)
      .set("nmsThresh", op.nms_threshold)
      .set("nmsTopk", op.nms_top_k)
      .set("keepTopK", op.keep_top_k)
      .set("confThresh", op.confidence_threshold)
      .flag("varianceEncodedInTarget", op.variance_in_target)
      .flag("confPostProcess", false);
  made();
}

}  // namespace octavo::graph
