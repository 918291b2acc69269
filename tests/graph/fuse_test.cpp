// SPDX-License-Identifier: Apache-2.0
// Residual sums and activations into the layers before them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/passes/passes.h"
#include "tests/graph/evaluator.h"
#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

using jit::ActivationKind;
using testing::ElementsAre;

void expect_fused(const Graph& before, const std::string& ops) {
  Graph after = before;
  for (const auto pass : {fuse_residual, fuse_activation}) {
    pass(after);
    verify(after);
  }
  EXPECT_EQ(ops_of(after), ops) << print(after);
  EXPECT_EQ(output_names(after), output_names(before));
  const auto inputs = random_inputs(before, 5);
  EXPECT_EQ(largest_difference(evaluate(before, inputs), evaluate(after, inputs)), 0.0);
}

Graph with_activation(const Op& layer, const Op& activation, Shape input) {
  Net net;
  const ValueId y = net.add("layer", layer, {net.input("data", std::move(input))});
  return net.done({net.add("activation", activation, {y})});
}

Activation fused_into_convolution(const Op& activation) {
  Graph graph = with_activation(convolution(3, 4, 1), activation, {1, 3, 2, 2});
  fuse_activation(graph);
  return op_at<Convolution>(graph, "layer").activation;
}

TEST(FuseActivation, KnowsEachKind) {
  EXPECT_EQ(fused_into_convolution(relu()).kind, ActivationKind::relu);
  EXPECT_EQ(fused_into_convolution(relu(0.25F)).kind, ActivationKind::leaky_relu);
  EXPECT_EQ(fused_into_convolution(relu(0.25F)).slope, 0.25F);
  EXPECT_EQ(fused_into_convolution(Unary{.kind = UnaryKind::relu6}).kind, ActivationKind::relu6);
  EXPECT_EQ(fused_into_convolution(Unary{.kind = UnaryKind::sigmoid}).kind, ActivationKind::sigmoid);
  EXPECT_EQ(fused_into_convolution(Unary{.kind = UnaryKind::tanh}).kind, ActivationKind::tanh);
  EXPECT_EQ(fused_into_convolution(PRelu{.slopes = random_blob({4}, 1)}).kind, ActivationKind::prelu);
  const Activation one_slope = fused_into_convolution(PRelu{.slopes = constant({1}, 0.5F)});
  EXPECT_EQ(one_slope.kind, ActivationKind::leaky_relu);
  EXPECT_EQ(one_slope.slope, 0.5F);
}

TEST(FuseActivation, LeavesOtherFunctions) {
  EXPECT_EQ(fused_into_convolution(Unary{.kind = UnaryKind::abs}).kind, ActivationKind::none);
  EXPECT_EQ(fused_into_convolution(Unary{.kind = UnaryKind::elu, .alpha = 1}).kind, ActivationKind::none);
}

TEST(FuseActivation, KeepsTheLayersNameAndTheResultsName) {
  Graph graph = with_activation(convolution(3, 4, 1), relu(), {1, 3, 2, 2});
  fuse_activation(graph);
  EXPECT_EQ(graph.nodes.back().name, "layer");
  EXPECT_THAT(output_names(graph), ElementsAre("activation"));
}

TEST(FuseActivation, IsTheSameFunction) {
  const Op slopes = PRelu{.slopes = random_blob({4}, 9)};
  Deconvolution deconv;
  deconv.out_channels = 4;
  deconv.kernel = {2, 2};
  deconv.weights = random_blob({3, 4, 2, 2}, 1);
  for (const Op& activation : {Op{relu()}, Op{relu(0.3F)}, Op{Unary{.kind = UnaryKind::sigmoid}}, slopes}) {
    expect_fused(with_activation(convolution(3, 4, 1), activation, {2, 3, 3, 3}), "Input Convolution");
    expect_fused(with_activation(deconv, activation, {2, 3, 3, 3}), "Input Deconvolution");
    expect_fused(with_activation(linear(27, 4), activation, {2, 3, 3, 3}), "Input Linear");
  }
}

TEST(FuseActivation, GoesIntoEltwiseUnlessItHasASlopeAChannel) {
  const auto sum = [](const Op& activation) {
    Net net;
    const ValueId x = net.input("data", {2, 3, 3, 3});
    const ValueId y = net.add("sum", Eltwise{}, {x, x});
    return net.done({net.add("activation", activation, {y})});
  };
  expect_fused(sum(relu()), "Input Eltwise");
  expect_fused(sum(PRelu{.slopes = random_blob({3}, 9)}), "Input Eltwise PRelu");
}

