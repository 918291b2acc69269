// SPDX-License-Identifier: Apache-2.0
// The layer types of Caffe and who converts each. One file a family of layers; all semantics are in docs/formats.md.
// A converter throws Error (malformed, unsupported, or the IR's invalid_argument) without a place: the importer adds
// it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/import/caffe_layer.h"

namespace octavo::graph {

using CaffeConverter = void (*)(CaffeLayerContext&);

/// The converter of a type, or null: unknown, or one of the kinds below.
[[nodiscard]] CaffeConverter find_caffe_converter(std::string_view type);
/// All types that have a converter, sorted.
[[nodiscard]] std::vector<std::string> caffe_layer_types();

/// Sources of data: their tops are the network's inputs.
[[nodiscard]] bool is_caffe_data(std::string_view type);
/// The shape of each top of such a layer; a shape may be empty: that top holds labels. `given`: shapes by name of top,
/// which come before what the file says. Throws Error(unsupported) when the prototxt does not say it.
[[nodiscard]] std::vector<Shape> caffe_data_shapes(const CaffeLayer& layer, const std::map<std::string, Shape>& given);

/// Only for training or measuring: dropped (SoftmaxWithLoss and SigmoidCrossEntropyLoss: see caffe_loss_head()).
[[nodiscard]] bool is_caffe_loss(std::string_view type);
/// "Softmax" for SoftmaxWithLoss, "Sigmoid" for SigmoidCrossEntropyLoss: what makes probabilities of the layer's first
/// bottom; otherwise empty.
[[nodiscard]] std::string_view caffe_loss_head(std::string_view type);

// caffe_convolution.cpp
void convert_convolution(CaffeLayerContext& layer);
void convert_deconvolution(CaffeLayerContext& layer);
// caffe_linear.cpp
void convert_inner_product(CaffeLayerContext& layer);
void convert_embed(CaffeLayerContext& layer);
// caffe_pointwise.cpp
void convert_relu(CaffeLayerContext& layer);
void convert_relu6(CaffeLayerContext& layer);
void convert_prelu(CaffeLayerContext& layer);
void convert_elu(CaffeLayerContext& layer);
void convert_sigmoid(CaffeLayerContext& layer);
void convert_tanh(CaffeLayerContext& layer);
void convert_absval(CaffeLayerContext& layer);
void convert_power(CaffeLayerContext& layer);
void convert_exp(CaffeLayerContext& layer);
void convert_log(CaffeLayerContext& layer);
void convert_threshold(CaffeLayerContext& layer);
void convert_copy(CaffeLayerContext& layer);  ///< Dropout, Split
// caffe_normalization.cpp
void convert_batch_norm(CaffeLayerContext& layer);
void convert_scale(CaffeLayerContext& layer);
void convert_bias(CaffeLayerContext& layer);
void convert_lrn(CaffeLayerContext& layer);
// caffe_pooling.cpp
void convert_pooling(CaffeLayerContext& layer);
// caffe_reduction.cpp
void convert_softmax(CaffeLayerContext& layer);
void convert_eltwise(CaffeLayerContext& layer);
void convert_reduction(CaffeLayerContext& layer);
void convert_argmax(CaffeLayerContext& layer);
// caffe_axes.cpp
void convert_concat(CaffeLayerContext& layer);
void convert_slice(CaffeLayerContext& layer);
void convert_flatten(CaffeLayerContext& layer);
void convert_reshape(CaffeLayerContext& layer);
void convert_permute(CaffeLayerContext& layer);
void convert_crop(CaffeLayerContext& layer);
void convert_tile(CaffeLayerContext& layer);
// caffe_detection.cpp
void convert_normalize(CaffeLayerContext& layer);
void convert_prior_box(CaffeLayerContext& layer);
void convert_detection_output(CaffeLayerContext& layer);
// caffe_regions.cpp
void convert_proposal(CaffeLayerContext& layer);
void convert_python(CaffeLayerContext& layer);  ///< py-faster-rcnn's ProposalLayer
void convert_roi_pooling(CaffeLayerContext& layer);
void convert_upsample(CaffeLayerContext& layer);
void convert_interp(CaffeLayerContext& layer);

}  // namespace octavo::graph
