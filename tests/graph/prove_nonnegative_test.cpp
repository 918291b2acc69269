// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "graph/compiler.h"
#include "graph/passes/passes.h"
#include "tests/graph/evaluator.h"
#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

/// Whether the result of `op` is proven, when all of its inputs are (or are not) proven.
bool proven(const Op& op, bool inputs_proven, std::size_t inputs = 1) {
  Net net;
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < inputs; ++i) {
    const std::string name = "x" + std::to_string(i);
    const ValueId x = net.input(name, {1, 4, 4, 4});
    values.push_back(inputs_proven ? net.add("abs_" + name, Unary{.kind = UnaryKind::abs}, {x}) : x);
  }
  const ValueId y = net.add("y", op, values);
  return prove_nonnegative(net.done({y}))[y];
}

bool always(const Op& op, std::size_t inputs = 1) { return proven(op, false, inputs) && proven(op, true, inputs); }
bool never(const Op& op, std::size_t inputs = 1) { return !proven(op, false, inputs) && !proven(op, true, inputs); }
bool preserves(const Op& op, std::size_t inputs = 1) { return !proven(op, false, inputs) && proven(op, true, inputs); }

Unary power(float shift, float scale, float exponent) {
  return {.kind = UnaryKind::power, .alpha = shift, .beta = scale, .gamma = exponent};
}

TEST(ProveNonnegative, KnowsFunctionsThatAre) {
  EXPECT_TRUE(always(relu()));
  EXPECT_TRUE(always(relu(-0.5F)));  // a negative slope turns what is below zero over
  EXPECT_TRUE(always(Unary{.kind = UnaryKind::relu6}));
  EXPECT_TRUE(always(Unary{.kind = UnaryKind::sigmoid}));
  EXPECT_TRUE(always(Unary{.kind = UnaryKind::abs}));
  EXPECT_TRUE(always(Unary{.kind = UnaryKind::threshold, .alpha = -1}));
  EXPECT_TRUE(always(Unary{.kind = UnaryKind::exp, .alpha = -1, .gamma = 1}));
  EXPECT_TRUE(always(power(0, 1, 2)));
  EXPECT_TRUE(always(power(0, 1, 0.5F)));  // a number or NaN
  EXPECT_TRUE(always(Softmax{}));
  EXPECT_TRUE(always(Reduction{.kind = ReductionKind::square_sum}));
  EXPECT_TRUE(always(ArgMax{}));
}

TEST(ProveNonnegative, KnowsFunctionsThatPreserveIt) {
  EXPECT_TRUE(preserves(relu(0.1F)));
  EXPECT_TRUE(preserves(Unary{.kind = UnaryKind::tanh}));
  EXPECT_TRUE(preserves(Unary{.kind = UnaryKind::elu, .alpha = 1}));
  EXPECT_TRUE(preserves(power(1, 2, 1)));
  EXPECT_TRUE(preserves(PRelu{.slopes = constant({4}, 0.1F)}));
  EXPECT_TRUE(preserves(Scale{.factor = constant({4}, 2), .offset = constant({4}, 0)}));
  EXPECT_TRUE(preserves(Lrn{}));
  EXPECT_TRUE(preserves(Pool{}));
  EXPECT_TRUE(preserves(Pool{.kind = PoolKind::average}));
  EXPECT_TRUE(preserves(Flatten{}));
  EXPECT_TRUE(preserves(Reshape{.dims = {0, -1}}));
  EXPECT_TRUE(preserves(Permute{.order = {0, 2, 3, 1}}));
  EXPECT_TRUE(preserves(Tile{}));
  EXPECT_TRUE(preserves(Slice{}));
  EXPECT_TRUE(preserves(Identity{}));
  EXPECT_TRUE(preserves(Concat{}, 2));
  EXPECT_TRUE(preserves(Eltwise{}, 2));
  EXPECT_TRUE(preserves(Eltwise{.kind = EltwiseKind::product}, 2));
  EXPECT_TRUE(preserves(Eltwise{.coefficients = {1, 0.5F}}, 2));
  EXPECT_TRUE(preserves(Reduction{.kind = ReductionKind::mean}));
  EXPECT_TRUE(preserves(ArgMax{.out_max_value = true}));
  EXPECT_TRUE(preserves(Crop{}, 2));
}

