// SPDX-License-Identifier: Apache-2.0
// The table of classes: see graph/import/bigdl_layers.h.
#include "graph/import/bigdl_layers.h"

#include <algorithm>
#include <array>

namespace octavo::graph {
namespace {

struct BigdlEntry {
  std::string_view type;
  BigdlConverter convert;
};

constexpr std::array kBigdlLayers{
    BigdlEntry{"Abs", convert_bigdl_unary},
    BigdlEntry{"ActivityRegularization", convert_bigdl_copy},
    BigdlEntry{"Add", convert_bigdl_scale},
    BigdlEntry{"AddConstant", convert_bigdl_unary},
    BigdlEntry{"BatchNormalization", convert_bigdl_batch_normalization},
    BigdlEntry{"BifurcateSplitTable", convert_bigdl_bifurcate},
    BigdlEntry{"BinaryThreshold", convert_bigdl_unary},
    BigdlEntry{"CAdd", convert_bigdl_scale},
    BigdlEntry{"CAddTable", convert_bigdl_eltwise},
    BigdlEntry{"CAveTable", convert_bigdl_eltwise},
    BigdlEntry{"CDivTable", convert_bigdl_eltwise},
    BigdlEntry{"CMaxTable", convert_bigdl_eltwise},
    BigdlEntry{"CMinTable", convert_bigdl_eltwise},
    BigdlEntry{"CMul", convert_bigdl_scale},
    BigdlEntry{"CMulTable", convert_bigdl_eltwise},
    BigdlEntry{"CSubTable", convert_bigdl_eltwise},
    BigdlEntry{"Clamp", convert_bigdl_unary},
    BigdlEntry{"Contiguous", convert_bigdl_copy},
    BigdlEntry{"Cropping2D", convert_bigdl_cropping},
    BigdlEntry{"DetectionOutputSSD", convert_bigdl_detection_output},
    BigdlEntry{"Dropout", convert_bigdl_copy},
    BigdlEntry{"ELU", convert_bigdl_unary},
    BigdlEntry{"Echo", convert_bigdl_copy},
    BigdlEntry{"Exp", convert_bigdl_unary},
    BigdlEntry{"FlattenTable", convert_bigdl_flatten_table},
    BigdlEntry{"GaussianDropout", convert_bigdl_copy},
    BigdlEntry{"GaussianNoise", convert_bigdl_copy},
    BigdlEntry{"GradientReversal", convert_bigdl_copy},
    BigdlEntry{"HardShrink", convert_bigdl_unary},
    BigdlEntry{"HardSigmoid", convert_bigdl_unary},
    BigdlEntry{"HardTanh", convert_bigdl_unary},
    BigdlEntry{"Identity", convert_bigdl_copy},
    BigdlEntry{"InferReshape", convert_bigdl_infer_reshape},
    BigdlEntry{"Input", convert_bigdl_copy},
    BigdlEntry{"JoinTable", convert_bigdl_join_table},
    BigdlEntry{"L1Penalty", convert_bigdl_copy},
    BigdlEntry{"LeakyReLU", convert_bigdl_unary},
    BigdlEntry{"Linear", convert_bigdl_linear},
    BigdlEntry{"Log", convert_bigdl_unary},
    BigdlEntry{"LogSigmoid", convert_bigdl_composed},
    BigdlEntry{"LogSoftMax", convert_bigdl_log_softmax},
    BigdlEntry{"LookupTable", convert_bigdl_lookup_table},
    BigdlEntry{"MM", convert_bigdl_mm},
    BigdlEntry{"Max", convert_bigdl_reduction},
    BigdlEntry{"Mean", convert_bigdl_reduction},
    BigdlEntry{"Min", convert_bigdl_reduction},
    BigdlEntry{"Mul", convert_bigdl_scale},
    BigdlEntry{"MulConstant", convert_bigdl_unary},
    BigdlEntry{"Narrow", convert_bigdl_narrow},
    BigdlEntry{"NarrowTable", convert_bigdl_narrow_table},
    BigdlEntry{"Negative", convert_bigdl_unary},
    BigdlEntry{"NegativeEntropyPenalty", convert_bigdl_copy},
    BigdlEntry{"Normalize", convert_bigdl_normalize},
    BigdlEntry{"NormalizeScale", convert_bigdl_normalize},
    BigdlEntry{"PReLU", convert_bigdl_prelu},
    BigdlEntry{"Pack", convert_bigdl_pack},
    BigdlEntry{"Padding", convert_bigdl_padding},
    BigdlEntry{"Power", convert_bigdl_unary},
    BigdlEntry{"PriorBox", convert_bigdl_prior_box},
    BigdlEntry{"RReLU", convert_bigdl_unary},
    BigdlEntry{"ReLU", convert_bigdl_unary},
    BigdlEntry{"ReLU6", convert_bigdl_unary},
    BigdlEntry{"Replicate", convert_bigdl_replicate},
    BigdlEntry{"Reshape", convert_bigdl_reshape},
    BigdlEntry{"ResizeBilinear", convert_bigdl_resize_bilinear},
    BigdlEntry{"Reverse", convert_bigdl_reverse},
    BigdlEntry{"Scale", convert_bigdl_scale},
    BigdlEntry{"Select", convert_bigdl_select},
    BigdlEntry{"SelectTable", convert_bigdl_select_table},
    BigdlEntry{"Sigmoid", convert_bigdl_unary},
    BigdlEntry{"SoftMax", convert_bigdl_softmax},
    BigdlEntry{"SoftMin", convert_bigdl_softmax},
    BigdlEntry{"SoftPlus", convert_bigdl_composed},
    BigdlEntry{"SoftShrink", convert_bigdl_unary},
    BigdlEntry{"SoftSign", convert_bigdl_unary},
    BigdlEntry{"SpatialAveragePooling", convert_bigdl_pooling},
    BigdlEntry{"SpatialBatchNormalization", convert_bigdl_batch_normalization},
    BigdlEntry{"SpatialConvolution", convert_bigdl_convolution},
    BigdlEntry{"SpatialCrossMapLRN", convert_bigdl_lrn},
    BigdlEntry{"SpatialDilatedConvolution", convert_bigdl_dilated_convolution},
    BigdlEntry{"SpatialDropout1D", convert_bigdl_copy},
    BigdlEntry{"SpatialDropout2D", convert_bigdl_copy},
    BigdlEntry{"SpatialDropout3D", convert_bigdl_copy},
    BigdlEntry{"SpatialFullConvolution", convert_bigdl_full_convolution},
    BigdlEntry{"SpatialMaxPooling", convert_bigdl_pooling},
    BigdlEntry{"SpatialSeparableConvolution", convert_bigdl_separable_convolution},
    BigdlEntry{"SpatialShareConvolution", convert_bigdl_convolution},
    BigdlEntry{"SpatialWithinChannelLRN", convert_bigdl_lrn},
    BigdlEntry{"SpatialZeroPadding", convert_bigdl_zero_padding},
    BigdlEntry{"SplitTable", convert_bigdl_split_table},
    BigdlEntry{"Sqrt", convert_bigdl_unary},
    BigdlEntry{"Square", convert_bigdl_unary},
    BigdlEntry{"Squeeze", convert_bigdl_squeeze},
    BigdlEntry{"Sum", convert_bigdl_reduction},
    BigdlEntry{"Tanh", convert_bigdl_unary},
    BigdlEntry{"TanhShrink", convert_bigdl_composed},
    BigdlEntry{"TemporalConvolution", convert_bigdl_temporal_convolution},
    BigdlEntry{"TemporalMaxPooling", convert_bigdl_temporal_max_pooling},
    BigdlEntry{"Threshold", convert_bigdl_threshold},
    BigdlEntry{"Tile", convert_bigdl_tile},
    BigdlEntry{"Transpose", convert_bigdl_transpose},
    BigdlEntry{"Unsqueeze", convert_bigdl_unsqueeze},
    BigdlEntry{"UpSampling1D", convert_bigdl_up_sampling},
    BigdlEntry{"UpSampling2D", convert_bigdl_up_sampling},
    BigdlEntry{"View", convert_bigdl_view},
};

constexpr std::array kBigdlQuantizedLayers{
    BigdlEntry{"Linear", convert_bigdl_quantized_linear},
    BigdlEntry{"SpatialConvolution", convert_bigdl_quantized_convolution},
    BigdlEntry{"SpatialDilatedConvolution", convert_bigdl_quantized_convolution},
};

template <class Table>
BigdlConverter find_in(const Table& table, std::string_view type) {
  const auto found = std::ranges::find(table, type, &BigdlEntry::type);
  return found == table.end() ? nullptr : found->convert;
}

}  // namespace

BigdlConverter find_bigdl_converter(BigdlFamily family, std::string_view type) {
  if (family == BigdlFamily::quantized) return find_in(kBigdlQuantizedLayers, type);
  return family == BigdlFamily::nn ? find_in(kBigdlLayers, type) : nullptr;
}

}  // namespace octavo::graph
