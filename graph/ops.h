// SPDX-License-Identifier: Apache-2.0
// The operators of the IR (those of detection in graph/ops_detection.h): one struct each, with typed attributes. Shapes
// are in NCHW order whatever the memory layout.
//
// Each struct lists its attributes once, in `fields(self, visitor)`: printing, equality and the .octavo file follow
// from that list.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/blob.h"
#include "graph/ops_detection.h"
#include "graph/ops_tensor.h"
#include "jit/conv_spec.h"

namespace octavo::graph {

using Pair = std::array<std::int64_t, 2>;  ///< height, width
using jit::QuantizationWindow;

/// Pointwise functions. alpha, beta, gamma as noted.
enum class UnaryKind {
  relu,   ///< max(x, 0), or alpha * x below 0 (alpha: negative slope)
  relu6,  ///< min(max(x, 0), 6)
  sigmoid,
  tanh,
  elu,  ///< x >= 0 ? x : alpha * (exp(x) - 1)
  abs,
  power,      ///< (alpha + beta * x) ^ gamma            (alpha: shift, beta: scale, gamma: power)
  exp,        ///< alpha ^ (beta + gamma * x); alpha = -1: e   (alpha: base, beta: shift, gamma: scale)
  log,        ///< log_alpha(beta + gamma * x); alpha = -1: e
  threshold,  ///< x > alpha ? 1 : 0
  // From here on: graph/import/onnx_pointwise.cpp says which operator of ONNX each one is.
  clip,       ///< min(max(x, alpha), beta)
  gelu,       ///< x / 2 * (1 + erf(x / sqrt(2)))
  gelu_tanh,  ///< the same, by tanh
  erf,
  hard_sigmoid,      ///< max(0, min(1, alpha * x + beta))
  hard_swish,        ///< x * max(0, min(1, x / 6 + 0.5))
  swish,             ///< x / (1 + exp(-alpha * x))
  mish,              ///< x * tanh(log(1 + exp(x)))
  softplus,          ///< log(1 + exp(x))
  softsign,          ///< x / (1 + |x|)
  selu,              ///< x > 0 ? gamma * x : gamma * alpha * (exp(x) - 1)
  celu,              ///< x > 0 ? x : alpha * (exp(x / alpha) - 1)
  shrink,            ///< x < -alpha ? x + beta : x > alpha ? x - beta : 0
  thresholded_relu,  ///< x > alpha ? x : 0
  floor,
  ceil,
  round,     ///< half to even
  truncate,  ///< towards 0
  sign,
  nonzero,      ///< x != 0 ? 1 : 0
  is_nan,       ///< 1 or 0
  is_infinite,  ///< 1 or 0; alpha != 0: -Inf counts; beta != 0: +Inf counts
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  asinh,
  acosh,
  atanh,
};

struct Activation {  ///< fused behind a convolution, Linear or elementwise node
  jit::ActivationKind kind = jit::ActivationKind::none;
  float slope = 0.0F;  ///< leaky_relu
  BlobPtr slopes{};    ///< prelu: [channels]
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("kind", s.kind);
    v("slope", s.slope);
    v("slopes", s.slopes);
  }
};

struct Input {
  static constexpr std::string_view kName = "Input";
  Shape shape{};
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("shape", s.shape);
  }
};

/// Inputs: x [N][C][H][W] (, residual of the output's shape, when add_residual).
/// out = floor((in + pad_begin + pad_end - (dilation * (kernel - 1) + 1)) / stride) + 1
struct Convolution {
  static constexpr std::string_view kName = "Convolution";
  std::int64_t out_channels = 0, groups = 1;
  Pair kernel{1, 1}, stride{1, 1}, dilation{1, 1}, pad_begin{0, 0}, pad_end{0, 0};
  BlobPtr weights{};  ///< [out][in / groups][kh][kw]
  BlobPtr bias{};     ///< [out] or null
  bool add_residual = false;
  Activation activation{};
  QuantizationWindow window{};  ///< of the activations, when the weights are quantized
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("out_channels", s.out_channels);
    v("groups", s.groups);
    v("kernel", s.kernel);
    v("stride", s.stride);
    v("dilation", s.dilation);
    v("pad_begin", s.pad_begin);
    v("pad_end", s.pad_end);
    v("weights", s.weights);
    v("bias", s.bias);
    v("add_residual", s.add_residual);
    v("activation", s.activation);
    v("window", s.window);
  }
};

