// SPDX-License-Identifier: Apache-2.0
// ONNX networks that go on with what a detector found, of which only a run tells how much it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "graph/import/onnx.h"
#include "octavo/octavo.h"
#include "tests/graph/onnx_files.h"
#include "tests/runtime/round_trip.h"

namespace octavo::test {
namespace {

using graph::OnnxFiles;
using graph::OnnxModel;

/// The end of a detector as PyTorch writes it: candidates above a threshold, the best of them, non-maximum suppression,
/// and the boxes and scores of what that leaves; how many rows each step has, only a run tells.
OnnxModel end_of_a_detector(std::int64_t candidates, std::int64_t best, std::int64_t most) {
  OnnxModel model;
  model.input("boxes", {candidates, 4});
  model.input("scores", {candidates});
  model.node("Greater", {"scores", model.floats("threshold", {}, {0.5F})}, "is_good");
  model.node("NonZero", {"is_good"}, "places_by_axis");
  model.node("Transpose", {"places_by_axis"}, "places");
  model.node("GatherND", {"scores", "places"}, "good_scores");
  model.node("GatherND", {"boxes", "places"}, "good_boxes");
  model.node("Shape", {"good_scores"}, "count");
  model.node("Concat", {"count", model.integers("best", {best})}, "limits",
             [](auto n) { n.set("axis", std::int64_t{0}); });
  model.node("ReduceMin", {"limits"}, "k");
  model.writer().node("TopK", "order", {"good_scores", "k"}, {"best_scores", "order"});
  model.node("Gather", {"good_boxes", "order"}, "best_boxes");
  model.node("Unsqueeze", {"best_boxes", model.integers("first", {0})}, "boxes_of_picture");
  model.node("Unsqueeze", {"best_scores", model.integers("both", {0, 1})}, "scores_of_picture");
  model.node("NonMaxSuppression",
             {"boxes_of_picture", "scores_of_picture", model.integers("all", {candidates}),
              model.floats("overlap", {}, {0.3F})},
             "kept");
  model.node("Gather", {"kept", model.integers("column", {2})}, "kept_column",
             [](auto n) { n.set("axis", std::int64_t{1}); });
  model.node("Squeeze", {"kept_column", model.integers("last", {1})}, "kept_places");
  model.node("Slice", {"kept_places", model.integers("from", {0}), model.integers("most", {most})}, "found");
  model.node("Gather", {"best_boxes", "found"}, "found_boxes");
  model.node("Gather", {"best_scores", "found"}, "found_scores");
  model.node("Unsqueeze", {"found_scores", model.integers("back", {1})}, "score_column");
  model.node("Concat", {"found_boxes", "score_column"}, "y", [](auto n) { n.set("axis", std::int64_t{1}); });
  return model;
}

/// The same by plain loops: rows of a box and its score.
std::vector<float> found_by_hand(const Values& boxes, const Values& scores, std::size_t best, std::size_t most) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < scores.numbers.size(); ++i) {
    if (scores.numbers[i] > 0.5F) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores.numbers[a] > scores.numbers[b]; });
  order.resize(std::min(order.size(), best));
  const auto overlap = [&](std::size_t a, std::size_t b) {
    const float *p = &boxes.numbers[4 * a], *q = &boxes.numbers[4 * b];
    const auto shared = [&](int d) { return std::max(0.0F, std::min(p[d + 2], q[d + 2]) - std::max(p[d], q[d])); };
    const float both = shared(0) * shared(1);
    return both / ((p[2] - p[0]) * (p[3] - p[1]) + (q[2] - q[0]) * (q[3] - q[1]) - both);
  };
  std::vector<std::size_t> kept;
  std::vector<float> rows;
  for (const std::size_t i : order) {
    if (std::any_of(kept.begin(), kept.end(), [&](auto k) { return overlap(i, k) > 0.3F; })) continue;
    kept.push_back(i);
    if (kept.size() > most) continue;
    rows.insert(rows.end(), &boxes.numbers[4 * i], &boxes.numbers[4 * i] + 4);
    rows.push_back(scores.numbers[i]);
  }
  return rows;
}

TEST(OnnxOpenValues, GoOnWithAsManyBoxesAsADetectorFound) {
  const OnnxFiles files;
  constexpr std::int64_t kCandidates = 40, kBest = 12, kMost = 5;
  const std::string bytes = end_of_a_detector(kCandidates, kBest, kMost).finish("y").SerializeAsString();
  const Graph graph = graph::import_onnx(files.write("end.onnx", bytes));
  std::size_t seen_none = 0, seen_some = 0, seen_all = 0;
  for (const float scale : {0.4F, 0.505F, 0.55F, 0.8F, 2.0F}) {
    Values boxes{{kCandidates, 4}, {}}, scores{{kCandidates}, {}};
    for (std::int64_t i = 0; i < kCandidates; ++i) {
      const auto at = static_cast<float>(i * 7 % 11), down = static_cast<float>(i * 5 % 13);
      boxes.numbers.insert(boxes.numbers.end(), {at, down, at + 3.0F, down + 2.0F + at / 4});
      scores.numbers.push_back(scale * static_cast<float>(i * 17 % 41) / 41.0F);
    }
    scores.numbers[7] = std::numeric_limits<float>::quiet_NaN();  // no candidate
    std::vector<float> expected = found_by_hand(boxes, scores, kBest, kMost);
    ++(expected.empty() ? seen_none : expected.size() < 5 * kMost ? seen_some : seen_all);
    expected.resize(5 * kMost, -1.0F);
    EXPECT_EQ(run(graph, {boxes, scores}).numbers, expected) << "scale " << scale;
  }
  EXPECT_TRUE(seen_none > 0 && seen_some > 0 && seen_all > 0);
}

/// Rows at places that the network computes, of which those above a threshold count, as a pyramid's levels are merged.
TEST(OnnxOpenValues, PutRowsAtPlacesThatTheyCompute) {
  const OnnxFiles files;
  OnnxModel model;
  model.input("x", {5, 2});
  model.input("levels", {5});
  model.node("Equal", {"levels", model.floats("level", {}, {2.0F})}, "is_here");
  model.node("NonZero", {"is_here"}, "places_by_axis");
  model.node("Squeeze", {"places_by_axis", model.integers("first", {0})}, "places");
  model.node("Gather", {"x", "places"}, "rows");
  model.node("Mul", {"rows", model.floats("ten", {}, {10.0F})}, "updates");
  model.node("Reshape", {"places", model.integers("column", {-1, 1})}, "column_of_places");
  model.node("Shape", {"updates"}, "size");
  model.node("Expand", {"column_of_places", "size"}, "indices");
  model.node("ScatterElements", {"x", "indices", "updates"}, "y");
  const Graph graph = graph::import_onnx(files.write("levels.onnx", model.finish("y").SerializeAsString()));
  const Values x{{5, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}};
  EXPECT_EQ(run(graph, {x, {{5}, {1, 2, 0, 2, 1}}}).numbers, (std::vector<float>{1, 2, 30, 40, 5, 6, 70, 80, 9, 10}));
  EXPECT_EQ(run(graph, {x, {{5}, {1, 1, 1, 1, 1}}}).numbers, x.numbers);
}

}  // namespace
}  // namespace octavo::test
