// SPDX-License-Identifier: Apache-2.0
// benchdnn's shape syntax, read as benchdnn reads it.
#include "tools/problem.h"

#include <gtest/gtest.h>

#include "octavo/error.h"

namespace octavo::tools {
namespace {

TEST(ProblemTest, WidthsFollowHeightsAndSizesThatAreLeftOutFollowFromTheRest) {
  const auto [name, spec] = parse_problem(R"(mb1_ic64ih56oc128kh3sh2ph1n"vgg:conv2")");
  EXPECT_EQ(name, "vgg:conv2");
  EXPECT_EQ(spec.in_channels, 64);
  EXPECT_EQ(spec.out_channels, 128);
  EXPECT_EQ(spec.in_w, 56);
  EXPECT_EQ(spec.kernel_w, 3);
  EXPECT_EQ(spec.stride_w, 2);
  EXPECT_EQ(spec.pad_left, 1);
  EXPECT_EQ(spec.out_h, 28);
  EXPECT_EQ(spec.out_w, 28);
}

TEST(ProblemTest, WidthsMayDifferFromHeights) {
  const auto spec = parse_problem("ic8ih20iw30oc8oh20ow28kh1kw3").spec;
  EXPECT_EQ(spec.in_w, 30);
  EXPECT_EQ(spec.kernel_h, 1);
  EXPECT_EQ(spec.kernel_w, 3);
  EXPECT_EQ(spec.out_w, 28);
}

TEST(ProblemTest, DilationCountsFromZero) {
  EXPECT_EQ(parse_problem("ic8ih20oc8kh3").spec.dilation_h, 1);
  EXPECT_EQ(parse_problem("ic8ih20oc8kh3dh5ph6").spec.dilation_h, 6);
}

TEST(ProblemTest, GroupsAreThoseOfAllChannels) {
  const auto spec = parse_problem("g2ic96ih27oc256kh5ph2").spec;
  EXPECT_EQ(spec.groups, 2);
  EXPECT_EQ(spec.channels_per_group(), 48);
}

TEST(ProblemTest, RowsOfABatchFollowEachOther) {
  const auto spec = parse_problem("mb8ic25088oc4096").spec;
  EXPECT_EQ(spec.in_h, 1);
  EXPECT_EQ(spec.in_w, 8);
  EXPECT_EQ(parse_problem("mb2ic16ih7oc16kh1").spec.in_w, 98);
}

TEST(ProblemTest, ANameIsTheTextItselfUnlessGiven) { EXPECT_EQ(parse_problem("ic8ih20oc8kh3").name, "ic8ih20oc8kh3"); }

TEST(ProblemTest, ABatchFileHasCommentsOptionsAndSeveralProblemsALine) {
  const auto problems = parse_problems(
      "# layers of a network\n--reset --dt=u8:s8:f32\n\n  ic8ih20oc8kh3n\"a # b\" mb2ic16oc16\r\n"
      "ic4oc4 # the last\n--dir=FWD_I ic8oc8",
      "shapes");
  ASSERT_EQ(problems.size(), 4U);
  EXPECT_EQ(problems[0].name, "a # b");
  EXPECT_EQ(problems[0].spec.kernel_h, 3);
  EXPECT_EQ(problems[1].spec.in_w, 2);
  EXPECT_EQ(problems[2].spec.in_channels, 4);
  EXPECT_EQ(problems[3].spec.in_channels, 8);
}

TEST(ProblemTest, ABatchFilesErrorsSayTheLine) {
  for (const char* text : {"ic8oc8\nic8ihoc8", "# only\nnonsense", "ic8oc8\n--mb=4 ic8oc8", "ic8oc8\n--batch=others"}) {
    try {
      (void)parse_problems(text, "shapes");
      ADD_FAILURE() << text;
    } catch (const octavo::Error& error) {
      EXPECT_EQ(error.where(), "shapes:2") << error.what();
    }
  }
  for (const char* text : {"", "\n\n", "# nothing", "--reset"})
    EXPECT_THROW((void)parse_problems(text, "shapes"), octavo::Error) << text;
}

TEST(ProblemTest, WhatIsNotUnderstoodIsAnErrorThatSaysSo) {
  for (const char* text : {"ic8ih20oc8kh3zz4", "ic8ih", "8", "ic8ih20oc8kh3n\"open", "mb2ic8ih20oc8kh3",
                           "ic8ih2oc8kh3sh0", "ic99999999999999999999", "ic0", "ic8ih-4oc8"})
    EXPECT_THROW((void)parse_problem(text), octavo::Error) << text;
}

}  // namespace
}  // namespace octavo::tools