TEST(ProveNonnegative, KnowsFunctionsThatMayGoBelowZero) {
  EXPECT_TRUE(never(convolution(4, 4, 1)));
  EXPECT_TRUE(never(Unary{.kind = UnaryKind::log, .alpha = -1, .gamma = 1}));
  EXPECT_TRUE(never(Unary{.kind = UnaryKind::clip, .alpha = 1, .beta = -2}));  // the maximum wins
  EXPECT_TRUE(never(Pad{.begins = {0, 0, 1, 1}, .ends = {0, 0, 1, 1}, .value = -1}));
  EXPECT_TRUE(never(Resize{.kind = ResizeKind::cubic}));                       // overshoots
  EXPECT_TRUE(never(Unary{.kind = UnaryKind::exp, .alpha = -2, .gamma = 1}));  // NaN, or what pow() makes of it
  EXPECT_TRUE(never(power(0, -1, 1)));
  EXPECT_TRUE(never(power(-1, 1, 3)));
  EXPECT_TRUE(never(Scale{.factor = constant({4}, -2)}));
  EXPECT_TRUE(never(Scale{.offset = constant({4}, -2)}));
  EXPECT_TRUE(never(Eltwise{.coefficients = {1, -1}}, 2));
  EXPECT_TRUE(never(Reduction{.kind = ReductionKind::abs_sum, .coefficient = -1}));
  EXPECT_TRUE(never(BatchNorm{.mean = constant({4}, 0), .variance = constant({4}, 1)}));
}

TEST(ProveNonnegative, SeesFusedActivations) {
  const auto with = [](jit::ActivationKind kind) {
    Convolution conv = convolution(4, 4, 1);
    conv.activation.kind = kind;
    conv.activation.slope = 0.1F;
    return conv;
  };
  EXPECT_TRUE(always(with(jit::ActivationKind::relu)));
  EXPECT_TRUE(always(with(jit::ActivationKind::relu6)));
  EXPECT_TRUE(always(with(jit::ActivationKind::sigmoid)));
  EXPECT_TRUE(never(with(jit::ActivationKind::leaky_relu)));
  EXPECT_TRUE(never(with(jit::ActivationKind::tanh)));
}

TEST(ProveNonnegative, OfAMaximumNeedsOneInputOfASumAll) {
  for (const auto& [kind, expected] : {std::pair{EltwiseKind::max, true}, std::pair{EltwiseKind::sum, false}}) {
    Net net;
    const ValueId x = net.input("x", {1, 4});
    const ValueId a = net.add("a", relu(), {x});
    const ValueId y = net.add("y", Eltwise{.kind = kind}, {x, a});
    EXPECT_EQ(prove_nonnegative(net.done({y}))[y], expected);
  }
}

TEST(ProveNonnegative, PropertyNoProvenValueIsEverBelowZero) {
  const std::vector<Op> functions{relu(),
                                  relu(0.2F),
                                  relu(-0.2F),
                                  Unary{.kind = UnaryKind::tanh},
                                  power(0, 1, 2),
                                  power(0.5F, -1, 1),
                                  power(0.5F, 1, 1),
                                  power(-0.1F, 1, 3),
                                  Scale{.factor = random_blob({4}, 1)},
                                  Scale{.offset = constant({4}, 0.1F)},
                                  PRelu{.slopes = constant({4}, -0.3F)},
                                  PRelu{.slopes = constant({4}, 0.3F)}};
  std::mt19937 random(7);
  std::size_t proofs = 0;
  for (int round = 0; round < 300; ++round) {
    Net net;
    std::vector<ValueId> values{net.input("x", {2, 4, 3, 3})};
    for (int i = 0; i < 8; ++i) {
      const std::string name = "v" + std::to_string(i);
      const ValueId a = values[random() % values.size()];
      const ValueId b = values[random() % values.size()];
      const auto kind = static_cast<EltwiseKind>(random() % 3);
      values.push_back(random() % 3 == 0 ? net.add(name, Eltwise{.kind = kind}, {a, b})
                                         : net.add(name, functions[random() % functions.size()], {a}));
    }
    const Graph graph = net.done(values);
    const std::vector<bool> proven = prove_nonnegative(graph);
    const auto results = evaluate(graph, random_inputs(graph, static_cast<std::uint32_t>(round)));
    for (const ValueId value : values) {
      if (!proven[value]) continue;
      ++proofs;
      for (const double x : results.at(graph.values[value].name).values) ASSERT_GE(x, 0.0) << print(graph);
    }
  }
  EXPECT_GT(proofs, 300U);
}

}  // namespace
}  // namespace octavo::graph::test
