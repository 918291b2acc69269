// SPDX-License-Identifier: Apache-2.0
// BatchNorm and Scale: into each other, into the weights before them, and where that would be wrong, not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "graph/passes/passes.h"
#include "tests/graph/evaluator.h"
#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr double kRounding = 1e-6;

BatchNorm batch_norm(std::int64_t channels) {
  return {.mean = random_blob({channels}, 11), .variance = random_blob({channels}, 12, 0.1F, 2.0F), .epsilon = 1e-3F};
}

Scale scale(std::int64_t channels, std::uint32_t seed = 13) {
  return {.factor = random_blob({channels}, seed), .offset = random_blob({channels}, seed + 1)};
}

void fold_all(Graph& graph) {
  for (const auto pass : {batch_norm_to_scale, merge_scales, fold_scale}) {
    pass(graph);
    verify(graph);
  }
}

/// Folds, and holds the result to the ops that should be left and to the numbers of before.
void expect_folded(const Graph& before, const std::string& ops) {
  Graph after = before;
  fold_all(after);
  EXPECT_EQ(ops_of(after), ops) << print(after);
  EXPECT_EQ(output_names(after), output_names(before));
  const auto inputs = random_inputs(before, 5);
  EXPECT_LT(largest_difference(evaluate(before, inputs), evaluate(after, inputs)), kRounding);
}

TEST(BatchNormToScale, IsTheSameFunction) {
  Net net;
  const ValueId y = net.add("bn", batch_norm(8), {net.input("data", {2, 8, 3, 3})});
  expect_folded(net.done({y}), "Input Scale");
}

TEST(BatchNormToScale, RefusesAVarianceThatHasNoRoot) {
  BatchNorm norm = batch_norm(2);
  norm.variance = make_blob({2}, {1.0F, -1.0F});
  Net net;
  Graph graph = net.done({net.add("bn", norm, {net.input("data", {2, 2})})});
  EXPECT_THAT(error_of([&] { batch_norm_to_scale(graph); }),
              AllOf(HasSubstr("layer 'bn' (BatchNorm)"), HasSubstr("channel 1 cannot be normalised")));
}

TEST(MergeScales, MakesOneOfAChain) {
  Net net;
  const ValueId x = net.input("data", {2, 8, 3, 3});
  const ValueId a = net.add("bn", batch_norm(8), {x});
  const ValueId b = net.add("scale", scale(8), {a});
  const ValueId c = net.add("factor", Scale{.factor = random_blob({8}, 3)}, {b});
  const ValueId d = net.add("offset", Scale{.offset = random_blob({8}, 4)}, {c});
  expect_folded(net.done({d}), "Input Scale");
}

TEST(MergeScales, LeavesProductsThatFp32DoesNotHold) {
  for (const float factor : {1e25F, 1e-25F}) {
    SCOPED_TRACE(factor);
    const Scale large{.factor = make_blob({4}, std::vector<float>(4, factor))};
    Net net;
    const ValueId x = net.input("data", {2, 4, 4, 4});
    Graph graph = net.done({net.add("b", large, {net.add("a", large, {x})})});
    merge_scales(graph);
    EXPECT_EQ(graph.nodes.size(), 3U);
  }
}

TEST(FoldScale, LeavesABiasThatFp32DoesNotHold) {
  Convolution conv = convolution(3, 8, 1);
  conv.bias = make_blob({8}, std::vector<float>(8, 1e30F));
  Net net;
  const ValueId y = net.add("conv", conv, {net.input("data", {2, 3, 5, 5})});
  Graph graph = net.done({net.add("s", Scale{.factor = make_blob({8}, std::vector<float>(8, 1e10F))}, {y})});
  fold_scale(graph);
  EXPECT_EQ(graph.nodes.size(), 3U);
}

