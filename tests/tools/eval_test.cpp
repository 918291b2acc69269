// SPDX-License-Identifier: Apache-2.0
// octavo eval: its keys, and figures that are known because the pictures' classes are the network's own answers.
#include "tests/tools/run_command.h"

namespace octavo::tool::test {
namespace {

class Eval : public LenetTest {
 protected:
  static constexpr unsigned count = 12;

  void SetUp() override {
    LenetTest::SetUp();
    for (unsigned i = 0; i < count; ++i) draw("pictures/" + std::to_string(100 + i) + ".png", i + 1);
    const Json predictions = run({"predict", "--json", path("lenet8.octavo"), path("pictures")}).json()["predictions"];
    for (const Json& prediction : predictions) {
      const Json& top = prediction["outputs"][0]["top"];
      answers.push_back(top[0]["class"]);
      seconds.push_back(top[1]["class"]);
      names.push_back(fs::path(prediction["file"].get<std::string>()).filename().string());
    }
    ASSERT_EQ(answers.size(), count);
  }
  void write_list(const std::string& name, const std::vector<std::size_t>& classes) const {
    std::string lines;
    for (unsigned i = 0; i < count; ++i) lines += names[i] + " " + std::to_string(classes[i]) + "\n";
    write_all(path(name), lines);
  }

  std::vector<std::size_t> answers, seconds;
  std::vector<std::string> names;
};

TEST_F(Eval, OfAQuantizedModelAloneFindsItsOwnAnswersRight) {
  write_list("right.txt", answers);
  const Finished finished = run({"eval", "--json", path("lenet8.octavo"), "--images", path("pictures"), "--labels",
                                 path("right.txt"), "--batch", "5"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json result = finished.json();
  EXPECT_EQ(result["images"], count);
  EXPECT_EQ(result["int8"]["top1"], 1.0);
  EXPECT_EQ(result["int8"]["top5"], 1.0);
  EXPECT_EQ(result["int8"]["top1_count"], count);
  EXPECT_TRUE(result["fp32"].is_null());
  EXPECT_TRUE(result["changed"].is_null());
  EXPECT_TRUE(result["sqnr_db"].is_null());
}

TEST_F(Eval, CountsSecondBestAnswersInTop5Only) {
  write_list("second.txt", seconds);
  const Json result =
      run({"eval", "--json", path("lenet8.octavo"), "--images", path("pictures"), "--labels", path("second.txt")})
          .json();
  EXPECT_EQ(result["int8"]["top1"], 0.0);
  EXPECT_EQ(result["int8"]["top5"], 1.0);
}

TEST_F(Eval, OfAFloatModelRunsBothSideBySide) {
  write_list("right.txt", answers);
  const std::vector<std::string> floats = {"--images", path("pictures"), "--labels", path("right.txt"),
                                           "--scale",  "0.0078125",      "--mean",   "128"};
  std::vector<std::string> arguments = {"eval", "--json", path("lenet.octavo"), "--report", path("eval.html")};
  arguments.insert(arguments.end(), floats.begin(), floats.end());
  const Finished finished = run(arguments);
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json side_by_side = finished.json();
  EXPECT_EQ(side_by_side["int8"]["top1"], 1.0);
  EXPECT_EQ(side_by_side["changed"], side_by_side["changed_answers"].size());
  EXPECT_GT(side_by_side["sqnr_db"], 20.0);
  EXPECT_LT(side_by_side["sqnr_db"], 80.0);
  EXPECT_NE(side_by_side["measured_on"], "prob") << "the softmax hides differences";
  EXPECT_NE(read_all(path("eval.html")).find("<svg"), std::string::npos);

  // The same pair, given as files.
  arguments = {"eval", "--json", path("lenet8.octavo"), "--reference", path("lenet.octavo")};
  arguments.insert(arguments.end(), floats.begin(), floats.end());
  const Json beside = run(arguments).json();
  for (const char* key : {"images", "changed", "measured_on"}) EXPECT_EQ(beside[key], side_by_side[key]);
  EXPECT_NEAR(beside["sqnr_db"].get<double>(), side_by_side["sqnr_db"].get<double>(), 0.01);
}

TEST_F(Eval, NumbersClassFoldersInSortedOrder) {
  // Folder k holds the pictures whose answer is the k-th distinct class seen; right only where that class is k.
  std::size_t right = 0;
  for (unsigned i = 0; i < count; ++i) {
    const std::size_t folder_index = i % 10;
    draw("folders/class" + std::to_string(folder_index) + "/" + names[i], i + 1);
    if (answers[i] == folder_index) ++right;
  }
  const Finished finished = run({"eval", "--json", path("lenet8.octavo"), "--images", path("folders")});
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(finished.json()["int8"]["top1_count"], right);
}

TEST_F(Eval, SkipsUnreadablePicturesAndSaysSo) {
  write_list("right.txt", answers);
  write_all(path("pictures/" + names[3]), "not a picture");
  const Finished finished =
      run({"eval", "--json", path("lenet8.octavo"), "--images", path("pictures"), "--labels", path("right.txt")});
  EXPECT_EQ(finished.code, 5);
  EXPECT_EQ(finished.json()["images"], count - 1);
  EXPECT_EQ(finished.json()["int8"]["top1"], 1.0);
  EXPECT_EQ(finished.json()["skipped"].size(), 1U);
}

TEST_F(Eval, RefusesLabelsThatFitNothing) {
  write_all(path("broken.txt"), "100.png zero\n");
  const std::vector<std::string> base = {"eval", path("lenet8.octavo"), "--images", path("pictures"), "--labels"};
  std::vector<std::string> arguments = base;
  arguments.push_back(path("broken.txt"));
  EXPECT_EQ(run(arguments).code, 3);
  write_all(path("high.txt"), "100.png 10\n");
  arguments = base;
  arguments.push_back(path("high.txt"));
  EXPECT_EQ(run(arguments).code, 2);
  EXPECT_EQ(run({"eval", path("lenet8.octavo"), "--images", path("pictures")}).code, 2) << "no folder a class there";
}

}  // namespace
}  // namespace octavo::tool::test
