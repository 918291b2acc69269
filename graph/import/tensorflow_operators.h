// SPDX-License-Identifier: Apache-2.0
// The operators of TensorFlow that octavo knows, one converter each, grouped in files by kind.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/axes.h"
#include "graph/import/node_layers.h"
#include "graph/import/tensorflow_limits.h"
#include "graph/import/tensorflow_node.h"

namespace octavo::graph {

using TensorflowConverter = void (*)(TensorflowNode& node);
/// Null for an operator that octavo does not know.
[[nodiscard]] TensorflowConverter find_tensorflow_converter(std::string_view type);

// tensorflow_convolution.cpp
void convert_tensorflow_conv(TensorflowNode& node);
void convert_tensorflow_conv_transpose(TensorflowNode& node);
// tensorflow_pooling.cpp
void convert_tensorflow_pool(TensorflowNode& node);
// tensorflow_pointwise.cpp
void convert_tensorflow_unary(TensorflowNode& node);
void convert_tensorflow_composed(TensorflowNode& node);
void convert_tensorflow_clip(TensorflowNode& node);
void convert_tensorflow_cast(TensorflowNode& node);
void convert_tensorflow_identity(TensorflowNode& node);
// tensorflow_arithmetic.cpp
void convert_tensorflow_binary(TensorflowNode& node);
void convert_tensorflow_div_no_nan(TensorflowNode& node);
void convert_tensorflow_approximate_equal(TensorflowNode& node);
void convert_tensorflow_add_n(TensorflowNode& node);
void convert_tensorflow_bias_add(TensorflowNode& node);
void convert_tensorflow_select(TensorflowNode& node);
void convert_tensorflow_random(TensorflowNode& node);
void convert_tensorflow_floor(TensorflowNode& node);
// tensorflow_linear.cpp
void convert_tensorflow_einsum(TensorflowNode& node);
void convert_tensorflow_matmul(TensorflowNode& node);
// tensorflow_normalization.cpp
void convert_tensorflow_batch_norm(TensorflowNode& node);
void convert_tensorflow_lrn(TensorflowNode& node);
void convert_tensorflow_softmax(TensorflowNode& node);
void convert_tensorflow_l2_loss(TensorflowNode& node);
void convert_tensorflow_cross_entropy(TensorflowNode& node);
// tensorflow_reduction.cpp
void convert_tensorflow_reduce(TensorflowNode& node);
void convert_tensorflow_arg(TensorflowNode& node);
void convert_tensorflow_top_k(TensorflowNode& node);
void convert_tensorflow_cumsum(TensorflowNode& node);
// tensorflow_shape.cpp
void convert_tensorflow_const(TensorflowNode& node);
void convert_tensorflow_variable(TensorflowNode& node);
void convert_tensorflow_shape(TensorflowNode& node);
void convert_tensorflow_rank(TensorflowNode& node);
void convert_tensorflow_size(TensorflowNode& node);
void convert_tensorflow_fill(TensorflowNode& node);
void convert_tensorflow_like(TensorflowNode& node);
void convert_tensorflow_range(TensorflowNode& node);
void convert_tensorflow_lin_space(TensorflowNode& node);
void convert_tensorflow_invert_permutation(TensorflowNode& node);
void convert_tensorflow_broadcast_args(TensorflowNode& node);
void convert_tensorflow_list_diff(TensorflowNode& node);
void convert_tensorflow_one_hot(TensorflowNode& node);
// tensorflow_movement.cpp
void convert_tensorflow_reshape(TensorflowNode& node);
void convert_tensorflow_squeeze(TensorflowNode& node);
void convert_tensorflow_expand_dims(TensorflowNode& node);
void convert_tensorflow_transpose(TensorflowNode& node);
void convert_tensorflow_concat(TensorflowNode& node);
void convert_tensorflow_pack(TensorflowNode& node);
void convert_tensorflow_unpack(TensorflowNode& node);
void convert_tensorflow_split(TensorflowNode& node);
void convert_tensorflow_gather(TensorflowNode& node);
void convert_tensorflow_gather_nd(TensorflowNode& node);
void convert_tensorflow_where(TensorflowNode& node);
void convert_tensorflow_tile(TensorflowNode& node);
void convert_tensorflow_broadcast_to(TensorflowNode& node);
void convert_tensorflow_depth_to_space(TensorflowNode& node);
// tensorflow_slice.cpp
void convert_tensorflow_strided_slice(TensorflowNode& node);
void convert_tensorflow_slice(TensorflowNode& node);
void convert_tensorflow_reverse(TensorflowNode& node);
void convert_tensorflow_pad(TensorflowNode& node);
// tensorflow_blocks.cpp
void convert_tensorflow_space_to_batch(TensorflowNode& node);
void convert_tensorflow_batch_to_space(TensorflowNode& node);
// tensorflow_resize.cpp
void convert_tensorflow_resize(TensorflowNode& node);
// tensorflow_detection.cpp
void convert_tensorflow_non_max_suppression(TensorflowNode& node);
void convert_tensorflow_combined_non_max_suppression(TensorflowNode& node);
void convert_tensorflow_crop_and_resize(TensorflowNode& node);
// tensorflow_control.cpp
void convert_tensorflow_switch(TensorflowNode& node);
void convert_tensorflow_merge(TensorflowNode& node);
void convert_tensorflow_nothing(TensorflowNode& node);
void convert_tensorflow_placeholder(TensorflowNode& node);
// tensorflow_quantization.cpp
void convert_tensorflow_dequantize(TensorflowNode& node);
void convert_tensorflow_fake_quant(TensorflowNode& node);
// tensorflow_quantized.cpp
void convert_tensorflow_quantize(TensorflowNode& node);
void convert_tensorflow_quantized_conv(TensorflowNode& node);
void convert_tensorflow_quantized_matmul(TensorflowNode& node);
void convert_tensorflow_quantized_add(TensorflowNode& node);
void convert_tensorflow_quantized_mul(TensorflowNode& node);
void convert_tensorflow_quantized_relu(TensorflowNode& node);
void convert_tensorflow_quantized_pool(TensorflowNode& node);
void convert_tensorflow_quantized_reshape(TensorflowNode& node);
void convert_tensorflow_quantized_concat(TensorflowNode& node);
void convert_tensorflow_requantization_range(TensorflowNode& node);
void convert_tensorflow_requantize(TensorflowNode& node);

// ---- what several of them share -----------------------------------------------------------------------------------

/// A function of each number of the first input, whichever order of dimensions that is held in.
template <class Function>
void tensorflow_pointwise(TensorflowNode& node, const Function& function) {
  if (node.is_image()) {
    node.result_image(function(node.image()));
  } else {
    node.result(function(node.in()));
  }
}

/// Stride, dilation and padding of a window that slides over [N, C, H, W], by the node's attributes.
struct TensorflowWindow {
  Pair kernel{1, 1}, stride{1, 1}, dilation{1, 1}, pad_begin{0, 0}, pad_end{0, 0};
};
[[nodiscard]] TensorflowWindow tensorflow_window(const TensorflowNode& node, const Shape& picture, const Pair& kernel);

/// A convolution of [N, C, H, W] by weights [H, W, in, out] (depthwise: [H, W, channel, multiple]), by the node's
/// attributes.
[[nodiscard]] Convolution tensorflow_convolution(TensorflowNode& node, const Shape& picture,
                                                 const ConstantTensor& weights);
/// x [N, C, H, W] pooled as the attributes say.
[[nodiscard]] ImportedValue tensorflow_pooled(TensorflowNode& node, const ImportedValue& x);

/// The real numbers that x, Dequantize's input, stands for by ends of its range that the network computes.
[[nodiscard]] ImportedValue tensorflow_dequantized(TensorflowNode& node, const ImportedValue& x,
                                                   const std::string& mode);

/// 1 where the index is that of the class, else 0; classes along a new axis.
[[nodiscard]] ImportedValue tensorflow_one_hot(TensorflowNode& node, const ImportedValue& indices, std::int64_t depth,
                                               std::int64_t axis);

}  // namespace octavo::graph