/// out = stride * (in - 1) + dilation * (kernel - 1) + 1 - pad_begin - pad_end
struct Deconvolution {
  static constexpr std::string_view kName = "Deconvolution";
  std::int64_t out_channels = 0, groups = 1;
  Pair kernel{1, 1}, stride{1, 1}, dilation{1, 1}, pad_begin{0, 0}, pad_end{0, 0};
  BlobPtr weights{};  ///< [in][out / groups][kh][kw]
  BlobPtr bias{};
  Activation activation{};
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("out_channels", s.out_channels);
    v("groups", s.groups);
    v("kernel", s.kernel);
    v("stride", s.stride);
    v("dilation", s.dilation);
    v("pad_begin", s.pad_begin);
    v("pad_end", s.pad_end);
    v("weights", s.weights);
    v("bias", s.bias);
    v("activation", s.activation);
  }
};

/// x is seen as [product of dims before axis][product of dims from axis]; out: dims before axis, then out_features.
struct Linear {
  static constexpr std::string_view kName = "Linear";
  std::int64_t out_features = 0, axis = 1;
  BlobPtr weights{};  ///< [out][in], `in` in the logical (NCHW) order of x
  BlobPtr bias{};
  bool add_residual = false;
  Activation activation{};
  QuantizationWindow window{};
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("out_features", s.out_features);
    v("axis", s.axis);
    v("weights", s.weights);
    v("bias", s.bias);
    v("add_residual", s.add_residual);
    v("activation", s.activation);
    v("window", s.window);
  }
};

struct Unary {
  static constexpr std::string_view kName = "Unary";
  UnaryKind kind = UnaryKind::relu;
  float alpha = 0.0F, beta = 0.0F, gamma = 0.0F;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("kind", s.kind);
    v("alpha", s.alpha);
    v("beta", s.beta);
    v("gamma", s.gamma);
  }
};

struct PRelu {
  static constexpr std::string_view kName = "PRelu";
  BlobPtr slopes{};  ///< [channels], or [1]
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("slopes", s.slopes);
  }
};

/// (x - mean) / sqrt(variance + epsilon), a channel at a time.
struct BatchNorm {
  static constexpr std::string_view kName = "BatchNorm";
  BlobPtr mean{}, variance{};
  float epsilon = 1e-5F;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("mean", s.mean);
    v("variance", s.variance);
    v("epsilon", s.epsilon);
  }
};

/// x * factor + offset. With a blob, its shape is matched to x's dims from `axis`; with a null factor and two inputs,
/// the second input is the factor (Caffe's two-bottom Scale), or the offset when `second_is_offset` (two-bottom Bias).
struct Scale {
  static constexpr std::string_view kName = "Scale";
  std::int64_t axis = 1;
  BlobPtr factor{}, offset{};
  bool second_is_offset = false;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("axis", s.axis);
    v("factor", s.factor);
    v("offset", s.offset);
    v("second_is_offset", s.second_is_offset);
  }
};

/// x / (k + alpha / n * sum of squares over the window)^beta; n = size across channels, size^2 within a channel.
struct Lrn {
  static constexpr std::string_view kName = "Lrn";
  bool across_channels = true;
  std::int64_t size = 5;
  float alpha = 1.0F, beta = 0.75F, k = 1.0F;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("across_channels", s.across_channels);
    v("size", s.size);
    v("alpha", s.alpha);
    v("beta", s.beta);
    v("k", s.k);
  }
};

