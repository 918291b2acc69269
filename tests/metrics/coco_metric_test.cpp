// SPDX-License-Identifier: Apache-2.0
// COCO's numbers: equal to what pycocotools computes for the same files (check_coco compares more of them, where it
// is installed), and right where they can be told without it.
#include "tools/metrics/coco_metric.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/metrics/scenes.h"

namespace octavo::metrics {
namespace {

using test::make_scenes;
using test::Scenes;

std::array<CocoScores::Mean, 12> in_order(const CocoScores& s) {
  return {s.ap,  s.ap50, s.ap75,  s.ap_small, s.ap_medium, s.ap_large,
          s.ar1, s.ar10, s.ar100, s.ar_small, s.ar_medium, s.ar_large};
}

struct Known {
  std::uint64_t seed;
  std::size_t images, categories;
  std::array<double, 12> values;  ///< by pycocotools 2.0
};

const Known kKnown[] = {
#include "tests/metrics/known_coco_scores.inc"
};

TEST(CocoScores, EqualThoseOfPycocotools) {
  for (const Known& known : kKnown) {
    const Scenes scenes = make_scenes(known.seed, known.images, known.categories);
    const auto scores = in_order(coco_scores(scenes.truth, scenes.detections));
    for (std::size_t i = 0; i < scores.size(); ++i) {
      EXPECT_NEAR(scores.at(i).value_or(-1), known.values.at(i), 1e-9) << "seed " << known.seed << ", number " << i;
    }
  }
}

TEST(CocoScores, ThePerfectDetectorHasEverything) {
  Scenes scenes = make_scenes(5, 20, 4);
  scenes.detections.clear();
  for (const Truth& object : scenes.truth.truths) {
    if (!object.crowd) scenes.detections.push_back({object.image, object.category, 0.9, object.box});
  }
  const CocoScores scores = coco_scores(scenes.truth, scenes.detections);
  for (const auto& score : {scores.ap, scores.ap50, scores.ap75, scores.ar100}) EXPECT_DOUBLE_EQ(score.value(), 1);
  for (const auto& score : scores.ap_of_category) EXPECT_DOUBLE_EQ(score.value(), 1);
}

TEST(CocoScores, SizesAtABorderAreOfBothRanges) {
  Scenes scenes;
  scenes.truth.images.push_back({"a", 1, 640, 480});
  scenes.truth.categories.push_back({"thing", 1});
  for (const auto& [area, ranges] : {std::pair{32.0 * 32, 0b011}, {96.0 * 96, 0b110}, {32.0 * 32 - 1, 0b001}}) {
    scenes.truth.truths = {{0, 0, {0, 0, 100, 100}, area, false, false}};
    const CocoScores scores = coco_scores(scenes.truth, {});
    EXPECT_EQ(scores.ap_small.has_value(), (ranges & 0b001) != 0) << area;
    EXPECT_EQ(scores.ap_medium.has_value(), (ranges & 0b010) != 0) << area;
    EXPECT_EQ(scores.ap_large.has_value(), (ranges & 0b100) != 0) << area;
  }
}

TEST(CocoScores, WithoutDetectionsAreZeroAndWithoutObjectsNothing) {
  const Scenes scenes = make_scenes(6, 20, 4);
  EXPECT_EQ(coco_scores(scenes.truth, {}).ap.value(), 0);
  TruthSet empty = scenes.truth;
  empty.truths.clear();
  EXPECT_FALSE(coco_scores(empty, scenes.detections).ap.has_value());
}

TEST(CocoScores, PropertyDetectionsOfLowerScoreThanAllNeverRaiseNorLowerRecallOfOthers) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Scenes scenes = make_scenes(seed, 12, 3);
    const double before = coco_scores(scenes.truth, scenes.detections).ar100.value_or(0);
    scenes.detections.push_back({0, 0, -1.0, {1, 1, 2, 2}});
    EXPECT_GE(coco_scores(scenes.truth, scenes.detections).ar100.value_or(0), before);
  }
}

}  // namespace
}  // namespace octavo::metrics
