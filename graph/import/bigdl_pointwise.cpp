// SPDX-License-Identifier: Apache-2.0
// Functions of single numbers.
#include <fmt/core.h>

#include <array>

#include "graph/check.h"
#include "graph/import/bigdl_layers.h"

namespace octavo::graph {
namespace {

struct BigdlUnary {
  std::string_view type;
  Unary (*make)(const BigdlAttributes&);
};

Unary power_of(float shift, float scale, float power) {
  return {.kind = UnaryKind::power, .alpha = shift, .beta = scale, .gamma = power};
}

constexpr std::array kBigdlUnaries{
    BigdlUnary{"ReLU", [](const BigdlAttributes&) { return Unary{.kind = UnaryKind::relu}; }},
    BigdlUnary{"ReLU6", [](const BigdlAttributes&) { return Unary{.kind = UnaryKind::relu6}; }},
    BigdlUnary{"Sigmoid", [](const BigdlAttributes&) { return Unary{.kind = UnaryKind::sigmoid}; }},
    BigdlUnary{"Tanh", [](const BigdlAttributes&) { return Unary{.kind = UnaryKind::tanh}; }},
    BigdlUnary{"Abs", [](const BigdlAttributes&) { return Unary{.kind = UnaryKind::abs}; }},
    BigdlUnary{"SoftSign", [](const BigdlAttributes&) { return Unary{.kind = UnaryKind::softsign}; }},
    BigdlUnary{"Square", [](const BigdlAttributes&) { return power_of(0, 1, 2); }},
    BigdlUnary{"Sqrt", [](const BigdlAttributes&) { return power_of(0, 1, 0.5F); }},
    BigdlUnary{"Negative", [](const BigdlAttributes&) { return power_of(0, -1, 1); }},
    BigdlUnary{"Exp", [](const BigdlAttributes&) { return Unary{.kind = UnaryKind::exp, .alpha = -1, .gamma = 1}; }},
    BigdlUnary{"Log", [](const BigdlAttributes&) { return Unary{.kind = UnaryKind::log, .alpha = -1, .gamma = 1}; }},
    BigdlUnary{
        "LeakyReLU",
        [](const BigdlAttributes& a) { return Unary{.kind = UnaryKind::relu, .alpha = a.real("negval", 0.01)}; }},
    // At inference, the mean of the slopes that training draws.
    BigdlUnary{"RReLU",
               [](const BigdlAttributes& a) {
                 const double slope = (a.number("lower", 1.0 / 8) + a.number("upper", 1.0 / 3)) / 2;
                 return Unary{.kind = UnaryKind::relu, .alpha = static_cast<float>(slope)};
               }},
    BigdlUnary{"ELU",
               [](const BigdlAttributes& a) { return Unary{.kind = UnaryKind::elu, .alpha = a.real("alpha", 1)}; }},
    BigdlUnary{
        "Power",
        [](const BigdlAttributes& a) { return power_of(a.real("shift", 0), a.real("scale", 1), a.real("power", 1)); }},
    BigdlUnary{"MulConstant", [](const BigdlAttributes& a) { return power_of(0, a.real("constant", 1), 1); }},
    BigdlUnary{"AddConstant", [](const BigdlAttributes& a) { return power_of(a.real("constant_scalar", 0), 1, 1); }},
    BigdlUnary{
        "BinaryThreshold",
        [](const BigdlAttributes& a) { return Unary{.kind = UnaryKind::threshold, .alpha = a.real("th", 1e-6)}; }},
    BigdlUnary{"HardTanh",
               [](const BigdlAttributes& a) {
                 return Unary{.kind = UnaryKind::clip, .alpha = a.real("minValue", -1), .beta = a.real("maxValue", 1)};
               }},
    BigdlUnary{"Clamp",
               [](const BigdlAttributes& a) {
                 return Unary{.kind = UnaryKind::clip, .alpha = a.real("minV", 0), .beta = a.real("maxV", 0)};
               }},
    BigdlUnary{
        "HardSigmoid",
        [](const BigdlAttributes&) { return Unary{.kind = UnaryKind::hard_sigmoid, .alpha = 0.2F, .beta = 0.5F}; }},
    BigdlUnary{
        "HardShrink",
        [](const BigdlAttributes& a) { return Unary{.kind = UnaryKind::shrink, .alpha = a.real("lambda", 0.5)}; }},
    BigdlUnary{"SoftShrink",
               [](const BigdlAttributes& a) {
                 const float lambda = a.real("lambda", 0.5);
                 return Unary{.kind = UnaryKind::shrink, .alpha = lambda, .beta = lambda};
               }},
};

}  // namespace

void convert_bigdl_copy(BigdlLayer& layer) { layer.result(layer.input()); }

void convert_bigdl_unary(BigdlLayer& layer) {
  for (const BigdlUnary& unary : kBigdlUnaries) {
    if (unary.type == layer.module().type) layer.result(layer.add_main(unary.make(layer.attributes()), {layer.x()}));
  }
}

/// x > th ? x : v
void convert_bigdl_threshold(BigdlLayer& layer) {
  const float threshold = layer.attributes().real("th", 1e-6), value = layer.attributes().real("v", 0);
  const ValueId x = layer.x();
  if (value == 0.0F) {
    layer.result(threshold == 0.0F ? layer.add_unary(UnaryKind::relu, x)
                                   : layer.add_unary(UnaryKind::thresholded_relu, x, threshold));
    return;
  }
  const ValueId above = layer.add_unary(UnaryKind::thresholded_relu, x, threshold);
  const ValueId below = layer.add_affine(layer.add_unary(UnaryKind::threshold, x, threshold), -value, value);
  layer.result(layer.add(Eltwise{}, {above, below}));
}

/// SoftPlus: log(1 + exp(beta x)) / beta. LogSigmoid: -log(1 + exp(-x)). TanhShrink: x - tanh(x).
void convert_bigdl_composed(BigdlLayer& layer) {
  const std::string& type = layer.module().type;
  const ValueId x = layer.x();
  if (type == "SoftPlus") {
    const float beta = layer.attributes().real("beta", 1);
    require(beta != 0.0F, "its beta is 0");
    if (beta == 1.0F) {
      layer.result(layer.add_unary(UnaryKind::softplus, x));
    } else {
      layer.result(
          layer.add_affine(layer.add_unary(UnaryKind::softplus, layer.add_affine(x, beta, 0)), 1.0F / beta, 0));
    }
  } else if (type == "LogSigmoid") {
    layer.result(layer.add_affine(layer.add_unary(UnaryKind::softplus, layer.add_affine(x, -1, 0)), -1, 0));
  } else {
    layer.result(layer.add(Eltwise{.coefficients = {1.0F, -1.0F}}, {x, layer.add_unary(UnaryKind::tanh, x)}));
  }
}

void convert_bigdl_prelu(BigdlLayer& layer) {
  const std::int64_t planes = layer.attributes().integer("nOutputPlane", 0);
  if (layer.rank() != 4 && layer.rank() != 2 && planes != 0) (void)layer.x_of_rank(4);
  layer.result(layer.add_main(PRelu{.slopes = layer.parameter(0, {planes == 0 ? 1 : planes})}, {layer.x()}));
}

}  // namespace octavo::graph
