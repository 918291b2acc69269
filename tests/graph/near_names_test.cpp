// SPDX-License-Identifier: Apache-2.0
#include "graph/near_names.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace octavo::graph::test {
namespace {

TEST(NearNames, ListsTheThreeNearestBestFirst) {
  const std::vector<std::string> names{"fc8", "conv2_1", "conv1_2", "conv1_1", "pool1"};
  EXPECT_EQ(near_names_hint("conv1_l", names), "did you mean 'conv1_2', 'conv1_1', 'conv2_1'?");
  EXPECT_EQ(near_names_hint("fc7", {"fc8"}), "did you mean 'fc8'?");
}

TEST(NearNames, SaysNothingWithoutNames) { EXPECT_EQ(near_names_hint("x", {}), ""); }

TEST(NearNames, DoesNotSpendTimeOnHostileLengths) {
  EXPECT_EQ(near_names_hint(std::string(1 << 20, 'a'), {std::string(1 << 20, 'b')}), "");
}

}  // namespace
}  // namespace octavo::graph::test
