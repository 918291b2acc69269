// SPDX-License-Identifier: Apache-2.0
#include "graph/axes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

using testing::ElementsAre;

TEST(CanonicalAxis, CountsNegativeAxesFromTheEnd) {
  EXPECT_EQ(canonical_axis(0, 4), 0);
  EXPECT_EQ(canonical_axis(3, 4), 3);
  EXPECT_EQ(canonical_axis(-1, 4), 3);
  EXPECT_EQ(canonical_axis(-4, 4), 0);
  EXPECT_NE(error_of([] { return canonical_axis(4, 4); }), "");
  EXPECT_NE(error_of([] { return canonical_axis(-5, 4); }), "");
  EXPECT_NE(error_of([] { return canonical_axis(0, 0); }), "");
}

TEST(CompleteOrder, AppendsTheAxesThatAreNotNamed) {
  EXPECT_THAT(complete_order({0, 2, 3, 1}, 4), ElementsAre(0, 2, 3, 1));
  EXPECT_THAT(complete_order({2}, 4), ElementsAre(2, 0, 1, 3));
  EXPECT_THAT(complete_order({}, 2), ElementsAre(0, 1));
  EXPECT_NE(error_of([] { return complete_order({0, 0}, 4); }), "");
  EXPECT_NE(error_of([] { return complete_order({4}, 4); }), "");
  EXPECT_NE(error_of([] { return complete_order({-1}, 4); }), "");
  EXPECT_NE(error_of([] { return complete_order({0, 1, 2}, 2); }), "");
}

TEST(CountBetween, IsOneForAnEmptyRange) {
  EXPECT_EQ(count_between({2, 3, 5}, 0, 3), 30);
  EXPECT_EQ(count_between({2, 3, 5}, 1, 2), 3);
  EXPECT_EQ(count_between({2, 3, 5}, 2, 2), 1);
}

}  // namespace
}  // namespace octavo::graph::test
