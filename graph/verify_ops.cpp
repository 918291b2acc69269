// SPDX-License-Identifier: Apache-2.0
// Each op's attributes and blobs, as far as they can be judged without shapes: see graph/verify_rules.h.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "graph/check.h"
#include "graph/verify_checks.h"
#include "graph/verify_rules.h"

namespace octavo::graph {
namespace {

constexpr std::int64_t kMaxLrnSize = 65535;  // execution keeps that many numbers for each thread

void require_vector(const BlobPtr& blob, std::int64_t size, std::string_view what) {
  require_float(blob, what);
  require(element_count(blob->shape) == size, "{} {}, expected {}", element_count(blob->shape), what, size);
}

void verify_window(const QuantizationWindow& window) {
  require_between(window.channels, 0, kMaxSize, "window channels");
  require_between(window.tile_h, 0, kMaxSize, "window tile height");
  require_between(window.tile_w, 0, kMaxSize, "window tile width");
}

/// Scales [out][windows], each a number that weights can be multiplied by, and windows that match the activations'.
void verify_quantized(const Blob& weights, const QuantizationWindow& window) {
  verify_window(window);
  const std::int64_t ins = weights.shape[1];
  const std::int64_t expected = window.channels == 0 ? ins : std::min(window.channels, ins);
  require(weights.window == expected, "weights have windows of {} channels, activations of {}", weights.window,
          expected);
  const std::int64_t scales = weights.shape[0] * ((ins - 1) / weights.window + 1);
  require(static_cast<std::int64_t>(weights.scales.values.size()) == scales, "{} weight scales, expected {}",
          weights.scales.values.size(), scales);
  const bool sound = std::all_of(weights.scales.values.begin(), weights.scales.values.end(),
                                 [](float scale) { return std::isfinite(scale) && scale >= 0.0F; });
  require(sound, "a weight scale is negative or not finite");
}

void verify_activation(const Activation& activation) {
  require_enum(activation.kind, jit::ActivationKind::tanh, "activation");
  if (activation.kind == jit::ActivationKind::prelu) require_float(activation.slopes, "slopes");
}

/// Convolution and Deconvolution differ in which dimension of the weights is the outputs'.
template <class T>
void verify_geometry(const T& op) {
  require_between(op.out_channels, 1, kMaxSize, "out_channels");
  require_between(op.groups, 1, kMaxSize, "groups");
  require(op.out_channels % op.groups == 0, "{} output channels cannot be in {} groups", op.out_channels, op.groups);
  require_pair(op.kernel, 1, "kernel");
  require_pair(op.stride, 1, "stride");
  require_pair(op.dilation, 1, "dilation");
  require_pair(op.pad_begin, 0, "padding");
  require_pair(op.pad_end, 0, "padding");
  require_blob(op.weights, "weights");
  if (op.bias) require_vector(op.bias, op.out_channels, "biases");
  verify_activation(op.activation);
}

template <class T>
void require_weights(const T& op, std::size_t out_axis, std::int64_t outs) {
  const Shape& shape = op.weights->shape;
  const bool fits =
      shape.size() == 4 && shape[out_axis] == outs && shape[2] == op.kernel[0] && shape[3] == op.kernel[1];
  require(fits, "weights {} do not fit {} output channels in {} groups and a kernel of {}x{}", to_text(shape),
          op.out_channels, op.groups, op.kernel[0], op.kernel[1]);
}

struct OpVerifier {
  std::size_t inputs;

