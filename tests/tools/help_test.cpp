// SPDX-License-Identifier: Apache-2.0
// The command explains itself.
#include "tests/tools/run_command.h"

namespace octavo::tool::test {
namespace {

class Help : public CommandTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(Help, OfEachSubcommandTeachesByExamples) {
  const Finished help = run({GetParam(), "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_NE(help.out.find("Examples:"), std::string::npos);
  EXPECT_NE(help.out.find(std::string("octavo ") + GetParam()), std::string::npos);
  EXPECT_NE(help.out.find("--json"), std::string::npos);
  EXPECT_EQ(help.err, "");
}

TEST_P(Help, IsOfferedOnAnUnknownFlag) {
  const Finished refused = run({GetParam(), "--no-such-flag"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_EQ(refused.out, "");
  EXPECT_EQ(refused.err.rfind("octavo: ", 0), 0U) << refused.err;
  EXPECT_NE(refused.err.find("--help"), std::string::npos) << refused.err;
}

INSTANTIATE_TEST_SUITE_P(Command, Help,
                         ::testing::Values("convert", "info", "predict", "eval", "bench", "dump", "zoo"));

using Command = CommandTest;

TEST_F(Command, ListsItsSubcommandsAndExitCodes) {
  const Finished help = run({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* word : {"convert", "info", "predict", "eval", "bench", "dump", "zoo", "Exit codes"}) {
    EXPECT_NE(help.out.find(word), std::string::npos) << word;
  }
}

TEST_F(Command, SaysItsVersion) {
  const Finished version = run({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_EQ(version.out.rfind("octavo ", 0), 0U);
}

TEST_F(Command, NeedsASubcommandItKnows) {
  EXPECT_EQ(run({}).code, 2);
  EXPECT_EQ(run({"fold"}).code, 2);
}

}  // namespace
}  // namespace octavo::tool::test