TEST(FuseActivation, LeavesASecondActivationAndAValueThatOthersRead) {
  Net net;
  const ValueId x = net.input("data", {2, 3, 3, 3});
  const ValueId a = net.add("a", convolution(3, 3, 1), {x});
  const ValueId b = net.add("b", Unary{.kind = UnaryKind::tanh}, {a});
  const ValueId c = net.add("c", relu(), {b});
  const ValueId d = net.add("d", convolution(3, 3, 1), {c});
  const ValueId e = net.add("e", relu(), {d});
  expect_fused(net.done({net.add("product", Eltwise{.kind = EltwiseKind::product}, {d, e})}),
               "Input Convolution Unary Convolution Unary Eltwise");
}

TEST(FuseResidual, TakesTheSumAndItsActivationIntoTheConvolution) {
  Net net;
  const ValueId x = net.input("data", {2, 4, 3, 3});
  const ValueId a = net.add("conv", convolution(4, 4, 1), {x});
  const ValueId sum = net.add("sum", Eltwise{}, {x, a});
  const Graph graph = net.done({net.add("relu", relu(), {sum})});
  expect_fused(graph, "Input Convolution");
  Graph fused = graph;
  fuse_residual(fused);
  EXPECT_EQ(print(fused),
            "graph net\n"
            "%data = Input() {shape=[2,4,3,3]}  # data\n"
            "%sum = Convolution(%data, %data) {out_channels=4 weights=f32[4,4,1,1] add_residual=true}  # conv\n"
            "%relu = Unary(%sum) {kind=relu}  # relu\n"
            "return %relu\n");
}

TEST(FuseResidual, OfTwoConvolutionsTakesTheLaterAndMovesBehindTheOther) {
  for (const bool projection_first : {true, false}) {
    Net net;
    const ValueId x = net.input("data", {2, 4, 3, 3});
    const ValueId a = net.add("a", convolution(4, 4, 1, 1), {x});
    const ValueId b = net.add("b", convolution(4, 4, 3, 2), {net.add("relu", relu(), {a})});
    const ValueId c = net.add("c", convolution(4, 4, 3, 3), {x});
    const Graph graph = net.done({projection_first ? net.add("sum", Eltwise{.coefficients = {1, 1}}, {c, b})
                                                   : net.add("sum", Eltwise{}, {b, c})});
    expect_fused(graph, "Input Convolution Convolution Convolution");
    Graph fused = graph;
    fuse_residual(fused);
    EXPECT_TRUE(op_at<Convolution>(fused, "c").add_residual);
  }
}

TEST(FuseResidual, ChainsOfBlocksFuseEachSum) {
  Net net;
  ValueId x = net.input("data", {1, 4, 3, 3});
  for (const char* block : {"1", "2", "3"}) {
    const ValueId a = net.add(std::string("conv") + block, convolution(4, 4, 1), {x});
    x = net.add(std::string("relu") + block, relu(), {net.add(std::string("sum") + block, Eltwise{}, {a, x})});
  }
  expect_fused(net.done({x}), "Input Convolution Convolution Convolution");
}

TEST(FuseResidual, GoesIntoLinear) {
  Net net;
  const ValueId x = net.input("data", {2, 6});
  const ValueId y = net.add("fc", linear(6, 6), {x});
  expect_fused(net.done({net.add("sum", Eltwise{}, {y, x})}), "Input Linear");
}

TEST(FuseResidual, LeavesWhatIsNotAPlainSumOfTwo) {
  const auto graph = [](const Eltwise& op, bool twice, bool three) {
    Net net;
    const ValueId x = net.input("data", {2, 4, 3, 3});
    const ValueId y = net.add("conv", convolution(4, 4, 1), {x});
    std::vector<ValueId> inputs{y, twice ? y : x};
    if (three) inputs.push_back(x);
    return net.done({net.add("sum", op, inputs)});
  };
  const std::string untouched = "Input Convolution Eltwise";
  expect_fused(graph(Eltwise{.kind = EltwiseKind::max}, false, false), untouched);
  expect_fused(graph(Eltwise{.kind = EltwiseKind::product}, false, false), untouched);
  expect_fused(graph(Eltwise{.coefficients = {1, -1}}, false, false), untouched);
  expect_fused(graph(Eltwise{}, true, false), untouched);
  expect_fused(graph(Eltwise{}, false, true), untouched);
}

TEST(FuseResidual, LeavesALayerWhoseActivationComesBeforeTheSum) {
  Net net;
  const ValueId x = net.input("data", {2, 4, 3, 3});
  Convolution conv = convolution(4, 4, 1);
  conv.activation.kind = ActivationKind::relu;
  const ValueId y = net.add("conv", conv, {x});
  expect_fused(net.done({net.add("sum", Eltwise{}, {y, x})}), "Input Convolution Eltwise");
}

TEST(FuseResidual, LeavesAResultThatOthersRead) {
  Net net;
  const ValueId x = net.input("data", {2, 4, 3, 3});
  const ValueId y = net.add("conv", convolution(4, 4, 1), {x});
  expect_fused(net.done({net.add("sum", Eltwise{}, {y, x}), y}), "Input Convolution Eltwise");
}

}  // namespace
}  // namespace octavo::graph::test