  void operator()(const Input& op) const {
    require_rank(op.shape, "the input's shape");
    for (const std::int64_t dim : op.shape) require_between(dim, 1, std::int64_t{1} << 40, "input dimension");
  }
  void operator()(const Convolution& op) const {
    verify_geometry(op);
    require_weights(op, 0, op.out_channels);
    if (op.weights->quantized()) verify_quantized(*op.weights, op.window);
  }
  void operator()(const Deconvolution& op) const {
    verify_geometry(op);
    require_weights(op, 1, op.out_channels / op.groups);
    require(op.weights->shape[0] % op.groups == 0, "{} input channels cannot be in {} groups", op.weights->shape[0],
            op.groups);
    require(!op.weights->quantized(), "weights have to be fp32");
  }
  void operator()(const Linear& op) const {
    require_between(op.out_features, 1, kMaxSize, "out_features");
    require_blob(op.weights, "weights");
    require(op.weights->shape.size() == 2 && op.weights->shape[0] == op.out_features,
            "weights {} do not fit {} output features", to_text(op.weights->shape), op.out_features);
    if (op.weights->quantized()) verify_quantized(*op.weights, op.window);
    if (op.bias) require_vector(op.bias, op.out_features, "biases");
    verify_activation(op.activation);
  }
  void operator()(const Unary& op) const { require_enum(op.kind, UnaryKind::atanh, "function"); }
  void operator()(const PRelu& op) const { require_float(op.slopes, "slopes"); }
  void operator()(const BatchNorm& op) const {
    require_float(op.mean, "means");
    require_vector(op.variance, element_count(op.mean->shape), "variances");
    require(op.epsilon >= 0.0F, "epsilon is {}", op.epsilon);
  }
  void operator()(const Scale& op) const {
    if (op.factor) require_float(op.factor, "factors");
    if (op.offset) require_float(op.offset, "offsets");
    if (inputs == 1) {
      require(!op.second_is_offset, "the second input is missing");
      require(op.factor || op.offset, "neither a factor nor an offset");
    } else {
      const BlobPtr& given_twice = op.second_is_offset ? op.offset : op.factor;
      require(!given_twice, "the {} is given twice", op.second_is_offset ? "offset" : "factor");
    }
  }
  void operator()(const Lrn& op) const {
    require_between(op.size, 1, kMaxLrnSize, "size");
    require(op.size % 2 == 1, "size is {}, it has to be odd", op.size);
  }
  void operator()(const Pool& op) const {
    require_enum(op.kind, PoolKind::average, "pooling");
    require_pair(op.kernel, 1, "kernel");
    require_pair(op.stride, 1, "stride");
    require_pair(op.pad_begin, 0, "padding");
    require_pair(op.pad_end, 0, "padding");
    for (std::size_t side = 0; side < 2; ++side) {
      const std::int64_t pad = std::max(op.pad_begin[side], op.pad_end[side]);
      const std::int64_t limit = op.global ? 1 : op.kernel[side];
      require(pad < limit, "padding {} has to be smaller than the kernel, {}", pad, limit);
    }
  }
  void operator()(const Softmax&) const {}
  void operator()(const Concat&) const {}
  void operator()(const Slice& op) const {
    std::int64_t previous = 0;
    for (const std::int64_t point : op.points) {
      require(point > previous, "slice points have to rise from above 0, {} follows {}", point, previous);
      previous = point;
    }
  }
  void operator()(const Eltwise& op) const {
    require_enum(op.kind, EltwiseKind::max, "operation");
    require(op.coefficients.empty() || op.kind == EltwiseKind::sum, "only a sum has coefficients");
    require(op.coefficients.empty() || op.coefficients.size() == inputs, "{} coefficients for {} inputs",
            op.coefficients.size(), inputs);
    verify_activation(op.activation);
  }
  void operator()(const Flatten&) const {}
  void operator()(const Reshape& op) const {
    require_rank(op.dims, "the new shape");
    for (const std::int64_t dim : op.dims) require_between(dim, -1, std::int64_t{1} << 40, "dimension");
    require(std::count(op.dims.begin(), op.dims.end(), -1) <= 1, "more than one dimension is to be inferred");
    require_between(op.num_axes, -1, kMaxSize, "num_axes");
  }
  void operator()(const Permute& op) const { require_rank(op.order, "the order"); }
  void operator()(const Crop& op) const {
    require_rank(op.offsets, "the list of offsets");
    for (const std::int64_t offset : op.offsets) require_between(offset, 0, std::int64_t{1} << 40, "offset");
  }
  void operator()(const Tile& op) const { require_between(op.tiles, 1, kMaxSize, "tiles"); }
  void operator()(const Reduction& op) const { require_enum(op.kind, ReductionKind::log_sum_exp, "reduction"); }
  void operator()(const ArgMax& op) const { require_between(op.top_k, 1, kMaxSize, "top_k"); }
  void operator()(const Embed& op) const {
    require_float(op.weights, "weights");
    require(op.weights->shape.size() == 2, "weights {} are not [inputs][outputs]", to_text(op.weights->shape));
    if (op.bias) require_vector(op.bias, op.weights->shape[1], "biases");
  }
  void operator()(const Normalize& op) const { verify_detection(op); }
  void operator()(const PriorBox& op) const { verify_detection(op); }
  void operator()(const DetectionOutput& op) const { verify_detection(op); }
  void operator()(const Proposal& op) const { verify_detection(op); }
  void operator()(const RoiPooling& op) const { verify_detection(op); }
  void operator()(const NonMaxSuppression& op) const { verify_detection(op); }
  void operator()(const RoiAlign& op) const { verify_detection(op); }
  void operator()(const Identity&) const {}
  void operator()(const Constant& op) const { require_float(op.value, "numbers"); }
  void operator()(const Binary& op) const { require_enum(op.kind, BinaryKind::logical_xor, "operation"); }
  void operator()(const Select&) const {}
  void operator()(const MatMul&) const {}
  void operator()(const Gather&) const {}
  void operator()(const StridedSlice& op) const {
    require_rank(op.axes, "the list of axes");
    const std::size_t count = op.axes.size();
    require(op.begins.size() == count && op.ends.size() == count && op.steps.size() == count,
            "{} axes, {} begins, {} ends and {} steps", count, op.begins.size(), op.ends.size(), op.steps.size());
    for (const std::int64_t step : op.steps) {
      require_between(step, -kMaxSize, kMaxSize, "step");
      require(step != 0, "a step of 0");
    }
  }
  void operator()(const Pad& op) const {
    require_enum(op.kind, PadKind::wrap, "padding");
    require_rank(op.begins, "the list of paddings");
    require(op.begins.size() == op.ends.size(), "{} paddings before and {} behind", op.begins.size(), op.ends.size());
    for (const std::int64_t pad : op.begins) require_between(pad, -kMaxSize, kMaxSize, "padding");
    for (const std::int64_t pad : op.ends) require_between(pad, -kMaxSize, kMaxSize, "padding");
  }
  void operator()(const LayerNorm& op) const {
    if (op.factor) require_float(op.factor, "factors");
    if (op.offset) require_float(op.offset, "offsets");
    require(op.epsilon >= 0.0F, "epsilon is {}", op.epsilon);
  }
  void operator()(const Resize& op) const {
    require_enum(op.kind, ResizeKind::cubic, "interpolation");
    require_enum(op.coordinates, ResizeCoordinates::align_corners, "coordinates");
    require_enum(op.rounding, ResizeRounding::ceil, "rounding");
    require_rank(op.axes, "the list of axes");
    require(std::isfinite(op.cubic), "the cubic coefficient is {}", op.cubic);
    const bool by_size = !op.sizes.empty();
    require(by_size ? op.scales.empty() || op.scales.size() == op.axes.size() : op.scales.size() == op.axes.size(),
            "{} axes and {} scales", op.axes.size(), op.scales.size());
    require(!by_size || op.sizes.size() == op.axes.size(), "{} axes and {} sizes", op.axes.size(), op.sizes.size());
    for (const std::int64_t size : op.sizes) require_between(size, 1, kMaxSize, "size");
    for (const float scale : op.scales) {
      require(std::isfinite(scale) && scale > 0.0F, "a scale of {}", scale);
    }
  }
  void operator()(const Quantize& op) const { verify_window(op.window); }
  void operator()(const IntegerConvolution& op) const {
    (*this)(op.conv);
    require_integer(op.conv);
  }
  void operator()(const IntegerLinear& op) const {
    (*this)(op.linear);
    require_integer(op.linear);
  }
  void operator()(const Dequantize& op) const {
    require_blob(op.weights, "weights");
    const std::size_t rank = op.weights->shape.size();
    require(op.weights->quantized() && (rank == 2 || rank == 4), "weights have to be quantized");
    verify_quantized(*op.weights, {.channels = op.weights->window});
    if (op.bias) require_vector(op.bias, op.weights->shape[0], "biases");
    verify_activation(op.activation);
  }
  void operator()(const FusedConvolution& op) const {
    (*this)(op.conv);
    require(op.conv.weights->quantized(), "weights have to be quantized");
    require(!op.pool || !op.conv.add_residual, "a layer that pools has no residual");
  }
  void operator()(const FusedLinear& op) const {
    (*this)(op.linear);
    require(op.linear.weights->quantized(), "weights have to be quantized");
  }