enum class PoolKind { max, average };

/// out = round((in + pad_begin + pad_end - kernel) / stride) + 1; the last window starts inside the padded-at-the-front
/// image (Caffe's rule) when ceil_mode. average: divides by the window clipped to the padded image when include_padding
/// (Caffe), else by the window clipped to the image.
struct Pool {
  static constexpr std::string_view kName = "Pool";
  PoolKind kind = PoolKind::max;
  Pair kernel{1, 1}, stride{1, 1}, pad_begin{0, 0}, pad_end{0, 0};
  bool global = false;  ///< kernel = the whole map
  bool ceil_mode = false;
  bool include_padding = true;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("kind", s.kind);
    v("kernel", s.kernel);
    v("stride", s.stride);
    v("pad_begin", s.pad_begin);
    v("pad_end", s.pad_end);
    v("global", s.global);
    v("ceil_mode", s.ceil_mode);
    v("include_padding", s.include_padding);
  }
};

struct Softmax {
  static constexpr std::string_view kName = "Softmax";
  std::int64_t axis = 1;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("axis", s.axis);
  }
};

struct Concat {
  static constexpr std::string_view kName = "Concat";
  std::int64_t axis = 1;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("axis", s.axis);
  }
};

/// One output more than points; without points: equal parts, one for each output.
struct Slice {
  static constexpr std::string_view kName = "Slice";
  std::int64_t axis = 1;
  std::vector<std::int64_t> points{};
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("axis", s.axis);
    v("points", s.points);
  }
};

enum class EltwiseKind { sum, product, max };

struct Eltwise {
  static constexpr std::string_view kName = "Eltwise";
  EltwiseKind kind = EltwiseKind::sum;
  std::vector<float> coefficients{};  ///< sum only; empty: all 1
  Activation activation{};
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("kind", s.kind);
    v("coefficients", s.coefficients);
    v("activation", s.activation);
  }
};

/// Dims axis..end_axis become one.
struct Flatten {
  static constexpr std::string_view kName = "Flatten";
  std::int64_t axis = 1, end_axis = -1;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("axis", s.axis);
    v("end_axis", s.end_axis);
  }
};

/// Replaces num_axes dims from axis (-1: to the end) by `dims`; 0 copies the input's dim, one -1 is inferred.
struct Reshape {
  static constexpr std::string_view kName = "Reshape";
  std::vector<std::int64_t> dims{};
  std::int64_t axis = 0, num_axes = -1;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("dims", s.dims);
    v("axis", s.axis);
    v("num_axes", s.num_axes);
  }
};

/// Dim i of the output is dim order[i] of x; dims that `order` leaves out follow in their order (graph/axes.h).
struct Permute {
  static constexpr std::string_view kName = "Permute";
  std::vector<std::int64_t> order{};
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("order", s.order);
  }
};

/// Second input gives the size; offsets: one for all cropped dims, or one each; dims from axis on are cropped.
struct Crop {
  static constexpr std::string_view kName = "Crop";
  std::int64_t axis = 2;
  std::vector<std::int64_t> offsets{};
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("axis", s.axis);
    v("offsets", s.offsets);
  }
};

struct Tile {
  static constexpr std::string_view kName = "Tile";
  std::int64_t axis = 1, tiles = 1;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("axis", s.axis);
    v("tiles", s.tiles);
  }
};

enum class ReductionKind { sum, abs_sum, square_sum, mean, max, min, product, log_sum_exp };

/// Over all dims from axis on; out = coefficient * reduced.
struct Reduction {
  static constexpr std::string_view kName = "Reduction";
  ReductionKind kind = ReductionKind::sum;
  std::int64_t axis = 0;
  float coefficient = 1.0F;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("kind", s.kind);
    v("axis", s.axis);
    v("coefficient", s.coefficient);
  }
};

