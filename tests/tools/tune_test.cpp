// SPDX-License-Identifier: Apache-2.0
// octavo tune, and the commands that read its file.
#include "octavo/isa.h"
#include "tests/tools/run_command.h"

namespace octavo::tool::test {
namespace {

class Tune : public LenetTest {
 protected:
  void SetUp() override {
    if (isa_list().back() == Isa::reference) GTEST_SKIP() << "this machine has no ISA that octavo writes code for";
    LenetTest::SetUp();
  }
  [[nodiscard]] Finished tune(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "tune");
    arguments.insert(arguments.end(),
                     {"--threads", "1", "--candidates", "10", "--budget", "0.05", "-o", path("tuning.json")});
    return run(arguments);
  }
};

TEST_F(Tune, GivesEveryPromisedKeyForShapesAndFilesOfThem) {
  write_all(path("shapes"), "# two layers\nic16ih8oc16kh3ph1n\"first\"\nic64oc32\n");
  const Finished finished = tune({"--shape", "ic8ih8oc8kh1n\"given\"", "--shapes", path("shapes"), "--json"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json result = finished.json();
  EXPECT_EQ(result["file"], path("tuning.json"));
  ASSERT_EQ(result["layers"].size(), 3U);
  EXPECT_EQ(result["layers"][0]["layers"][0], "given");
  EXPECT_EQ(result["layers"][1]["layers"][0], "first");
  for (const Json& layer : result["layers"]) {
    EXPECT_GE(layer["candidates"], 0);
    EXPECT_FALSE(layer["spec"].get<std::string>().empty());
    EXPECT_FALSE(layer["planner"]["plan"].get<std::string>().empty());
    EXPECT_GT(layer["planner"]["us"], 0.0);
    EXPECT_GT(layer["best"]["us"], 0.0);
    EXPECT_LE(layer["ratio"]["low"], layer["ratio"]["high"]);
    EXPECT_LE(layer["twin"]["low"], layer["twin"]["high"]);
    EXPECT_TRUE(layer["kept"].is_boolean());
    EXPECT_FALSE(layer["verdict"].get<std::string>().empty());
  }
}

TEST_F(Tune, TunesAModelAndPrintsATable) {
  const Finished finished = tune({path("lenet8.octavo")});
  ASSERT_EQ(finished.code, 0) << finished.err;
  for (const char* word : {"conv2", "planner's plan", "best plan", "gain", "kept", "distinct layers"})
    EXPECT_NE(finished.out.find(word), std::string::npos) << word;
}

TEST_F(Tune, WhatIsNotMeantIsAUsageError) {
  EXPECT_EQ(tune({}).code, 2);
  EXPECT_EQ(tune({path("lenet8.octavo"), "--shape", "ic8oc8"}).code, 2);
  EXPECT_EQ(tune({"--shape", "nonsense"}).code, 2);
  EXPECT_EQ(tune({"--shapes", path("absent")}).code, 3);
  EXPECT_EQ(tune({"--shape", "ic8oc8", "--isa", "reference"}).code, 4);
  EXPECT_EQ(tune({"--shape", ""}).code, 2);
  EXPECT_EQ(run({"tune", "--shape", "ic8oc8", "--threads", "1", "--budget", "nan"}).code, 2);
  EXPECT_EQ(run({"tune", "--shape", "ic8oc8", "--threads", "1", "--budget", "0.05", "--tuning", "none"}).code, 2);
  EXPECT_FALSE(fs::exists("none"));
}

TEST_F(Tune, OtherCommandsReadTheFileAndSayWhenTheyCannot) {
  write_all(path("broken.json"), "{");
  EXPECT_EQ(run({"info", path("lenet8.octavo"), "--tuning", path("broken.json")}).code, 3);
  EXPECT_EQ(run({"info", path("lenet8.octavo"), "--tuning", path("absent.json")}).code, 3);
  EXPECT_EQ(run({"info", path("lenet8.octavo"), "--tuning", "none"}).code, 0);
}

}  // namespace
}  // namespace octavo::tool::test
