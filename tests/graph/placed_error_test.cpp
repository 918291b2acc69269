// SPDX-License-Identifier: Apache-2.0
// An error that is given a place says everything once.
#include "graph/placed_error.h"

#include <gtest/gtest.h>

#include <string>

namespace octavo::graph {
namespace {

TEST(PlacedError, SaysPlaceWhatAndHintOnce) {
  const Error bare(ErrorKind::unsupported, "no such layer", {}, "leave it out");
  const Error error = placed(bare, "layer 'a'");
  EXPECT_STREQ(error.what(), "layer 'a': no such layer (leave it out)");
  EXPECT_EQ(error.where(), "layer 'a'");
  EXPECT_EQ(error.hint(), "leave it out");
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_STREQ(placed(Error(ErrorKind::io, "gone"), "file").what(), "file: gone");
}

TEST(PlacedError, KeepsAnInnerPlaceInItsText) {
  const Error inner(ErrorKind::unsupported, "no such layer", "layer 'a'", "leave it out");
  const Error error = placed(inner, ErrorKind::malformed, "net.pb");
  EXPECT_STREQ(error.what(), "net.pb: layer 'a': no such layer (leave it out)");
  EXPECT_EQ(error.where(), "net.pb");
  EXPECT_EQ(error.kind(), ErrorKind::malformed);
}

TEST(PlacedError, LeavesTheTerminalAlone) {
  const std::string name("conv\0\x1b[31m\x7f", 11);
  const Error error = placed(Error(ErrorKind::malformed, "bad '" + name + "'", {}, "rename '" + name + "'"), name);
  EXPECT_STREQ(error.what(), R"(conv\x00\x1b[31m\x7f: bad 'conv\x00\x1b[31m\x7f' (rename 'conv\x00\x1b[31m\x7f'))");
  EXPECT_EQ(error.where(), R"(conv\x00\x1b[31m\x7f)");
}

}  // namespace
}  // namespace octavo::graph
