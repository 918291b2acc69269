// SPDX-License-Identifier: Apache-2.0
// A 2x2 maximum into the convolution before it, and all that must keep it out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/compiler.h"
#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

using testing::HasSubstr;

const Pool halving{.kernel = {2, 2}, .stride = {2, 2}};

Convolution padded(std::int64_t ins, std::int64_t outs) {
  Convolution conv = convolution(ins, outs, 3, 1);
  conv.pad_begin = conv.pad_end = {1, 1};
  return conv;
}

/// Input, layer, activation and pool, before any pass.
Graph network(const Convolution& conv, const Pool& pool, Shape input) {
  Net net;
  const ValueId y = net.add("conv", conv, {net.input("data", std::move(input))});
  return net.done({net.add("pool", pool, {net.add("relu", relu(), {y})})});
}

Graph fused(const Graph& imported, const QuantizationRules& rules = {}) {
  return compile_to(quantize_weights(canonicalize(imported), rules), Stage::fused);
}

void expect_fused(const Graph& graph) {
  EXPECT_EQ(ops_of(graph), "Input FusedConvolution") << print(graph);
  EXPECT_EQ(output_names(graph), (std::vector<std::string>{"pool"}));
  EXPECT_TRUE(op_at<FusedConvolution>(graph, "conv").pool);
}

void expect_apart(const Graph& graph) {
  EXPECT_EQ(ops_of(graph), "Input FusedConvolution Pool") << print(graph);
  EXPECT_FALSE(op_at<FusedConvolution>(graph, "conv").pool);
}

TEST(FusePool, MakesOneNodeThatHasTheLayersNameAndThePoolsResult) {
  const Graph graph = fused(network(padded(3, 64), halving, {1, 3, 8, 6}));
  EXPECT_EQ(print(graph),
            "graph net\n"
            "%data:[1,3,8,6] = Input() {shape=[1,3,8,6]}  # data\n"
            "%pool:[1,64,4,3] = FusedConvolution(%data) {out_channels=64 kernel=[3,3] pad_begin=[1,1] pad_end=[1,1] "
            "weights=s8[64,3,3,3]/3 activation=relu pool=true}  # conv\n"
            "return %pool\n");
  expect_fused(graph);
}

TEST(FusePool, TakesGroupsAndRoundsOfEvenSizes) {
  Convolution grouped = padded(4, 8);
  grouped.groups = 2;
  expect_fused(fused(network(grouped, halving, {2, 8, 4, 4})));
  Pool up = halving;
  up.ceil_mode = true;
  expect_fused(fused(network(padded(3, 8), up, {2, 3, 4, 4})));
}

TEST(FusePool, IsOfTheFusedStageAlone) {
  const Graph quantized = quantize_weights(canonicalize(network(padded(3, 8), halving, {1, 3, 4, 4})), {});
  EXPECT_EQ(ops_of(compile_to(quantized, Stage::inserted)), "Input Quantize IntegerConvolution Dequantize Pool");
}

TEST(FusePool, LeavesOddSizesToThePool) {
  expect_apart(fused(network(padded(3, 8), halving, {1, 3, 5, 4})));
  expect_apart(fused(network(padded(3, 8), halving, {1, 3, 4, 5})));
}

TEST(FusePool, LeavesOtherPools) {
  const auto apart = [](const Pool& pool) { expect_apart(fused(network(padded(3, 8), pool, {1, 3, 8, 8}))); };
  apart({.kind = PoolKind::average, .kernel = {2, 2}, .stride = {2, 2}});
  apart({.kernel = {3, 3}, .stride = {2, 2}});
  apart({.kernel = {2, 2}, .stride = {1, 1}});
  apart({.kernel = {2, 2}, .stride = {2, 1}});
  apart({.kernel = {2, 2}, .stride = {2, 2}, .pad_begin = {1, 0}});
  apart({.kernel = {2, 2}, .stride = {2, 2}, .pad_end = {0, 1}});
  apart({.kernel = {2, 2}, .stride = {2, 2}, .global = true});
}

TEST(FusePool, LeavesLayersThatAreNeverWinograd) {
  const auto apart = [](const Convolution& conv, Shape input, const QuantizationRules& rules = {}) {
    expect_apart(fused(network(conv, halving, std::move(input)), rules));
  };
  apart(convolution(3, 8, 1), {1, 3, 8, 8});
  Convolution strided = padded(3, 8);
  strided.stride = {2, 2};
  apart(strided, {1, 3, 8, 8});
  Convolution dilated = convolution(3, 8, 3);
  dilated.dilation = {2, 2};
  apart(dilated, {1, 3, 8, 8});
  Convolution depthwise = padded(1, 8);
  depthwise.groups = 8;
  apart(depthwise, {1, 8, 8, 8});
  apart(padded(3, 8), {1, 3, 8, 8}, {.convolution_window = {.channels = 64, .tile_h = 4, .tile_w = 4}});
}

TEST(FusePool, LeavesAFloatLayer) {
  const Graph graph = compile_to(network(padded(3, 8), halving, {1, 3, 8, 8}), Stage::fused);
  EXPECT_EQ(ops_of(graph), "Input Convolution Pool");
}

TEST(FusePool, LeavesAResidualSumAndAValueThatOthersRead) {
  Net net;
  const ValueId x = net.input("data", {1, 8, 8, 8});
  const ValueId a = net.add("a", padded(8, 8), {x});
  const ValueId sum = net.add("sum", Eltwise{}, {a, x});
  const ValueId b = net.add("b", padded(8, 8), {x});
  const Graph graph = fused(net.done({net.add("pool_a", halving, {sum}), net.add("pool_b", halving, {b}), b}));
  EXPECT_EQ(ops_of(graph), "Input FusedConvolution FusedConvolution Pool Pool") << print(graph);
}

TEST(FusePool, OfTwoPoolsTakesTheFirst) {
  Net net;
  const ValueId y = net.add("conv", padded(3, 8), {net.input("data", {1, 3, 8, 8})});
  const Graph graph = fused(net.done({net.add("again", halving, {net.add("pool", halving, {y})})}));
  EXPECT_EQ(ops_of(graph), "Input FusedConvolution Pool");
}

TEST(FusePool, SizesThatItWasNotMadeForAreAnError) {
  Graph graph = fused(network(padded(3, 8), halving, {1, 3, 8, 8}));
  infer_shapes(graph, {{"data", {1, 3, 6, 4}}});
  EXPECT_EQ(graph.values[graph.outputs[0]].shape, (Shape{1, 8, 3, 2}));
  EXPECT_THAT(error_of([&] {
                infer_shapes(graph, {{"data", {1, 3, 7, 8}}});
              }),
              HasSubstr("the layer pools 2x2, which [1,8,7,8] cannot be cut into"));
  EXPECT_THROW(infer_shapes(graph, {{"data", {1, 3, 8, 7}}}), Error);
}

TEST(FusePool, AResidualIsAnError) {
  Graph graph = fused(network(padded(3, 3), halving, {1, 3, 8, 8}));
  std::get<FusedConvolution>(graph.nodes[1].op).conv.add_residual = true;
  graph.nodes[1].inputs.push_back(graph.nodes[0].outputs[0]);
  EXPECT_THAT(error_of([&] { verify(graph); }), HasSubstr("a layer that pools has no residual"));
}

}  // namespace
}  // namespace octavo::graph::test
