// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

using testing::HasSubstr;

TEST(Print, IsALineALayerWithShapesAndWhatIsNotDefault) {
  Net net;
  const ValueId x = net.input("data", {1, 3, 8, 8});
  Convolution conv = convolution(3, 4, 3);
  conv.pad_begin = conv.pad_end = {1, 1};
  conv.bias = constant({4}, 0);
  conv.activation = {.kind = jit::ActivationKind::leaky_relu, .slope = 0.1F};
  const ValueId y = net.add("conv1", conv, {x});
  const auto parts = net.add_many("cut", Slice{.axis = 1, .points = {1}}, {y}, 2);
  Pool pool;
  pool.global = true;
  Graph graph = net.done({net.add("pool", pool, {parts[0]}), parts[1]});
  infer_shapes(graph);
  EXPECT_EQ(print(graph),
            "graph net\n"
            "%data:[1,3,8,8] = Input() {shape=[1,3,8,8]}  # data\n"
            "%conv1:[1,4,8,8] = Convolution(%data) {out_channels=4 kernel=[3,3] pad_begin=[1,1] pad_end=[1,1] "
            "weights=f32[4,3,3,3] bias=f32[4] activation=leaky_relu(0.1)}  # conv1\n"
            "%cut_0:[1,1,8,8], %cut_1:[1,3,8,8] = Slice(%conv1) {points=[1]}  # cut\n"
            "%pool:[1,1,1,1] = Pool(%cut_0) {kind=max global=true}  # pool\n"
            "return %pool, %cut_1\n");
}

TEST(Print, ShowsQuantizedWeightsWithTheirWindow) {
  Blob blob;
  blob.shape = {2, 64};
  blob.q = Data<std::int8_t>(std::vector<std::int8_t>(128, 1));
  blob.scales = Data<float>({1, 1, 1, 1});
  blob.window = 32;
  Linear op = linear(64, 2);
  op.weights = std::make_shared<Blob>(blob);
  op.window = {.channels = 32, .tile_h = 2, .tile_w = 7};
  Net net;
  const ValueId y = net.add("fc", op, {net.input("data", {1, 64})});
  EXPECT_THAT(print(net.done({y})),
              HasSubstr("%fc = Linear(%data) {out_features=2 weights=s8[2,64]/32 window=32@2x7}  # fc\n"));
}

TEST(Print, KeepsEachLayerOnItsLine) {
  Net net;
  const ValueId y = net.add("evil\nname\x1b[2J", relu(), {net.input("data", {1})});
  EXPECT_THAT(print(net.done({y})), HasSubstr("evil\\x0aname\\x1b[2J"));
}

TEST(Print, ShowsBrokenGraphsToo) {
  Graph graph;
  graph.add_node("lost", Convolution{}, {7}, {8});
  graph.outputs = {9};
  EXPECT_THAT(print(graph), HasSubstr("%<no value 8> = Convolution(%<no value 7>)"));
}

TEST(Print, IsDeterministic) {
  const auto make = [] {
    Net net;
    const ValueId y = net.add("power", Unary{.kind = UnaryKind::power, .alpha = 0.1F, .beta = 1e-7F, .gamma = 3},
                              {net.input("data", {1})});
    return print(net.done({y}));
  };
  EXPECT_EQ(make(), make());
  EXPECT_THAT(make(), HasSubstr("{kind=power alpha=0.1 beta=1e-07 gamma=3}"));
}

}  // namespace
}  // namespace octavo::graph::test
