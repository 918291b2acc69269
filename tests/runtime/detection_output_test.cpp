// SPDX-License-Identifier: Apache-2.0
// DetectionOutput: equal to its definition, carried out in the plainest way, over generated networks.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include "octavo/error.h"
#include "runtime/steps/boxes.h"
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
      if (!(score > op.confidence_threshold)) continue;
      const std::int64_t at =
          op.share_location ? picture * c.priors + p : (picture * c.priors + p) * op.classes + label;
      candidates.push_back({label, p, score,
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
