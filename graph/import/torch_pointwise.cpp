// SPDX-License-Identifier: Apache-2.0
// Functions of each number, and what does nothing at inference.
#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <map>

#include "graph/check.h"
#include "graph/import/torch_layers.h"

namespace octavo::graph {
namespace {

constexpr float kTorchInfinity = std::numeric_limits<float>::infinity();

float torch_number(const TorchModule& module, std::string_view name, double fallback) {
  return static_cast<float>(module.number(name, fallback));
}

/// min(max(x, low), high)
Unary torch_clip(float low, float high) {
  if (low == 0.0F && high == kTorchInfinity) return {.kind = UnaryKind::relu};
  if (low == 0.0F && high == 6.0F) return {.kind = UnaryKind::relu6};
  return {.kind = UnaryKind::clip, .alpha = low, .beta = high};
}

Unary torch_power(double shift, double scale, double power) {
  return {.kind = UnaryKind::power,
          .alpha = static_cast<float>(shift),
          .beta = static_cast<float>(scale),
          .gamma = static_cast<float>(power)};
}

using Module = const TorchModule&;
using MakeUnary = Unary (*)(Module);

const std::map<std::string_view, MakeUnary>& torch_unaries() {
  static const std::map<std::string_view, MakeUnary> table{
      {"Abs", [](Module) { return Unary{.kind = UnaryKind::abs}; }},
      {"Clamp", [](Module m) { return torch_clip(torch_number(m, "min_val", -1), torch_number(m, "max_val", 1)); }},
      {"ClippedReLU", [](Module m) { return torch_clip(0.0F, static_cast<float>(m.number("ceiling"))); }},
      {"ELU", [](Module m) { return Unary{.kind = UnaryKind::elu, .alpha = torch_number(m, "alpha", 1)}; }},
      {"Exp", [](Module) { return Unary{.kind = UnaryKind::exp, .alpha = -1.0F, .beta = 0.0F, .gamma = 1.0F}; }},
      {"HardShrink",
       [](Module m) { return Unary{.kind = UnaryKind::shrink, .alpha = torch_number(m, "lambda", 0.5)}; }},
      {"HardTanh", [](Module m) { return torch_clip(torch_number(m, "min_val", -1), torch_number(m, "max_val", 1)); }},
      {"LeakyReLU", [](Module m) { return Unary{.kind = UnaryKind::relu, .alpha = torch_number(m, "negval", 0.01)}; }},
      {"Log", [](Module) { return Unary{.kind = UnaryKind::log, .alpha = -1.0F, .beta = 0.0F, .gamma = 1.0F}; }},
      {"Power", [](Module m) { return torch_power(0, 1, m.number("pow")); }},
      {"RReLU",  // at inference: the mean of the slopes
       [](Module m) {
         return Unary{.kind = UnaryKind::relu,
                      .alpha = static_cast<float>((m.number("lower", 1.0 / 8) + m.number("upper", 1.0 / 3)) / 2)};
       }},
      {"ReLU6", [](Module) { return Unary{.kind = UnaryKind::relu6}; }},
      {"Sigmoid", [](Module) { return Unary{.kind = UnaryKind::sigmoid}; }},
      {"SoftShrink",
       [](Module m) {
         const float lambda = torch_number(m, "lambda", 0.5);
         return Unary{.kind = UnaryKind::shrink, .alpha = lambda, .beta = lambda};
       }},
      {"SoftSign", [](Module) { return Unary{.kind = UnaryKind::softsign}; }},
      {"Sqrt", [](Module) { return torch_power(0, 1, 0.5); }},
      {"Square", [](Module) { return torch_power(0, 1, 2); }},
      {"Tanh", [](Module) { return Unary{.kind = UnaryKind::tanh}; }},
  };
  return table;
}

}  // namespace

TorchActivity convert_torch_pointwise(TorchLayer& layer) {
  const ValueId x = layer.tensor();
  const TorchModule& module = layer.module();
  const std::string_view type = module.type();
  if (type == "SoftPlus") {  // log(1 + exp(beta * x)) / beta
    const float beta = torch_number(module, "beta", 1);
    if (beta == 1.0F) return layer.add_unary(UnaryKind::softplus, x);
    return layer.add_affine(layer.add_unary(UnaryKind::softplus, layer.add_affine(x, beta, 0.0F)), 1.0F / beta, 0.0F);
  }
  if (type == "LogSigmoid") {  // -log(1 + exp(-x))
    return layer.add_affine(layer.add_unary(UnaryKind::softplus, layer.add_affine(x, -1.0F, 0.0F)), -1.0F, 0.0F);
  }
  if (type == "TanhShrink") {
    return layer.add(Eltwise{.kind = EltwiseKind::sum, .coefficients = {1.0F, -1.0F}, .activation = {}},
                     {x, layer.add_unary(UnaryKind::tanh, x)});
  }
  return layer.add(torch_unaries().at(type)(module), {x});
}

/// Threshold and ReLU: x where it is above a threshold, else another number.
TorchActivity convert_torch_threshold(TorchLayer& layer) {
  const ValueId x = layer.tensor();
  const bool relu = layer.module().type() == "ReLU";
  const float threshold = relu ? 0.0F : torch_number(layer.module(), "threshold", 1e-6);
  const float otherwise = relu ? 0.0F : torch_number(layer.module(), "val", 0);
  if (threshold == otherwise) return layer.add(torch_clip(threshold, kTorchInfinity), {x});
  if (otherwise == 0.0F && threshold >= 0.0F) return layer.add_unary(UnaryKind::thresholded_relu, x, threshold);
  const ValueId above = layer.add_unary(UnaryKind::threshold, x, threshold);
  return layer.add(Select{}, {above, x, layer.add_constant(otherwise)});
}

/// A slope for each channel, or one for all.
TorchActivity convert_torch_prelu(TorchLayer& layer) {
  const std::int64_t channels = layer.module().integer("nOutputPlane", 0);
  require(channels >= 0, "{} channels", channels);
  const BlobPtr slopes = layer.blob("weight", {std::max<std::int64_t>(channels, 1)});
  const ValueId x = layer.tensor();
  const auto slope = [&](ValueId value) { return layer.add(PRelu{.slopes = slopes}, {value}); };
  // Without a batch, channels are the first dimension.
  const bool single = channels > 0 && (layer.rank(x) == 1 || layer.rank(x) == 3);
  return single ? layer.with_batch(x, layer.rank(x) + 1, slope) : slope(x);
}

/// Of the first version of Dropout, and of SpatialDropout, what is left at training is not made up for: all is scaled.
TorchActivity convert_torch_dropout(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  if (module.flag("stochastic_inference", false)) TorchLayer::unsupported("dropout at inference, which is random");
  const bool scaled_in_training = module.type() == "Dropout" && module.flag("v2", false);
  const double dropped = module.number("p", 0.5);
  if (scaled_in_training || dropped == 0.0) return layer.input();
  return layer.add_affine(layer.tensor(), static_cast<float>(1.0 - dropped), 0.0F);
}

TorchActivity convert_torch_identity(TorchLayer& layer) { return layer.input(); }

/// MulConstant and AddConstant.
TorchActivity convert_torch_constant(TorchLayer& layer) {
  const auto constant = static_cast<float>(layer.module().number("constant_scalar"));
  const bool multiplies = layer.module().type() == "MulConstant";
  return layer.add_affine(layer.tensor(), multiplies ? constant : 1.0F, multiplies ? 0.0F : constant);
}

/// The first half of a dimension, times the sigmoid of the second.
TorchActivity convert_torch_gated_linear_unit(TorchLayer& layer) {
  const ValueId x = layer.tensor();
  const std::int64_t axis = layer.axis(layer.module().integer("dim", layer.rank(x)), x);
  const std::vector<ValueId> halves = layer.add_many(Slice{.axis = axis, .points = {}}, {x}, 2);
  return layer.add(Eltwise{.kind = EltwiseKind::product, .coefficients = {}, .activation = {}},
                   {halves[0], layer.add_unary(UnaryKind::sigmoid, halves[1])});
}

/// max(x, 0) and max(-x, 0), one behind the other.
TorchActivity convert_torch_crelu(TorchLayer& layer) {
  const ValueId x = layer.tensor();
  const std::int64_t dims = layer.module().integer("nInputDims");
  const ValueId both = layer.add_concat({x, layer.add_affine(x, -1.0F, 0.0F)}, layer.axis(1, x, dims));
  return layer.add_unary(UnaryKind::relu, both);
}

}  // namespace octavo::graph
