// SPDX-License-Identifier: Apache-2.0
// VOC's average precision: by hand, and as an established tool counts it.
#include "tools/metrics/voc_metric.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/metrics/scenes.h"
#include "tools/metrics/voc_files.h"

namespace octavo::metrics {
namespace {

/// One category in one picture; the objects stand apart, each 10 x 10 pixels (inclusive).
struct Row {
  TruthSet truth;
  std::vector<Detection> detections;

  explicit Row(std::size_t objects) {
    truth.images.push_back({"a", 1, 100, 100});
    truth.categories.push_back({"thing", 1});
    for (std::size_t i = 0; i < objects; ++i) truth.truths.push_back({0, 0, box(i), 100, false, false});
  }
  static Box box(std::size_t i) { return {static_cast<double>(20 * i), 0, 9, 9}; }
  void find(std::size_t object, double score) { detections.push_back({0, 0, score, box(object)}); }
  void miss(double score) { detections.push_back({0, 0, score, {500, 500, 9, 9}}); }
  [[nodiscard]] double score(VocAveraging averaging) const {
    return voc_scores(truth, detections, averaging).mean.value();
  }
};

TEST(VocScores, CountByHand) {
  Row row(4);        // right, wrong, right, right: precision 1, 1/2, 2/3, 3/4 at recall 1/4, 1/4, 1/2, 3/4
  row.find(2, 0.6);  // their order is that of the scores
  row.miss(0.8);
  row.find(0, 0.9);
  row.find(1, 0.7);
  EXPECT_DOUBLE_EQ(row.score(VocAveraging::area), 0.25 * 1 + 0.25 * 0.75 + 0.25 * 0.75);
  EXPECT_DOUBLE_EQ(row.score(VocAveraging::eleven_points), (3 * 1 + 5 * 0.75) / 11);
}

TEST(VocScores, AnObjectIsFoundOnce) {
  Row row(2);
  row.find(0, 0.9);
  row.find(0, 0.8);
  row.find(1, 0.7);
  EXPECT_DOUBLE_EQ(row.score(VocAveraging::area), 0.5 + 0.5 * 2 / 3);
}

TEST(VocScores, ADetectionIsJudgedByTheObjectThatItOverlapsMost) {
  Row row(1);
  row.truth.truths.push_back({0, 0, {2, 0, 9, 9}, 100, false, false});  // two pixels beside the first
  row.find(0, 0.9);
  row.find(0, 0.8);  // enough of the second, too, but that is not what it claims
  EXPECT_DOUBLE_EQ(row.score(VocAveraging::area), 0.5);
}

TEST(VocScores, ARecallThatIsJustReachedCounts) {
  Row row(2);
  row.find(0, 0.9);
  EXPECT_DOUBLE_EQ(row.score(VocAveraging::eleven_points), 6.0 / 11);
}

TEST(VocScores, ADifficultObjectCountsNeitherWay) {
  Row row(2);
  row.truth.truths[1].difficult = true;
  row.find(1, 0.9);
  row.find(1, 0.85);
  row.find(0, 0.8);
  EXPECT_DOUBLE_EQ(row.score(VocAveraging::area), 1);
  EXPECT_DOUBLE_EQ(row.score(VocAveraging::eleven_points), 1);
}

TEST(VocScores, OverlapIsInPixelsInclusiveAndHalfIsEnough) {
  Row row(1);
  // 10 of 20 pixels are shared: 5 x 10 wide within 10 x 10.
  row.detections.push_back({0, 0, 0.9, {0, 0, 4, 9}});
  EXPECT_DOUBLE_EQ(row.score(VocAveraging::area), 1);
  row.detections[0].box.width = 3;
  EXPECT_DOUBLE_EQ(row.score(VocAveraging::area), 0);
}

TEST(VocScores, CategoriesWithoutObjectsAreLeftOut) {
  Row row(1);
  row.truth.categories.push_back({"other", 2});
  row.find(0, 0.9);
  row.detections.push_back({0, 1, 0.9, {0, 0, 4, 9}});
  const VocScores scores = voc_scores(row.truth, row.detections, VocAveraging::area);
  EXPECT_FALSE(scores.average_precision[1].has_value());
  EXPECT_DOUBLE_EQ(scores.mean.value(), 1);
  row.truth.truths.clear();
  EXPECT_FALSE(voc_scores(row.truth, row.detections, VocAveraging::area).mean.has_value());
}

TEST(VocScores, PropertyAreInTheUnitIntervalAndOneForThePerfectDetector) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    test::Scenes scenes = test::make_scenes(seed, 15, 4);
    for (const VocAveraging averaging : {VocAveraging::area, VocAveraging::eleven_points}) {
      const double mean = voc_scores(scenes.truth, scenes.detections, averaging).mean.value();
      EXPECT_TRUE(mean >= 0 && mean <= 1) << mean;
    }
  }
}

TEST(VocScores, EqualThoseOfAnEstablishedTool) {
  const std::filesystem::path data = std::filesystem::path(OCTAVO_SHARED_DATA) / "images" / "detections";
  if (!std::filesystem::exists(data)) GTEST_SKIP() << "no " << data;
  const TruthSet truth = read_text_truth(data / "ground-truth");
  const VocScores scores =
      voc_scores(truth, read_voc_detections(data / "detection-results", truth), VocAveraging::area);
  EXPECT_NEAR(100 * scores.mean.value(), 31.05, 0.005);
  std::ifstream expected(data / "expected_ap.txt");
  std::size_t compared = 0;
  for (std::string line; std::getline(expected, line);) {
    double percent = 0;
    char sign = 0;
    std::string equals, name, word;
    if (!(std::istringstream(line) >> percent >> sign >> equals >> name >> word) || word != "AP") continue;
    const auto at = std::find_if(truth.categories.begin(), truth.categories.end(),
                                 [&](const auto& category) { return category.name == name; });
    ASSERT_NE(at, truth.categories.end()) << name;
    const auto index = static_cast<std::size_t>(at - truth.categories.begin());
    EXPECT_NEAR(100 * scores.average_precision[index].value(), percent, 0.0051) << name;
    ++compared;
  }
  EXPECT_EQ(compared, truth.categories.size());
}

}  // namespace
}  // namespace octavo::metrics
