// SPDX-License-Identifier: Apache-2.0
// Which values are never below zero: see graph/passes/passes.h. A layer whose input is proven so quantizes it to the
// whole of 0..255. NaN counts as not below zero: it is handled apart.
#include <algorithm>
#include <cmath>

#include "graph/passes/passes.h"

namespace octavo::graph {
namespace {

bool none_below_zero(const BlobPtr& blob) {
  return std::none_of(blob->f32.values.begin(), blob->f32.values.end(), [](float value) { return value < 0.0F; });
}

bool none_above_zero(const BlobPtr& blob) {
  return std::none_of(blob->f32.values.begin(), blob->f32.values.end(), [](float value) { return value > 0.0F; });
}

bool none_below_zero(const std::vector<float>& values) {
  return std::none_of(values.begin(), values.end(), [](float value) { return value < 0.0F; });
}

/// Whether the activation's result is nonnegative, given whether its argument is.
bool activated(const Activation& activation, bool before) {
  switch (activation.kind) {
    case jit::ActivationKind::relu:
    case jit::ActivationKind::relu6:
    case jit::ActivationKind::sigmoid:
      return true;
    case jit::ActivationKind::leaky_relu:
      return before || activation.slope <= 0.0F;
    case jit::ActivationKind::prelu:
      return before || none_above_zero(activation.slopes);
    case jit::ActivationKind::none:
    case jit::ActivationKind::tanh:
      return before;
  }
  return false;
}

/// (alpha + beta * x) ^ gamma.
bool power_nonnegative(const Unary& power, bool x) {
  if (x && power.alpha >= 0.0F && power.beta >= 0.0F) return true;  // a power of something nonnegative
  // Of something negative, an even power is positive, an odd one negative, any other not a number.
  return std::fmod(power.gamma, 2.0F) == 0.0F || std::trunc(power.gamma) != power.gamma;
}

struct Proof {
  const Node& node;
  const std::vector<bool>& proven;

