// SPDX-License-Identifier: Apache-2.0
// DetectionOutput: equal to its definition, carried out in the plainest way, over generated networks.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include "octavo/error.h"
#include "runtime/steps/boxes.h"
#include "runtime/steps/candidates.h"
#include "runtime/steps/score_order.h"
#include "tests/runtime/one_step.h"

namespace octavo::runtime::test {
namespace {

using graph::BoxCode;
using graph::DetectionOutput;

struct Case {
  DetectionOutput op;
  std::int64_t pictures = 1, priors = 1;
  Tensor location, confidence, prior;
  [[nodiscard]] std::vector<Tensor> inputs() const { return {location, confidence, prior}; }
};

/// `steps`: confidences are multiples of 1 / steps, so that many are equal.
Case make_case(DetectionOutput op, std::int64_t pictures, std::int64_t priors, int steps, std::mt19937& random) {
  Case made{op, pictures, priors, {}, {}, {}};
  const std::int64_t located = op.share_location ? 1 : op.classes;
  made.location = random_tensor({pictures, priors * located * 4}, random, -2.0F, 2.0F);
  made.confidence = random_tensor({pictures, priors * op.classes}, random, 0.0F, 1.0F);
  for (std::int64_t i = 0; i < made.confidence.size(); ++i) {
    made.confidence.data()[i] =
        std::round(made.confidence.data()[i] * static_cast<float>(steps)) / static_cast<float>(steps);
  }
  made.prior = Tensor({1, 2, priors * 4});
  std::uniform_real_distribution<float> place(0.0F, 0.7F), size(0.05F, 0.5F), variance(0.1F, 0.3F);
  for (std::int64_t i = 0; i < priors; ++i) {
    float* box = made.prior.data() + 4 * i;
    box[0] = place(random);
    box[1] = place(random);
    box[2] = box[0] + size(random);
    box[3] = box[1] + size(random);
    for (std::int64_t k = 0; k < 4; ++k) made.prior.data()[4 * priors + 4 * i + k] = variance(random);
  }
  return made;
}

float overlap(const Box& a, const Box& b) {
  const float width = std::min(a.xmax, b.xmax) - std::max(a.xmin, b.xmin);
  const float height = std::min(a.ymax, b.ymax) - std::max(a.ymin, b.ymin);
  if (width <= 0 || height <= 0) return 0;
  const auto area = [](const Box& box) {
    return box.xmax < box.xmin || box.ymax < box.ymin ? 0.0F : (box.xmax - box.xmin) * (box.ymax - box.ymin);
  };
  return width * height / (area(a) + area(b) - width * height);
}

struct Found {
  std::int64_t label, prior;
  float score;
  Box box;
};

/// The definition of graph/ops_detection.h, step by step.
std::vector<Found> detect(const Case& c, std::int64_t picture) {
  const DetectionOutput& op = c.op;
  const float ones[] = {1, 1, 1, 1};
  std::vector<Found> all;
  for (std::int64_t label = 0; label < op.classes; ++label) {
    if (label == op.background) continue;
    std::vector<Found> candidates;
    for (std::int64_t p = 0; p < c.priors; ++p) {
      const float score =
          c.confidence.values()[static_cast<std::size_t>((picture * c.priors + p) * op.classes + label)];
      if (score <= op.confidence_threshold) continue;
      const std::int64_t at =
          op.share_location ? picture * c.priors + p : (picture * c.priors + p) * op.classes + label;
      candidates.push_back({label, p, score_key(score),
                            decode_box(op.code, c.location.data() + 4 * at, c.prior.data() + 4 * p,
                                       op.variance_in_target ? ones : c.prior.data() + 4 * (c.priors + p))});
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Found& a, const Found& b) { return a.score > b.score; });
    if (op.nms_top_k >= 0 && candidates.size() > static_cast<std::size_t>(op.nms_top_k)) {
      candidates.erase(candidates.begin() + op.nms_top_k, candidates.end());
    }
    std::vector<Found> kept;
    float threshold = op.nms_threshold;
    for (const Found& candidate : candidates) {
      const bool apart = std::all_of(kept.begin(), kept.end(),
                                     [&](const Found& k) { return overlap(candidate.box, k.box) <= threshold; });
      if (!apart) continue;
      kept.push_back(candidate);
      if (op.nms_eta < 1 && threshold > 0.5F) threshold *= op.nms_eta;
    }
    all.insert(all.end(), kept.begin(), kept.end());
  }
  if (op.keep_top_k >= 0 && all.size() > static_cast<std::size_t>(op.keep_top_k)) {
    std::stable_sort(all.begin(), all.end(), [](const Found& a, const Found& b) { return a.score > b.score; });
    all.erase(all.begin() + op.keep_top_k, all.end());
    std::stable_sort(all.begin(), all.end(), [](const Found& a, const Found& b) { return a.label < b.label; });
  }
  return all;
}

void expect_definition(const Case& c, int threads) {
  const Tensor y = run_op(c.op, c.inputs(), Layout::plain, 1, threads)[0];
  ASSERT_EQ(y.shape()[0], c.pictures);
  const std::int64_t rows = y.shape()[2];
  for (std::int64_t picture = 0; picture < c.pictures; ++picture) {
    const std::vector<Found> expected = detect(c, picture);
    const float* const confidences = c.confidence.data() + picture * c.priors * c.op.classes;
    ASSERT_LE(static_cast<std::int64_t>(expected.size()), rows);
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* const row = y.data() + (picture * rows + r) * 7;
      std::vector<float> wanted{static_cast<float>(picture), -1, -1, -1, -1, -1, -1};
      if (r < static_cast<std::int64_t>(expected.size())) {
        const Found& f = expected[static_cast<std::size_t>(r)];
        wanted = {static_cast<float>(picture),
                  static_cast<float>(f.label),
                  f.score,
                  f.box.xmin,
                  f.box.ymin,
                  f.box.xmax,
                  f.box.ymax};
      }
      if (std::isnan(row[2])) {
        ASSERT_TRUE(std::isnan(confidences[expected.at(static_cast<std::size_t>(r)).prior * c.op.classes +
                                           expected[static_cast<std::size_t>(r)].label]));
        wanted[2] = row[2];
        ASSERT_EQ(std::memcmp(row, wanted.data(), sizeof(float) * 7), 0) << "picture " << picture << ", row " << r;
        continue;
      }
      ASSERT_EQ(std::vector<float>(row, row + 7), wanted) << "picture " << picture << ", row " << r;
    }
  }
}

