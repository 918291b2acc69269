// SPDX-License-Identifier: Apache-2.0
#include "graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

using testing::ElementsAre;

TEST(Graph, MakesValueNamesUnique) {
  Graph graph;
  graph.add_value("x");
  graph.add_value("x");
  graph.add_value("x_1");
  graph.add_value("x");
  EXPECT_EQ(graph.values[0].name, "x");
  EXPECT_EQ(graph.values[1].name, "x_1");
  EXPECT_EQ(graph.values[2].name, "x_1_1");
  EXPECT_EQ(graph.values[3].name, "x_2");
}

TEST(Graph, FindsProducersConsumersAndNodes) {
  Net net;
  const ValueId x = net.input("data", {1, 4});
  const ValueId a = net.add("a", relu(), {x});
  const ValueId b = net.add("b", Eltwise{}, {x, x});
  const Graph graph = net.done({a, b});
  EXPECT_EQ(graph.producer(a)->name, "a");
  EXPECT_EQ(graph.producer(99), nullptr);
  ASSERT_EQ(graph.consumers(x).size(), 2U);
  EXPECT_EQ(graph.consumers(x)[0]->name, "a");
  EXPECT_EQ(graph.consumers(x)[1]->name, "b");  // once, though it reads x twice
  EXPECT_EQ(graph.find_node("b"), graph.producer(b));
  EXPECT_EQ(graph.find_node("c"), nullptr);
  ASSERT_EQ(graph.inputs().size(), 1U);
  EXPECT_EQ(graph.inputs()[0]->name, "data");
}

TEST(Graph, RemoveDeadDropsWhatNoOutputNeedsAndKeepsTheRestInOrder) {
  Net net;
  const ValueId x = net.input("data", {1, 4});
  const ValueId unused = net.input("label", {1});
  const ValueId dead = net.add("dead", relu(), {x});
  net.add("deader", Eltwise{}, {dead, x});
  const ValueId a = net.add("a", relu(), {x});
  const ValueId b = net.add("b", relu(), {a});
  static_cast<void>(unused);
  Graph graph = net.done({b, a});
  graph.remove_dead();
  EXPECT_EQ(ops_of(graph), "Input Unary Unary");
  EXPECT_EQ(graph.values.size(), 3U);
  EXPECT_THAT(output_names(graph), ElementsAre("b", "a"));
  verify(graph);
}

TEST(Graph, RemoveDeadKeepsTheSiblingsOfANeededValue) {
  Net net;
  const auto parts = net.add_many("slice", Slice{}, {net.input("data", {1, 4})}, 2);
  Graph graph = net.done({parts[1]});
  graph.remove_dead();
  EXPECT_EQ(graph.values.size(), 3U);
  EXPECT_EQ(graph.nodes[1].outputs.size(), 2U);
  verify(graph);
}

TEST(Graph, ReplaceUsesReachesNodesAndOutputs) {
  Net net;
  const ValueId x = net.input("data", {1, 4});
  const ValueId a = net.add("a", Identity{}, {x});
  const ValueId b = net.add("b", Eltwise{}, {a, a});
  Graph graph = net.done({a, b});
  graph.replace_uses(a, x);
  EXPECT_THAT(graph.find_node("b")->inputs, ElementsAre(x, x));
  EXPECT_THAT(graph.outputs, ElementsAre(x, b));
}

TEST(Graph, CopiesShareBlobsAndNothingElse) {
  Net net;
  const ValueId y = net.add("conv", convolution(3, 4, 1), {net.input("data", {1, 3, 2, 2})});
  const Graph original = net.done({y});
  Graph copy = original;
  copy.nodes[1].name = "other";
  EXPECT_EQ(original.nodes[1].name, "conv");
  EXPECT_EQ(op_at<Convolution>(original, "conv").weights, op_at<Convolution>(copy, "other").weights);
}

}  // namespace
}  // namespace octavo::graph::test
