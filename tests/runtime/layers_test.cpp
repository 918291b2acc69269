// SPDX-License-Identifier: Apache-2.0
// fp32 layers with weights (on oneDNN) and layers that slide a window: equal to plain loops, over generated shapes.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/runtime/reference_ops.h"

namespace octavo::test {
namespace {

constexpr float kTolerance = 2e-6F;
const auto kReference = [](const auto& op, const std::vector<Values>& inputs, const Shape& out) {
  return reference(op, inputs, out);
};

/// Numbers from a seed, for the sizes of a case.
class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  std::int64_t in(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  bool coin() { return in(0, 1) == 1; }

 private:
  std::mt19937 random_;
};

graph::Activation activation_of(Dice& dice, std::int64_t channels) {
  graph::Activation activation;
  activation.kind = static_cast<jit::ActivationKind>(dice.in(0, 6));
  if (activation.kind == jit::ActivationKind::leaky_relu) activation.slope = 0.1F;
  if (activation.kind == jit::ActivationKind::prelu) activation.slopes = random_blob({channels}, 5);
  return activation;
}

class Seeded : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Generated, Seeded, testing::Range(0U, 24U));

TEST_P(Seeded, ConvolutionEqualsItsDefinition) {
  Dice dice(GetParam());
  graph::Convolution op;
  op.groups = dice.in(1, 3);
  const bool depthwise = dice.in(0, 4) == 0;
  const std::int64_t ins = depthwise ? 1 : dice.in(1, 20);
  if (depthwise) op.groups = dice.in(2, 40);
  op.out_channels = op.groups * (depthwise ? 1 : dice.in(1, 20));
  for (std::size_t side = 0; side < 2; ++side) {
    op.kernel[side] = dice.in(1, 5);
    op.stride[side] = dice.in(1, 3);
    op.dilation[side] = dice.in(1, 2);
    op.pad_begin[side] = dice.in(0, 2);
    op.pad_end[side] = dice.in(0, 2);
  }
  op.weights = random_blob({op.out_channels, ins, op.kernel[0], op.kernel[1]}, 1);
  if (dice.coin()) op.bias = random_blob({op.out_channels}, 2);
  op.activation = activation_of(dice, op.out_channels);
  std::vector<Values> inputs{
      random_values({dice.in(1, 3), op.groups * ins, dice.in(9, 14), dice.in(9, 14)}, GetParam() + 100)};
  if (dice.coin()) {
    const Graph plain = graph_of(op, inputs, Arrival::as_given);
    inputs.push_back(random_values(plain.values[plain.outputs[0]].shape, GetParam() + 200));
    op.add_residual = true;
  }
  expect_op(op, inputs, kTolerance, kReference);
}

/// Windows that do not overlap: of few channels, and of too many for the loop that is made for them.
TEST_P(Seeded, DeconvolutionIntoBlocksEqualsItsDefinition) {
  Dice dice(GetParam());
  graph::Deconvolution op;
  op.kernel = op.stride = {dice.in(1, 3), dice.in(1, 3)};
  const std::int64_t ins = dice.in(1, 24);
  op.out_channels = dice.in(0, 3) == 0 ? dice.in(60, 140) : dice.in(1, 20);
  op.weights = random_blob({ins, op.out_channels, op.kernel[0], op.kernel[1]}, 1);
  if (dice.coin()) op.bias = random_blob({op.out_channels}, 2);
  op.activation = activation_of(dice, op.out_channels);
  expect_op(op, {random_values({dice.in(1, 2), ins, dice.in(1, 6), dice.in(1, 6)}, GetParam())}, kTolerance,
            kReference);
}

TEST_P(Seeded, DeconvolutionEqualsItsDefinition) {
  Dice dice(GetParam());
  graph::Deconvolution op;
  op.groups = dice.in(1, 3);
  const std::int64_t ins = op.groups * dice.in(1, 9), outs = dice.in(1, 9);
  op.out_channels = op.groups * outs;
  for (std::size_t side = 0; side < 2; ++side) {
    op.kernel[side] = dice.in(2, 4);
    op.stride[side] = dice.in(1, 3);
    op.dilation[side] = dice.in(1, 2);
    op.pad_begin[side] = dice.in(0, 1);
    op.pad_end[side] = dice.in(0, 1);
  }
  op.weights = random_blob({ins, outs, op.kernel[0], op.kernel[1]}, 1);
  if (dice.coin()) op.bias = random_blob({op.out_channels}, 2);
  op.activation = activation_of(dice, op.out_channels);
  expect_op(op, {random_values({dice.in(1, 2), ins, dice.in(3, 6), dice.in(3, 6)}, GetParam())}, kTolerance,
            kReference);
}

TEST_P(Seeded, LinearEqualsItsDefinition) {
  Dice dice(GetParam());
  graph::Linear op;
  Shape shape;
  for (std::int64_t rank = dice.in(1, 4); rank > 0; --rank) shape.push_back(dice.in(1, 6));
  const auto rank = static_cast<std::int64_t>(shape.size());
  op.axis = dice.in(0, rank - 1);
  std::int64_t columns = 1;
  for (std::int64_t i = op.axis; i < rank; ++i) columns *= shape[static_cast<std::size_t>(i)];
  if (dice.coin()) op.axis -= rank;  // counted from the end
  op.out_features = dice.in(1, 40);
  op.weights = random_blob({op.out_features, columns}, 1);
  if (dice.coin()) op.bias = random_blob({op.out_features}, 2);
  std::vector<Values> inputs{random_values(shape, GetParam())};
  const Graph plain = graph_of(op, inputs, Arrival::as_given);
  const Shape& out = plain.values[plain.outputs[0]].shape;
  if (out.size() == 2) op.activation = activation_of(dice, op.out_features);
  if (dice.coin()) {
    inputs.push_back(random_values(out, 9));
    op.add_residual = true;
  }
  expect_op(op, inputs, kTolerance, kReference);
}

TEST_P(Seeded, PoolEqualsItsDefinition) {
  Dice dice(GetParam());
  graph::Pool op;
  op.kind = dice.coin() ? graph::PoolKind::max : graph::PoolKind::average;
  op.ceil_mode = dice.coin();
  op.include_padding = dice.coin();
  op.global = dice.in(0, 5) == 0;
  for (std::size_t side = 0; side < 2 && !op.global; ++side) {
    op.kernel[side] = dice.in(1, 4);
    op.stride[side] = dice.in(1, 4);
    op.pad_begin[side] = dice.in(0, op.kernel[side] - 1);
    op.pad_end[side] = dice.in(0, op.kernel[side] - 1);
  }
  expect_op(op, {random_values({dice.in(1, 3), dice.in(1, 40), dice.in(5, 13), dice.in(5, 13)}, GetParam())},
            kTolerance, kReference);
}

TEST_P(Seeded, LrnEqualsItsDefinition) {
  Dice dice(GetParam());
  graph::Lrn op;
  op.across_channels = dice.coin();
  op.size = 2 * dice.in(0, 3) + 1;
  op.alpha = static_cast<float>(dice.in(1, 20)) * 0.1F;
  constexpr float kBetas[] = {0.75F, 0.5F, 1.0F, 0.6F};
  op.beta = kBetas[dice.in(0, 3)];
  op.k = static_cast<float>(dice.in(1, 3));
  expect_op(op, {random_values({dice.in(1, 2), dice.in(1, 30), dice.in(1, 9), dice.in(1, 9)}, GetParam(), -4, 4)},
            kTolerance, kReference);
}

TEST(Pool, NanReachesEveryWindowThatSeesIt) {
  for (const auto kind : {graph::PoolKind::max, graph::PoolKind::average}) {
    graph::Pool op;
    op.kind = kind;
    op.kernel = {2, 2};
    Values x = random_values({1, 19, 4, 4}, 1);
    x.numbers[at(x.shape, 0, 3, 1, 1)] = std::nanf("");
    x.numbers[at(x.shape, 0, 18, 3, 0)] = std::nanf("");
    expect_op(op, {x}, kTolerance, kReference);
  }
}

}  // namespace
}  // namespace octavo::test
