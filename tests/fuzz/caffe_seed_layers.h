// SPDX-License-Identifier: Apache-2.0
// What the seeds of two fuzzers are made of: networks of one layer.
#pragma once

#include <string>

namespace octavo::fuzz {

struct CaffeSeed {
  const char* type;
  const char* parameters;
};

inline constexpr CaffeSeed kCaffeSeeds[] = {
    {"AbsVal", ""},
    {"ArgMax", "argmax_param { top_k: 2 axis: 1 }"},
    {"BatchNorm", "batch_norm_param { eps: 0.001 }"},
    {"Bias", "bias_param { axis: 1 num_axes: 1 }"},
    {"Concat", "bottom: 'x' concat_param { axis: 1 }"},
    {"Convolution", "convolution_param { num_output: 4 kernel_size: 3 pad: 1 stride: 2 group: 2 dilation: 1 }"},
    {"Crop", "bottom: 'x' crop_param { axis: 2 offset: 0 }"},
    {"Deconvolution", "convolution_param { num_output: 4 kernel_size: 2 stride: 2 bias_term: false }"},
    {"DetectionOutput", "bottom: 'x' bottom: 'x' detection_output_param { num_classes: 4 nms_param { top_k: 2 } }"},
    {"ELU", "elu_param { alpha: 2 }"},
    {"Eltwise", "bottom: 'x' eltwise_param { operation: SUM coeff: 1 coeff: -1 }"},
    {"Embed", "embed_param { num_output: 4 input_dim: 4 }"},
    {"Exp", "exp_param { base: 2 scale: 3 shift: 1 }"},
    {"Flatten", "flatten_param { axis: 1 end_axis: -1 }"},
    {"InnerProduct", "inner_product_param { num_output: 4 axis: 1 transpose: true }"},
    {"Interp", "interp_param { zoom_factor: 2 }"},
    {"LRN", "lrn_param { local_size: 3 norm_region: WITHIN_CHANNEL }"},
    {"Normalize", "norm_param { across_spatial: false channel_shared: false }"},
    {"PReLU", "prelu_param { channel_shared: true }"},
    {"Permute", "permute_param { order: 0 order: 2 order: 3 order: 1 }"},
    {"Pooling", "pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 round_mode: FLOOR }"},
    {"Power", "power_param { power: 2 scale: 3 shift: 1 }"},
    {"PriorBox", "bottom: 'x' prior_box_param { min_size: 2 max_size: 3 aspect_ratio: 2 variance: 0.1 step: 4 }"},
    {"Proposal", "bottom: 'x' bottom: 'x' proposal_param { feat_stride: 4 ratio: 1 scale: 8 }"},
    {"ROIPooling", "bottom: 'x' roi_pooling_param { pooled_h: 2 pooled_w: 2 spatial_scale: 0.5 }"},
    {"Reduction", "reduction_param { operation: MEAN axis: 2 coeff: 2 }"},
    {"Reshape", "reshape_param { shape { dim: 0 dim: -1 dim: 4 } axis: 0 num_axes: -1 }"},
    {"Scale", "scale_param { axis: 1 num_axes: 1 bias_term: true }"},
    {"SigmoidCrossEntropyLoss", "bottom: 'x' loss_weight: 2"},
    {"Slice", "top: 'z' slice_param { axis: 1 slice_point: 1 }"},
    {"SoftmaxWithLoss", "bottom: 'x' include { phase: TEST min_level: 0 }"},
    {"Threshold", "threshold_param { threshold: 2 }"},
    {"Tile", "tile_param { axis: 2 tiles: 3 }"},
    {"Upsample", "upsample_param { scale: 2 }"},
};

inline std::string caffe_text(const CaffeSeed& seed) {
  return std::string("input: 'x' input_shape { dim: 1 dim: 4 dim: 4 dim: 4 }\nlayer { name: 'l' bottom: 'x' type: '") +
         seed.type + "' top: 'y' " + seed.parameters + " }\n";
}

}  // namespace octavo::fuzz