/// The index of the greatest; of equal ones the last (Caffe), or the first. With an axis: that dim becomes top_k
/// (indices, or values when out_max_value). Without: over all dims after the first, out [N][1][top_k], or [N][2][top_k]
/// (indices, then values), then as many 1s as x has more dims.
struct ArgMax {
  static constexpr std::string_view kName = "ArgMax";
  bool has_axis = false, out_max_value = false, first = false;
  std::int64_t axis = 1, top_k = 1;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("has_axis", s.has_axis);
    v("out_max_value", s.out_max_value);
    v("first", s.first);
    v("axis", s.axis);
    v("top_k", s.top_k);
  }
};

/// x holds indices; out: x's dims, then the embedding's.
struct Embed {
  static constexpr std::string_view kName = "Embed";
  BlobPtr weights{};  ///< [input_dim][out]
  BlobPtr bias{};     ///< [out] or null
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("weights", s.weights);
    v("bias", s.bias);
  }
};

/// Dropout at inference, Split, Silence's survivors: out = x, for each output. Removed by canonicalization.
struct Identity {
  static constexpr std::string_view kName = "Identity";
  template <class S, class V>
  static void fields(S&, V&&) {}
};

// ---- made by the compiler's passes only -------------------------------------------------------------------------

/// fp32 -> integers and their scales, per window.
struct Quantize {
  static constexpr std::string_view kName = "Quantize";
  QuantizationWindow window{};
  bool nonnegative = false;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("window", s.window);
    v("nonnegative", s.nonnegative);
  }
};

/// u8 x s8 -> s32 per window. Geometry and weights as in the float node.
struct IntegerConvolution {
  static constexpr std::string_view kName = "IntegerConvolution";
  Convolution conv{};
  template <class S, class V>
  static void fields(S& s, V&& v) {
    Convolution::fields(s.conv, v);
  }
};

struct IntegerLinear {
  static constexpr std::string_view kName = "IntegerLinear";
  Linear linear{};
  template <class S, class V>
  static void fields(S& s, V&& v) {
    Linear::fields(s.linear, v);
  }
};

/// s32 per window -> fp32: times both scales, summed over windows; then bias, residual, activation.
struct Dequantize {
  static constexpr std::string_view kName = "Dequantize";
  BlobPtr weights{}, bias{};  ///< the weights for their scales
  bool add_residual = false;
  Activation activation{};
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("weights", s.weights);
    v("bias", s.bias);
    v("add_residual", s.add_residual);
    v("activation", s.activation);
  }
};

/// Quantize, IntegerConvolution, Dequantize and epilogue in one kernel.
struct FusedConvolution {
  static constexpr std::string_view kName = "FusedConvolution";
  Convolution conv{};
  bool nonnegative = false;
  bool pool = false;  ///< then a maximum over 2x2 at stride 2, of an even height and width; never with a residual
  template <class S, class V>
  static void fields(S& s, V&& v) {
    Convolution::fields(s.conv, v);
    v("nonnegative", s.nonnegative);
    v("pool", s.pool);
  }
};

struct FusedLinear {
  static constexpr std::string_view kName = "FusedLinear";
  Linear linear{};
  bool nonnegative = false;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    Linear::fields(s.linear, v);
    v("nonnegative", s.nonnegative);
  }
};

using Op = std::variant<Input, Convolution, Deconvolution, Linear, Unary, PRelu, BatchNorm, Scale, Lrn, Pool, Softmax,
                        Concat, Slice, Eltwise, Flatten, Reshape, Permute, Crop, Tile, Reduction, ArgMax, Embed,
                        Identity, Constant, Binary, Select, MatMul, Gather, StridedSlice, Pad, LayerNorm, Resize,
                        Normalize, PriorBox, DetectionOutput, Proposal, RoiPooling, NonMaxSuppression, RoiAlign,
                        Quantize, IntegerConvolution, IntegerLinear, Dequantize, FusedConvolution, FusedLinear>;

/// The op's kName.
[[nodiscard]] std::string_view op_name(const Op& op);

}  // namespace octavo::graph
