// SPDX-License-Identifier: Apache-2.0
// The operators that octavo knows, one converter each, grouped in files by kind.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "graph/import/node_layers.h"
#include "graph/import/onnx_node.h"

namespace octavo::graph {

using OnnxConverter = void (*)(OnnxNode& node);
/// Null for an operator that octavo does not know.
[[nodiscard]] OnnxConverter find_onnx_converter(std::string_view type);

// onnx_convolution.cpp
void convert_onnx_conv(OnnxNode& node);
void convert_onnx_conv_transpose(OnnxNode& node);
// onnx_pooling.cpp
void convert_onnx_pool(OnnxNode& node);
void convert_onnx_global_pool(OnnxNode& node);
void convert_onnx_lp_pool(OnnxNode& node);
void convert_onnx_global_lp_pool(OnnxNode& node);
// onnx_pointwise.cpp
void convert_onnx_unary(OnnxNode& node);
void convert_onnx_prelu(OnnxNode& node);
void convert_onnx_clip(OnnxNode& node);
void convert_onnx_cast(OnnxNode& node);
void convert_onnx_identity(OnnxNode& node);
// onnx_arithmetic.cpp
void convert_onnx_binary(OnnxNode& node);
void convert_onnx_variadic(OnnxNode& node);
void convert_onnx_where(OnnxNode& node);
void convert_onnx_swiglu(OnnxNode& node);
// onnx_linear.cpp
void convert_onnx_einsum(OnnxNode& node);
void convert_onnx_gemm(OnnxNode& node);
void convert_onnx_matmul(OnnxNode& node);
// onnx_normalization.cpp
void convert_onnx_batch_normalization(OnnxNode& node);
void convert_onnx_instance_normalization(OnnxNode& node);
void convert_onnx_group_normalization(OnnxNode& node);
void convert_onnx_layer_normalization(OnnxNode& node);
void convert_onnx_rms_normalization(OnnxNode& node);
void convert_onnx_lrn(OnnxNode& node);
void convert_onnx_mean_variance_normalization(OnnxNode& node);
void convert_onnx_lp_normalization(OnnxNode& node);
void convert_onnx_softmax(OnnxNode& node);
// onnx_reduction.cpp
void convert_onnx_reduce(OnnxNode& node);
void convert_onnx_arg(OnnxNode& node);
// onnx_movement.cpp
void convert_onnx_reshape(OnnxNode& node);
void convert_onnx_flatten(OnnxNode& node);
void convert_onnx_squeeze(OnnxNode& node);
void convert_onnx_unsqueeze(OnnxNode& node);
void convert_onnx_transpose(OnnxNode& node);
void convert_onnx_concat(OnnxNode& node);
void convert_onnx_split(OnnxNode& node);
void convert_onnx_slice(OnnxNode& node);
void convert_onnx_gather(OnnxNode& node);
void convert_onnx_expand(OnnxNode& node);
void convert_onnx_tile(OnnxNode& node);
void convert_onnx_pad(OnnxNode& node);
void convert_onnx_depth_to_space(OnnxNode& node);
void convert_onnx_space_to_depth(OnnxNode& node);
void convert_onnx_trilu(OnnxNode& node);
void convert_onnx_center_crop_pad(OnnxNode& node);
// onnx_selection.cpp
void convert_onnx_top_k(OnnxNode& node);
void convert_onnx_gather_elements(OnnxNode& node);
void convert_onnx_gather_nd(OnnxNode& node);
void convert_onnx_scatter_elements(OnnxNode& node);
void convert_onnx_scatter_nd(OnnxNode& node);
void convert_onnx_one_hot(OnnxNode& node);
void convert_onnx_hardmax(OnnxNode& node);
void convert_onnx_compress(OnnxNode& node);
// onnx_detection.cpp
void convert_onnx_non_max_suppression(OnnxNode& node);
void convert_onnx_roi_align(OnnxNode& node);
void convert_onnx_max_roi_pool(OnnxNode& node);
// onnx_open.cpp
void convert_onnx_non_zero(OnnxNode& node);
// onnx_resize.cpp
void convert_onnx_resize(OnnxNode& node);
void convert_onnx_upsample(OnnxNode& node);
// onnx_quantization.cpp
void convert_onnx_quantize_linear(OnnxNode& node);
void convert_onnx_dequantize_linear(OnnxNode& node);
void convert_onnx_dynamic_quantize_linear(OnnxNode& node);
void convert_onnx_qlinear_conv(OnnxNode& node);
void convert_onnx_conv_integer(OnnxNode& node);
void convert_onnx_qlinear_matmul(OnnxNode& node);
void convert_onnx_matmul_integer(OnnxNode& node);
void convert_onnx_qlinear_binary(OnnxNode& node);
void convert_onnx_qlinear_pool(OnnxNode& node);
void convert_onnx_qlinear_unary(OnnxNode& node);
void convert_onnx_qlinear_concat(OnnxNode& node);
void convert_onnx_qgemm(OnnxNode& node);
// onnx_attention.cpp
void convert_onnx_attention(OnnxNode& node);

// ---- what several of them share -----------------------------------------------------------------------------------

/// A convolution of x by constant weights [out][in / groups][kernel...], with the node's attributes. `weights`: as
/// fp32 numbers; `bias` may be null.
[[nodiscard]] ImportedValue onnx_convolution(OnnxNode& node, const ImportedValue& x, const ConstantTensor& weights,
                                             BlobPtr bias);

/// The operator as one function of each number; nothing when it is none.
[[nodiscard]] std::optional<Unary> onnx_function(const OnnxNode& node);
/// Whether such a function gives truth values.
[[nodiscard]] bool onnx_gives_truth(std::string_view type);
/// The arithmetic that the operator does on two or more values.
[[nodiscard]] std::optional<BinaryKind> onnx_binary_kind(const OnnxNode& node);

/// What a reduction is over.
[[nodiscard]] ReducedAxes onnx_reduction(const OnnxNode& node);
/// Kernel, stride, dilation and padding along one or two axes, a missing height as 1 and 0.
struct OnnxWindow {
  std::size_t axes = 2;
  Pair kernel{1, 1}, stride{1, 1}, dilation{1, 1}, pad_begin{0, 0}, pad_end{0, 0};
};
/// From the attributes; `spatial`: the input's sizes, for auto_pad. `kernel`: where the attribute is missing.
[[nodiscard]] OnnxWindow onnx_window(const OnnxNode& node, const Shape& spatial, const Shape& kernel);
/// x pooled as the attributes say.
[[nodiscard]] ImportedValue onnx_pooled(OnnxNode& node, const ImportedValue& x, bool maximum);
/// [N, C, W] as [N, C, 1, W], and back; other shapes as they are.
[[nodiscard]] ImportedValue onnx_as_image(OnnxNode& node, const ImportedValue& x);
[[nodiscard]] ImportedValue onnx_from_image(OnnxNode& node, const ImportedValue& y, std::int64_t rank);

/// The places of whole rows, [n], that the indices of ScatterElements are; open where they are. Throws
/// Error(unsupported) for other indices.
[[nodiscard]] ImportedValue onnx_row_places(OnnxNode& node, const ImportedValue& indices, std::size_t axis);
/// x [rows, ...] with those of the updates [n, ...] at places [n] that the network computes, the last of several.
[[nodiscard]] ImportedValue onnx_rows_put(OnnxNode& node, const ImportedValue& x, const ImportedValue& places,
                                          const ImportedValue& updates);

/// x rounded onto a grid, as the integers of it: round(x / scale) + zero point, moved into the type's range. Scale and
/// zero point: numbers that broadcast to x.
[[nodiscard]] ImportedValue onnx_to_grid(OnnxNode& node, const ImportedValue& x, const ImportedValue& scale,
                                         const ImportedValue& zero_point, ElementType type);

}  // namespace octavo::graph
