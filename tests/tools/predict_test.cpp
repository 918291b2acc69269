// SPDX-License-Identifier: Apache-2.0
// octavo predict.
#include <cmath>
#include <cstring>

#include "tests/tools/run_command.h"

namespace octavo::tool::test {
namespace {

using Predict = LenetTest;

TEST_F(Predict, GivesTheBestAnswersOfEachPictureInOrder) {
  draw("pictures/b.png", 2);
  draw("pictures/a.png", 1);
  const Finished finished = run({"predict", "--json", "--top", "3", path("lenet8.octavo"), path("pictures")});
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json predictions = finished.json()["predictions"];
  ASSERT_EQ(predictions.size(), 2U);
  EXPECT_EQ(predictions[0]["file"], path("pictures/a.png"));
  EXPECT_EQ(predictions[1]["file"], path("pictures/b.png"));
  for (const Json& prediction : predictions) {
    const Json top = prediction["outputs"][0]["top"];
    ASSERT_EQ(top.size(), 3U);
    EXPECT_GE(top[0]["value"], top[1]["value"]);
    EXPECT_GE(top[1]["value"], top[2]["value"]);
  }
}

TEST_F(Predict, AnswersDoNotDependOnTheBatch) {
  for (unsigned i = 0; i < 5; ++i) draw("pictures/" + std::to_string(i) + ".png", i + 1);
  const Json one = run({"predict", "--json", path("lenet8.octavo"), path("pictures")}).json()["predictions"];
  const Json two =
      run({"predict", "--json", "--batch", "2", path("lenet8.octavo"), path("pictures")}).json()["predictions"];
  ASSERT_EQ(one.size(), 5U);
  ASSERT_EQ(two.size(), 5U);
  for (std::size_t i = 0; i < one.size(); ++i) {
    for (std::size_t k = 0; k < 5; ++k) {
      const Json& a = one[i]["outputs"][0]["top"][k];
      const Json& b = two[i]["outputs"][0]["top"][k];
      EXPECT_EQ(a["class"], b["class"]);
      EXPECT_NEAR(a["value"].get<double>(), b["value"].get<double>(), 1e-5);
    }
  }
}

TEST_F(Predict, ShowsLabels) {
  draw("a.png", 1);
  write_all(path("labels.txt"), "null\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n");
  const Json top =
      run({"predict", "--json", "--top", "10", "--labels", path("labels.txt"), path("lenet8.octavo"), path("a.png")})
          .json()["predictions"][0]["outputs"][0]["top"];
  ASSERT_EQ(top.size(), 10U);
  for (const Json& answer : top) {
    if (answer["class"] == 9) {
      EXPECT_EQ(answer["label"], "nine");
    }
  }
}

TEST_F(Predict, ReportsAndSkipsUnreadablePictures) {
  draw("good.png", 1);
  write_all(path("broken.png"), "\x89PNG\r\n\x1a\n and no more");
  const Finished some =
      run({"predict", "--json", path("lenet8.octavo"), path("broken.png"), path("good.png"), path("gone.jpg")});
  EXPECT_EQ(some.code, 5);
  EXPECT_EQ(some.json()["predictions"].size(), 1U);
  ASSERT_EQ(some.json()["skipped"].size(), 2U);
  EXPECT_EQ(some.json()["skipped"][0]["file"], path("broken.png"));
  const Finished none = run({"predict", path("lenet8.octavo"), path("broken.png")});
  EXPECT_EQ(none.code, 3);
  EXPECT_NE(none.err.find("broken.png"), std::string::npos);
}

TEST_F(Predict, WritesAnIntermediateValue) {
  draw("a.png", 1);
  draw("b.png", 2);
  const Finished finished = run({"predict", "--json", path("lenet8.octavo"), path("a.png"), path("b.png"), "--layer",
                                 "conv1", "-o", path("conv1.npy")});
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(finished.json()["shape"], Json({2, 20, 24, 24}));
  const std::string npy = read_all(path("conv1.npy"));
  ASSERT_EQ(npy.rfind("\x93NUMPY", 0), 0U);
  EXPECT_NE(npy.find("(2, 20, 24, 24, )"), std::string::npos);
  constexpr std::size_t count = std::size_t{2} * 20 * 24 * 24;
  ASSERT_EQ(npy.size() % 64, 0U);
  ASSERT_EQ(npy.size(), 128 + count * sizeof(float));
  std::vector<float> values(count);
  std::memcpy(values.data(), npy.data() + 128, count * sizeof(float));
  double sum = 0;
  for (const float value : values) {
    ASSERT_TRUE(std::isfinite(value));
    sum += std::abs(value);
  }
  EXPECT_GT(sum, 0);
}

}  // namespace
}  // namespace octavo::tool::test