  [[nodiscard]] bool input(std::size_t i) const { return proven[node.inputs[i]]; }
  [[nodiscard]] bool every_input() const {
    return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId value) { return proven[value]; });
  }
  [[nodiscard]] bool any_input() const {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId value) { return proven[value]; });
  }

  bool operator()(const Input&) const { return false; }
  bool operator()(const Convolution& op) const { return activated(op.activation, false); }
  bool operator()(const Deconvolution& op) const { return activated(op.activation, false); }
  bool operator()(const Linear& op) const { return activated(op.activation, false); }
  bool operator()(const Dequantize& op) const { return activated(op.activation, false); }
  bool operator()(const FusedConvolution& op) const { return activated(op.conv.activation, false); }
  bool operator()(const FusedLinear& op) const { return activated(op.linear.activation, false); }
  bool operator()(const IntegerConvolution&) const { return false; }
  bool operator()(const IntegerLinear&) const { return false; }
  bool operator()(const Embed&) const { return false; }
  bool operator()(const BatchNorm&) const { return false; }
  bool operator()(const Softmax&) const { return true; }
  bool operator()(const Normalize& op) const { return input(0) && none_below_zero(op.factor); }
  bool operator()(const PriorBox&) const { return false; }
  bool operator()(const DetectionOutput&) const { return false; }
  bool operator()(const Proposal&) const { return false; }
  bool operator()(const RoiPooling&) const { return input(0); }  // the second gives the places only
  bool operator()(const NonMaxSuppression&) const { return false; }
  bool operator()(const RoiAlign&) const { return input(0); }

  bool operator()(const Unary& op) const {
    switch (op.kind) {
      case UnaryKind::relu:
        return input(0) || op.alpha <= 0.0F;
      case UnaryKind::relu6:
      case UnaryKind::sigmoid:
      case UnaryKind::abs:
      case UnaryKind::threshold:
        return true;
      case UnaryKind::exp:
        return op.alpha > 0.0F || op.alpha == -1.0F;
      case UnaryKind::power:
        return power_nonnegative(op, input(0));
      case UnaryKind::tanh:
      case UnaryKind::elu:
        return input(0);
      case UnaryKind::clip:
        return op.beta >= 0.0F && (op.alpha >= 0.0F || input(0));  // a maximum below the minimum wins
      case UnaryKind::hard_sigmoid:
      case UnaryKind::softplus:
      case UnaryKind::nonzero:
      case UnaryKind::is_nan:
      case UnaryKind::is_infinite:
      case UnaryKind::acos:
      case UnaryKind::cosh:
      case UnaryKind::acosh:
        return true;
      case UnaryKind::gelu:
      case UnaryKind::gelu_tanh:
      case UnaryKind::erf:
      case UnaryKind::hard_swish:
      case UnaryKind::swish:
      case UnaryKind::mish:
      case UnaryKind::softsign:
      case UnaryKind::floor:
      case UnaryKind::ceil:
      case UnaryKind::round:
      case UnaryKind::truncate:
      case UnaryKind::sign:
      case UnaryKind::asin:
      case UnaryKind::atan:
      case UnaryKind::sinh:
      case UnaryKind::asinh:
      case UnaryKind::atanh:
        return input(0);
      case UnaryKind::thresholded_relu:
        return input(0) || op.alpha >= 0.0F;
      case UnaryKind::log:
      case UnaryKind::selu:
      case UnaryKind::celu:
      case UnaryKind::shrink:
      case UnaryKind::sin:
      case UnaryKind::cos:
      case UnaryKind::tan:
        return false;
    }
    return false;
  }
  bool operator()(const PRelu& op) const { return input(0) || none_above_zero(op.slopes); }
  bool operator()(const Scale& op) const {
    return every_input() && (!op.factor || none_below_zero(op.factor)) && (!op.offset || none_below_zero(op.offset));
  }
  bool operator()(const Lrn& op) const { return input(0) && op.k >= 0.0F && op.alpha >= 0.0F; }
  bool operator()(const Eltwise& op) const {
    bool before = every_input();
    if (op.kind == EltwiseKind::sum) before = before && none_below_zero(op.coefficients);
    if (op.kind == EltwiseKind::max) before = any_input();
    return activated(op.activation, before);
  }
  bool operator()(const Constant& op) const { return none_below_zero(op.value); }
  bool operator()(const Binary& op) const {
    switch (op.kind) {
      case BinaryKind::add:
      case BinaryKind::multiply:
      case BinaryKind::divide:
      case BinaryKind::power:
      case BinaryKind::minimum:
      case BinaryKind::modulo:
      case BinaryKind::remainder:
        return every_input();
      case BinaryKind::maximum:
        return any_input();
      case BinaryKind::subtract:
        return false;
      default:
        return true;  // comparisons and logic
    }
  }
  bool operator()(const Select&) const { return input(1) && input(2); }
  bool operator()(const MatMul&) const { return every_input(); }
  bool operator()(const Gather&) const { return input(0); }
  bool operator()(const StridedSlice&) const { return input(0); }
  bool operator()(const Pad& op) const { return input(0) && (op.kind != PadKind::constant || op.value >= 0.0F); }
  bool operator()(const LayerNorm&) const { return false; }
  bool operator()(const Resize& op) const { return input(0) && op.kind != ResizeKind::cubic; }
  bool operator()(const Reduction& op) const {
    if (op.kind == ReductionKind::log_sum_exp) return false;
    const bool of_magnitudes = op.kind == ReductionKind::abs_sum || op.kind == ReductionKind::square_sum;
    return (of_magnitudes || input(0)) && op.coefficient >= 0.0F;
  }
  bool operator()(const ArgMax& op) const { return !op.out_max_value || input(0); }  // indices are not below zero
  bool operator()(const Crop&) const { return input(0); }                            // the second gives the size only
  bool operator()(const Pool&) const { return input(0); }
  bool operator()(const Concat&) const { return every_input(); }
  bool operator()(const Slice&) const { return input(0); }
  bool operator()(const Flatten&) const { return input(0); }
  bool operator()(const Reshape&) const { return input(0); }
  bool operator()(const Permute&) const { return input(0); }
  bool operator()(const Tile&) const { return input(0); }
  bool operator()(const Identity&) const { return input(0); }
  bool operator()(const Quantize&) const { return input(0); }
};

}  // namespace

std::vector<bool> prove_nonnegative(const Graph& graph) {
  std::vector<bool> proven(graph.values.size(), false);
  for (const Node& node : graph.nodes) {
    const bool nonnegative = std::visit(Proof{node, proven}, node.op);
    for (const ValueId value : node.outputs) proven[value] = nonnegative;
  }
  return proven;
}

}  // namespace octavo::graph
