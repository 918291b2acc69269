// SPDX-License-Identifier: Apache-2.0
// The converters of BigDL's layers, one for each family of them, and the table that finds them by class.
#pragma once

#include <string_view>
#include <vector>

#include "graph/import/bigdl_layer.h"

namespace octavo::graph {

using BigdlConverter = void (*)(BigdlLayer&);

/// Null for a class that octavo does not know. Containers are none of these: see graph/import/bigdl_importer.h.
[[nodiscard]] BigdlConverter find_bigdl_converter(BigdlFamily family, std::string_view type);

void convert_bigdl_convolution(BigdlLayer& layer);  // bigdl_convolution.cpp
void convert_bigdl_dilated_convolution(BigdlLayer& layer);
void convert_bigdl_separable_convolution(BigdlLayer& layer);
void convert_bigdl_temporal_convolution(BigdlLayer& layer);
void convert_bigdl_full_convolution(BigdlLayer& layer);       // bigdl_deconvolution.cpp
void convert_bigdl_quantized_convolution(BigdlLayer& layer);  // bigdl_quantized.cpp
void convert_bigdl_quantized_linear(BigdlLayer& layer);
void convert_bigdl_linear(BigdlLayer& layer);  // bigdl_linear.cpp
void convert_bigdl_lookup_table(BigdlLayer& layer);
void convert_bigdl_mm(BigdlLayer& layer);
void convert_bigdl_pooling(BigdlLayer& layer);  // bigdl_pooling.cpp
void convert_bigdl_temporal_max_pooling(BigdlLayer& layer);
void convert_bigdl_up_sampling(BigdlLayer& layer);
void convert_bigdl_resize_bilinear(BigdlLayer& layer);
void convert_bigdl_batch_normalization(BigdlLayer& layer);  // bigdl_normalization.cpp
void convert_bigdl_lrn(BigdlLayer& layer);
void convert_bigdl_normalize(BigdlLayer& layer);
void convert_bigdl_softmax(BigdlLayer& layer);
void convert_bigdl_log_softmax(BigdlLayer& layer);
void convert_bigdl_copy(BigdlLayer& layer);  // bigdl_pointwise.cpp
void convert_bigdl_unary(BigdlLayer& layer);
void convert_bigdl_threshold(BigdlLayer& layer);
void convert_bigdl_composed(BigdlLayer& layer);
void convert_bigdl_prelu(BigdlLayer& layer);
void convert_bigdl_scale(BigdlLayer& layer);    // bigdl_scale.cpp
void convert_bigdl_eltwise(BigdlLayer& layer);  // bigdl_table.cpp
void convert_bigdl_join_table(BigdlLayer& layer);
void convert_bigdl_pack(BigdlLayer& layer);
void convert_bigdl_split_table(BigdlLayer& layer);
void convert_bigdl_bifurcate(BigdlLayer& layer);
void convert_bigdl_select_table(BigdlLayer& layer);
void convert_bigdl_narrow_table(BigdlLayer& layer);
void convert_bigdl_flatten_table(BigdlLayer& layer);
void convert_bigdl_reshape(BigdlLayer& layer);  // bigdl_movement.cpp
void convert_bigdl_view(BigdlLayer& layer);
void convert_bigdl_infer_reshape(BigdlLayer& layer);
void convert_bigdl_squeeze(BigdlLayer& layer);
void convert_bigdl_unsqueeze(BigdlLayer& layer);
void convert_bigdl_transpose(BigdlLayer& layer);
void convert_bigdl_narrow(BigdlLayer& layer);
void convert_bigdl_select(BigdlLayer& layer);
void convert_bigdl_replicate(BigdlLayer& layer);
void convert_bigdl_tile(BigdlLayer& layer);
void convert_bigdl_reverse(BigdlLayer& layer);
void convert_bigdl_padding(BigdlLayer& layer);
void convert_bigdl_zero_padding(BigdlLayer& layer);
void convert_bigdl_cropping(BigdlLayer& layer);
void convert_bigdl_reduction(BigdlLayer& layer);
void convert_bigdl_prior_box(BigdlLayer& layer);  // bigdl_detection.cpp
void convert_bigdl_detection_output(BigdlLayer& layer);

/// Padding of one axis: as much as lets the output have ceil(in / stride) pixels, the odd pixel behind.
struct BigdlPadding {
  std::int64_t begin = 0, end = 0;
};
[[nodiscard]] BigdlPadding bigdl_same_padding(std::int64_t in, std::int64_t kernel, std::int64_t stride);
/// Of height and width, from the attributes padW and padH; -1 of both is SAME.
void set_bigdl_padding(const BigdlLayer& layer, const Shape& nchw, const Pair& kernel, const Pair& stride,
                       Pair& pad_begin, Pair& pad_end);
/// The attributes of a convolution but its weights, of an input in NCHW.
[[nodiscard]] Convolution bigdl_convolution_of(const BigdlLayer& layer, const Shape& nchw);
[[nodiscard]] BlobPtr bigdl_bias(const BigdlLayer& layer, std::size_t parameter, std::int64_t channels);

}  // namespace octavo::graph