class DetectionOutputCases : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Generated, DetectionOutputCases, testing::Range(0U, 120U));

TEST_P(DetectionOutputCases, EqualsItsDefinition) {
  std::mt19937 random(GetParam());
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  DetectionOutput op;
  op.classes = pick(1, 24);
  op.background = pick(-1, op.classes);
  op.share_location = pick(0, 1) == 1;
  op.code = static_cast<BoxCode>(pick(0, 2));
  op.variance_in_target = pick(0, 2) == 0;
  op.nms_threshold = static_cast<float>(pick(0, 10)) / 10;
  op.nms_eta = pick(0, 1) == 0 ? 1.0F : 0.8F;
  op.nms_top_k = pick(0, 2) == 0 ? -1 : pick(1, 60);
  op.keep_top_k = pick(0, 2) == 0 ? -1 : pick(1, 80);
  op.confidence_threshold = static_cast<float>(pick(-1, 9)) / 10;
  const std::int64_t priors = pick(0, 3) == 0 ? pick(500, 1500) : pick(1, 300);
  const Case c = make_case(op, pick(1, 2), priors, pick(0, 1) == 0 ? 7 : 1 << 20, random);
  expect_definition(c, static_cast<int>(pick(1, 3)));
}

/// How the confidences of many priors may lie, so that a sample of them tells much, little, or what is wrong.
enum class Scores {
  few,
  many,
  all_equal,
  two_values,
  ascending,
  descending,
  high_at_the_end,
  high_in_one_class,
  not_numbers
};