TEST(MergeScales, LeavesScalesOfDifferentExtentOrAxisOrWithTwoInputs) {
  Net net;
  const ValueId x = net.input("data", {2, 4, 4, 4});
  const ValueId a = net.add("a", scale(4), {x});
  Scale rows = scale(4, 20);
  rows.axis = 2;
  const ValueId b = net.add("b", rows, {a});
  Scale pixels;
  pixels.axis = 2;
  pixels.factor = random_blob({4, 4}, 5);
  const ValueId c = net.add("c", pixels, {b});
  const ValueId d = net.add("d", Scale{.axis = 0}, {c, x});
  expect_folded(net.done({net.add("e", scale(4), {d})}), "Input Scale Scale Scale Scale Scale");
}

TEST(FoldScale, GoesIntoAPaddedConvolution) {
  Net net;
  Convolution conv = convolution(3, 8, 3);
  conv.pad_begin = conv.pad_end = {1, 1};
  conv.bias = random_blob({8}, 2);
  const ValueId y = net.add("conv", conv, {net.input("data", {2, 3, 5, 5})});
  const ValueId z = net.add("scale", scale(8), {net.add("bn", batch_norm(8), {y})});
  expect_folded(net.done({z}), "Input Convolution");
}

TEST(FoldScale, MakesABiasWhereThereWasNone) {
  Net net;
  const ValueId y = net.add("conv", convolution(3, 8, 1), {net.input("data", {2, 3, 5, 5})});
  Graph graph = net.done({net.add("offset", Scale{.offset = random_blob({8}, 4)}, {y})});
  expect_folded(graph, "Input Convolution");
}

TEST(FoldScale, MakesNoBiasThatIsZero) {
  Net net;
  const ValueId y = net.add("conv", convolution(3, 8, 1), {net.input("data", {2, 3, 5, 5})});
  Graph graph = net.done({net.add("factor", Scale{.factor = random_blob({8}, 4)}, {y})});
  fold_all(graph);
  EXPECT_EQ(op_at<Convolution>(graph, "conv").bias, nullptr);
}

TEST(FoldScale, GoesIntoGroupsAndDepthwise) {
  Net net;
  Convolution grouped = convolution(2, 8, 3);
  grouped.groups = 4;
  const ValueId y = net.add("grouped", grouped, {net.input("data", {1, 8, 5, 5})});
  Convolution depthwise = convolution(1, 8, 3, 7);
  depthwise.groups = 8;
  const ValueId z = net.add("depthwise", depthwise, {net.add("bn", batch_norm(8), {y})});
  expect_folded(net.done({net.add("scale", scale(8), {z})}), "Input Convolution Convolution");
}

TEST(FoldScale, GoesIntoDeconvolutionWhoseOutputsAreTheSecondDimension) {
  Net net;
  Deconvolution deconv;
  deconv.out_channels = 6;
  deconv.groups = 2;
  deconv.kernel = {4, 4};
  deconv.stride = {2, 2};
  deconv.pad_begin = deconv.pad_end = {1, 1};
  deconv.weights = random_blob({4, 3, 4, 4}, 1);
  const ValueId y = net.add("deconv", deconv, {net.input("data", {2, 4, 3, 3})});
  expect_folded(net.done({net.add("scale", scale(6), {y})}), "Input Deconvolution");
}

TEST(FoldScale, GoesIntoLinearOnItsFeaturesAxis) {
  Net net;
  const ValueId y = net.add("fc", linear(48, 10), {net.input("data", {2, 3, 4, 4})});
  const ValueId z = net.add("bn", batch_norm(10), {y});
  Scale last = scale(10);
  last.axis = -1;
  expect_folded(net.done({net.add("scale", last, {z})}), "Input Linear");
}

TEST(FoldScale, TakesAScalarForEveryChannel) {
  Net net;
  const ValueId y = net.add("conv", convolution(3, 8, 1), {net.input("data", {2, 3, 5, 5})});
  expect_folded(net.done({net.add("scale", Scale{.factor = constant({}, 0.5F)}, {y})}), "Input Convolution");
}

TEST(FoldScale, DoesNotReachThroughAConvolutionThatFollows) {
  // Scaled zeros of the padding are not zeros: x * f + o is not foldable into the convolution behind it.
  Net net;
  const ValueId y = net.add("bn", batch_norm(3), {net.input("data", {2, 3, 5, 5})});
  Convolution conv = convolution(3, 8, 3);
  conv.pad_begin = conv.pad_end = {1, 1};
  expect_folded(net.done({net.add("conv", conv, {y})}), "Input Scale Convolution");
}

