// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/passes/passes.h"
#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

using testing::ElementsAre;

TEST(DropIdentity, LetsUsersReadTheInput) {
  Net net;
  const ValueId x = net.input("data", {1, 4});
  const ValueId a = net.add("a", relu(), {x});
  const auto copies = net.add_many("split", Identity{}, {a}, 2);
  const ValueId drop = net.add("drop", Identity{}, {copies[1]});
  Graph graph = net.done({net.add("sum", Eltwise{}, {copies[0], drop})});
  drop_identity(graph);
  verify(graph);
  EXPECT_EQ(print(graph),
            "graph net\n"
            "%data = Input() {shape=[1,4]}  # data\n"
            "%a = Unary(%data) {kind=relu}  # a\n"
            "%sum = Eltwise(%a, %a) {kind=sum}  # sum\n"
            "return %sum\n");
}

TEST(DropIdentity, GivesItsNameToAnInputThatNothingElseReads) {
  Net net;
  const ValueId fc = net.add("fc7@fc7", relu(), {net.input("data", {1, 4})});
  const ValueId drop = net.add("drop", Identity{}, {fc});
  const ValueId again = net.add("fc7", Identity{}, {drop});
  Graph graph = net.done({net.add("fc8", relu(), {again})});
  drop_identity(graph);
  verify(graph);
  EXPECT_EQ(print(graph),
            "graph net\n"
            "%data = Input() {shape=[1,4]}  # data\n"
            "%fc7 = Unary(%data) {kind=relu}  # fc7@fc7\n"
            "%fc8 = Unary(%fc7) {kind=relu}  # fc8\n"
            "return %fc8\n");
}

TEST(DropIdentity, KeepsTheNameOfANetworkOutput) {
  Net net;
  const ValueId fc = net.add("fc", relu(), {net.input("data", {1, 4})});
  const ValueId drop = net.add("drop", Identity{}, {fc});
  Graph graph = net.done({drop});
  drop_identity(graph);
  verify(graph);
  EXPECT_EQ(ops_of(graph), "Input Unary");
  EXPECT_EQ(graph.nodes[1].name, "fc");
  EXPECT_THAT(output_names(graph), ElementsAre("drop"));
}

TEST(DropIdentity, StaysBetweenTwoNamesThatHaveToSurvive) {
  Net net;
  const ValueId x = net.input("data", {1, 4});
  const ValueId passed = net.add("passed", Identity{}, {x});
  const ValueId fc = net.add("fc", relu(), {x});
  const ValueId drop = net.add("drop", Identity{}, {fc});
  Graph graph = net.done({passed, fc, drop});
  drop_identity(graph);
  verify(graph);
  EXPECT_EQ(ops_of(graph), "Input Identity Unary Identity");
  EXPECT_THAT(output_names(graph), ElementsAre("passed", "fc", "drop"));
}

TEST(DropIdentity, OfASplitIntoTwoOutputsKeepsOneCopy) {
  Net net;
  const ValueId fc = net.add("fc", relu(), {net.input("data", {1, 4})});
  Graph graph = net.done(net.add_many("split", Identity{}, {fc}, 3));
  drop_identity(graph);
  verify(graph);
  EXPECT_THAT(output_names(graph), ElementsAre("split_0", "split_1", "split_2"));
  EXPECT_EQ(graph.find_node("split")->outputs.size(), 2U);
}

}  // namespace
}  // namespace octavo::graph::test