void set_scores(Case& c, Scores scores, std::mt19937& random) {
  std::uniform_real_distribution<float> uniform(0.0F, 1.0F);
  const std::int64_t classes = c.op.classes;
  for (std::int64_t p = 0; p < c.priors; ++p) {
    const float along = static_cast<float>(p) / static_cast<float>(c.priors);
    for (std::int64_t label = 0; label < classes; ++label) {
      const float chance = uniform(random);
      float value = chance;
      switch (scores) {
        case Scores::few:
          value = chance < 0.01F ? 1.0F - 10 * chance : 0.01F;
          break;
        case Scores::many:
          break;
        case Scores::all_equal:
          value = 0.5F;
          break;
        case Scores::two_values:
          value = chance < 0.05F ? 0.75F : 0.5F;
          break;
        case Scores::ascending:
          value = along;
          break;
        case Scores::descending:
          value = 1 - along;
          break;
        case Scores::high_at_the_end:
          value = along > 0.99F ? 0.9F + 0.1F * chance : 0.5F * chance;
          break;
        case Scores::high_in_one_class:
          value = label == classes - 1 ? 0.5F + 0.5F * chance : 0.4F * chance;
          break;
        case Scores::not_numbers:
          if (chance < 0.02F) value = std::numeric_limits<float>::quiet_NaN();
          if (chance > 0.98F) value = std::numeric_limits<float>::infinity();
          if (chance > 0.99F) value = -value;
          break;
      }
      c.confidence.data()[p * classes + label] = value;
    }
  }
}

class DetectionOutputOfManyPriors : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Scores, DetectionOutputOfManyPriors, testing::Range(0, 9));

TEST_P(DetectionOutputOfManyPriors, EqualsItsDefinition) {
  for (const std::int64_t top_k : {1, 40, 200, -1}) {
    std::mt19937 random(static_cast<unsigned>(top_k + 1));
    DetectionOutput op;
    op.classes = 3;
    op.code = BoxCode::center_size;
    op.nms_threshold = 0.6F;
    op.nms_eta = top_k == 40 ? 0.9F : 1.0F;
    op.nms_top_k = top_k;
    op.keep_top_k = top_k == 200 ? -1 : 60;
    op.confidence_threshold = 0.02F;
    Case c = make_case(op, 1, top_k < 0 ? 600 : 5000, 1, random);
    set_scores(c, static_cast<Scores>(GetParam()), random);
    SCOPED_TRACE(top_k);
    expect_definition(c, 1 + GetParam() % 2);
  }
}

/// The places that a sample of the priors takes are no secret: here these, and no others, are high.
TEST(DetectionOutput, ASampleThatMisleadsChangesNothing) {
  std::mt19937 random(5);
  DetectionOutput op;
  op.classes = 2;
  op.nms_top_k = 200;
  op.keep_top_k = 150;
  op.confidence_threshold = 0.1F;
  for (const bool high : {true, false}) {
    Case c = make_case(op, 1, 8000, 1, random);
    std::uniform_real_distribution<float> uniform(0.2F, 0.3F);
    const CandidateFinder finder(c.priors, op.classes, op.background, op.nms_top_k, op.confidence_threshold);
    ASSERT_GT(finder.samples(), 0);
    for (std::int64_t p = 0; p < c.priors; ++p) c.confidence.data()[2 * p + 1] = uniform(random) + (high ? 0.0F : 0.5F);
    for (std::int64_t i = 0; i < finder.samples(); ++i) {
      const std::int64_t p = finder.sampled_prior(i);
      c.confidence.data()[2 * p + 1] = uniform(random) + (i % 40 == 0 || !high ? 0.0F : 0.5F);
    }
    expect_definition(c, 1);
  }
}

/// Nearly nothing is kept, so every class is looked at to its end.
TEST(DetectionOutput, ManyClassesWhoseBoxesAreAllAlike) {
  std::mt19937 random(7);
  DetectionOutput op;
  op.classes = 100;
  op.nms_top_k = 20;
  op.keep_top_k = 150;
  Case c = make_case(op, 1, 30, 1 << 20, random);
  std::fill_n(c.location.data(), c.location.size(), 0.0F);
  for (std::int64_t i = 4; i < 4 * c.priors; ++i) c.prior.data()[i] = c.prior.data()[i - 4];
  expect_definition(c, 1);
}