TEST(FoldScale, LeavesAValueThatOthersRead) {
  Net net;
  const ValueId y = net.add("conv", convolution(3, 3, 1), {net.input("data", {2, 3, 5, 5})});
  const ValueId z = net.add("scale", scale(3), {y});
  expect_folded(net.done({net.add("sum", Eltwise{}, {y, z})}), "Input Convolution Scale Eltwise");
}

TEST(FoldScale, LeavesAValueThatIsANetworkOutput) {
  Net net;
  const ValueId y = net.add("conv", convolution(3, 3, 1), {net.input("data", {2, 3, 5, 5})});
  expect_folded(net.done({net.add("scale", scale(3), {y}), y}), "Input Convolution Scale");
}

TEST(FoldScale, LeavesAScaleOfAnotherAxis) {
  Net net;
  const ValueId y = net.add("conv", convolution(3, 5, 1), {net.input("data", {2, 3, 5, 5})});
  Scale rows = scale(5);
  rows.axis = 2;
  expect_folded(net.done({net.add("rows", rows, {y})}), "Input Convolution Scale");

  Net up;  // 5 channels of 5 rows
  Deconvolution deconv{.out_channels = 5, .kernel = {1, 1}, .weights = random_blob({3, 5, 1, 1}, 1)};
  const ValueId z = up.add("deconv", deconv, {up.input("data", {2, 3, 5, 5})});
  expect_folded(up.done({up.add("rows", rows, {z})}), "Input Deconvolution Scale");
}

TEST(FoldScale, LeavesASecondInputsFactor) {
  Net net;
  const ValueId x = net.input("data", {2, 3, 5, 5});
  const ValueId y = net.add("conv", convolution(3, 3, 1), {x});
  Scale by_input;
  by_input.axis = 0;
  expect_folded(net.done({net.add("scale", by_input, {y, x})}), "Input Convolution Scale");
}

TEST(FoldScale, LeavesALayerWithAnActivation) {
  Net net;
  Convolution conv = convolution(3, 3, 1);
  conv.activation.kind = jit::ActivationKind::relu;
  const ValueId y = net.add("conv", conv, {net.input("data", {2, 3, 5, 5})});
  expect_folded(net.done({net.add("scale", scale(3), {y})}), "Input Convolution Scale");

  Net up;
  Deconvolution deconv{.out_channels = 3, .kernel = {1, 1}, .weights = random_blob({3, 3, 1, 1}, 1)};
  deconv.activation.kind = jit::ActivationKind::relu;
  const ValueId z = up.add("deconv", deconv, {up.input("data", {2, 3, 5, 5})});
  expect_folded(up.done({up.add("scale", scale(3), {z})}), "Input Deconvolution Scale");
}

TEST(FoldScale, LeavesWhatFp32CannotHold) {
  Net net;
  Convolution conv = convolution(3, 3, 1);
  conv.weights = constant({3, 3, 1, 1}, 1e20F);
  const ValueId y = net.add("conv", conv, {net.input("data", {2, 3, 5, 5})});
  Graph graph = net.done({net.add("scale", Scale{.factor = constant({3}, 1e20F)}, {y})});
  fold_all(graph);
  EXPECT_EQ(ops_of(graph), "Input Convolution Scale");
}

TEST(FoldScale, LeavesTheOriginalsBlobsAlone) {
  Net net;
  const Convolution conv = convolution(3, 8, 1);
  const std::vector<float> before = to_float(*conv.weights);
  const ValueId x = net.input("data", {2, 3, 5, 5});
  const ValueId a = net.add("a", conv, {x});
  const ValueId b = net.add("b", conv, {x});  // shares the weights
  expect_folded(net.done({net.add("scale", scale(8), {a}), b}), "Input Convolution Convolution");
  EXPECT_EQ(to_float(*conv.weights), before);
}

}  // namespace
}  // namespace octavo::graph::test