 private:
  /// Between Quantize and Dequantize there are only integers: the epilogue is Dequantize's.
  template <class T>
  static void require_integer(const T& op) {
    require(op.weights->quantized(), "weights have to be quantized");
    require(!op.bias && !op.add_residual && op.activation.kind == jit::ActivationKind::none,
            "the epilogue belongs to Dequantize");
  }
};

struct ArityOf {
  static constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

  static Arity with_residual(bool add_residual) {
    const std::size_t inputs = add_residual ? 2 : 1;
    return {inputs, inputs, 1};
  }
  Arity operator()(const Input&) const { return {0, 0, 1}; }
  Arity operator()(const Convolution& op) const { return with_residual(op.add_residual); }
  Arity operator()(const Linear& op) const { return with_residual(op.add_residual); }
  Arity operator()(const Dequantize& op) const { return with_residual(op.add_residual); }
  Arity operator()(const FusedConvolution& op) const { return with_residual(op.conv.add_residual); }
  Arity operator()(const FusedLinear& op) const { return with_residual(op.linear.add_residual); }
  Arity operator()(const Scale&) const { return {1, 2, 1}; }
  Arity operator()(const Concat&) const { return {1, kAny, 1}; }
  Arity operator()(const Eltwise&) const { return {2, kAny, 1}; }
  Arity operator()(const Crop&) const { return {2, 2, 1}; }
  Arity operator()(const Constant&) const { return {0, 0, 1}; }
  Arity operator()(const Binary&) const { return {2, 2, 1}; }
  Arity operator()(const Select&) const { return {3, 3, 1}; }
  Arity operator()(const MatMul&) const { return {2, 2, 1}; }
  Arity operator()(const Gather&) const { return {2, 2, 1}; }
  Arity operator()(const Slice&) const { return {1, 1, kAny}; }
  Arity operator()(const PriorBox&) const { return {2, 2, 1}; }
  Arity operator()(const DetectionOutput&) const { return {3, 3, 1}; }
  Arity operator()(const Proposal&) const { return {3, 3, 1}; }
  Arity operator()(const RoiPooling&) const { return {2, 2, 1}; }
  Arity operator()(const NonMaxSuppression&) const { return {2, 2, 1}; }
  Arity operator()(const RoiAlign&) const { return {3, 3, 1}; }
  Arity operator()(const Identity&) const { return {1, 1, kAny}; }
  template <class T>
  Arity operator()(const T&) const {
    return {};
  }
};

}  // namespace

Arity arity_of(const Op& op) { return std::visit(ArityOf{}, op); }

void verify_op(const Op& op, std::size_t inputs) { std::visit(OpVerifier{inputs}, op); }

}  // namespace octavo::graph