TEST(ScoreOrder, EqualsComparing) {
  std::mt19937 random(6);
  for (const std::int64_t count : {1, 2, 64, 65, 300, 2000}) {
    for (const int kind : {0, 1, 2}) {
      std::vector<ScoredBox> boxes(static_cast<std::size_t>(count)), spare(boxes.size());
      std::vector<float> scores(boxes.size());
      for (std::size_t i = 0; i < boxes.size(); ++i) {
        const auto drawn = static_cast<std::uint32_t>(random());
        const auto any = std::bit_cast<float>(drawn);  // denormals, infinities and both signs
        const float few =
            (static_cast<float>(drawn % 5) - 2.0F) * 0.5F * (drawn % 2 == 0 ? -1.0F : 1.0F);  // zeros, too
        boxes[i] = {kind == 0 ? score_key(any) : kind == 1 ? few : 0.5F, static_cast<std::int32_t>(3 * i)};
      }
      std::vector<ScoredBox> expected = boxes;
      std::sort(expected.begin(), expected.end(), comes_first);
      const auto equal = [](const ScoredBox& a, const ScoredBox& b) {
        return a.score == b.score && a.index == b.index;
      };

      std::vector<ScoredBox> sorted = boxes;
      sort_by_score(sorted.data(), count, spare.data());
      EXPECT_TRUE(std::equal(sorted.begin(), sorted.end(), expected.begin(), equal)) << count << ", " << kind;

      const std::int64_t best = count / 3;
      if (best == 0) continue;
      EXPECT_EQ(keep_best_scores(boxes.data(), count, best, scores.data()),
                expected[static_cast<std::size_t>(best) - 1].score);
      const auto by_index = [](const ScoredBox& a, const ScoredBox& b) { return a.index < b.index; };
      std::sort(expected.begin(), expected.begin() + best, by_index);
      EXPECT_TRUE(std::equal(expected.begin(), expected.begin() + best, boxes.begin(), equal)) << count << ", " << kind;
    }
  }
}

DetectionOutput two_classes() {
  DetectionOutput op;
  op.classes = 2;
  op.code = BoxCode::center_size;
  op.nms_top_k = 4;
  op.keep_top_k = 3;
  op.confidence_threshold = 0.5F;
  return op;
}

TEST(DetectionOutput, WithoutDetectionsEveryRowHasNoClass) {
  std::mt19937 random(1);
  DetectionOutput op = two_classes();
  op.confidence_threshold = 2.0F;
  const Tensor y = run_op(op, make_case(op, 2, 9, 100, random).inputs(), Layout::plain)[0];
  for (std::int64_t r = 0; r < 6; ++r) {
    EXPECT_EQ(y.data()[r * 7], r < 3 ? 0.0F : 1.0F);
    EXPECT_EQ(y.data()[r * 7 + 1], -1.0F);
  }
}

TEST(DetectionOutput, ANanConfidenceShowsInsteadOfHiding) {
  std::mt19937 random(2);
  Case c = make_case(two_classes(), 1, 30, 100, random);
  c.confidence.data()[2 * 17 + 1] = std::numeric_limits<float>::quiet_NaN();
  const Tensor y = run_op(c.op, c.inputs(), Layout::plain)[0];
  EXPECT_EQ(y.data()[1], 1.0F);
  EXPECT_TRUE(std::isnan(y.data()[2]));
}

TEST(DetectionOutput, BoxesThatAreNotFiniteDoNoHarm) {
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(), 1e30F}) {
    std::mt19937 random(3);
    Case c = make_case(two_classes(), 1, 30, 100, random);
    for (std::int64_t i = 0; i < c.location.size(); i += 3) c.location.data()[i] = bad;
    const Tensor y = run_op(c.op, c.inputs(), Layout::plain)[0];
    EXPECT_EQ(y.size(), 21);
  }
}

TEST(DetectionOutput, AnInputOfAnotherSizeIsRefused) {
  std::mt19937 random(4);
  Case c = make_case(two_classes(), 1, 30, 100, random);
  c.confidence = Tensor({1, 61});
  EXPECT_THROW((void)run_op(c.op, c.inputs(), Layout::plain), Error);
}

}  // namespace
}  // namespace octavo::runtime::test
