// SPDX-License-Identifier: Apache-2.0
// Normalize, PriorBox, Proposal, RoiPooling, RoiAlign and NonMaxSuppression: equal to plain loops over generated
// shapes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tests/runtime/one_step.h"

namespace octavo::runtime::test {
namespace {

class Dice {
 public:
  explicit Dice(unsigned seed) : random(seed) {}
  std::int64_t in(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  }
  float real(float low, float high) { return std::uniform_real_distribution<float>(low, high)(random); }
  std::mt19937 random;
};

class DetectionOps : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Generated, DetectionOps, testing::Range(0U, 40U));

TEST_P(DetectionOps, NormalizeDividesByTheRootOfTheSquares) {
  Dice dice(GetParam());
  const Shape shape{dice.in(1, 3), dice.in(1, 70), dice.in(1, 6), dice.in(1, 6)};
  graph::Normalize op;
  op.across_spatial = dice.in(0, 1) == 1;
  op.epsilon = dice.in(0, 1) == 1 ? 1e-10F : 0.5F;
  const std::int64_t factors = dice.in(0, 1) == 1 ? shape[1] : 1;
  const Tensor given = random_tensor({factors}, dice.random);
  op.factor = graph::make_blob({factors}, {given.values().begin(), given.values().end()});
  const Tensor x = random_tensor(shape, dice.random);
  const Tensor y = run_op(op, {x}, Layout::nhwc, 1, static_cast<int>(dice.in(1, 2)))[0];
  for (Index index(shape); index; ++index) {
    double sum = op.epsilon;
    for (Index other(shape); other; ++other) {
      const bool counts = (*other)[0] == (*index)[0] &&
                          (op.across_spatial || ((*other)[2] == (*index)[2] && (*other)[3] == (*index)[3]));
      if (counts) sum += std::pow(static_cast<double>(at(x, *other)), 2);
    }
    const auto channel = static_cast<std::size_t>(factors == 1 ? 0 : (*index)[1]);
    const double expected = at(x, *index) / std::sqrt(sum) * given.values()[channel];
    ASSERT_NEAR(at(y, *index), expected, 2e-6 * std::max(1.0, std::fabs(expected)));
  }
}

/// The boxes and variances at one place of the list.
std::vector<float> prior_at(const Tensor& y, std::int64_t index) {
  const float* from = y.data() + 4 * index;
  std::vector<float> numbers(from, from + 4);
  from += y.size() / 2;
  numbers.insert(numbers.end(), from, from + 4);
  return numbers;
}

TEST_P(DetectionOps, PriorBoxWalksCellsThenSizesThenRatios) {
  Dice dice(GetParam() + 100);
  graph::PriorBox op;
  const std::int64_t sizes = dice.in(1, 3);
  for (std::int64_t i = 0; i < sizes; ++i) op.min_sizes.push_back(dice.real(5, 60));
  if (dice.in(0, 1) == 1) {
    for (const float size : op.min_sizes) op.max_sizes.push_back(size + dice.real(1, 30));
  }
  for (std::int64_t i = dice.in(0, 4); i > 0; --i) op.aspect_ratios.push_back(dice.real(0.2F, 4));
  if (dice.in(0, 1) == 1) op.variances = {0.1F, 0.15F, 0.2F, 0.25F};
  op.clip = dice.in(0, 1) == 1;
  op.truncate_sizes = dice.in(0, 1) == 1;
  if (dice.in(0, 1) == 1) {
    op.image_h = 200;
    op.image_w = 300;
  }
  if (dice.in(0, 1) == 1) {
    op.step_h = 16;
    op.step_w = 8;
  }
  op.offset = dice.real(0, 1);
  const Tensor map({1, 2, dice.in(1, 4), dice.in(1, 5)}), picture({1, 3, 97, 131});
  const Tensor y = run_op(op, {map, picture}, Layout::plain)[0];

  const double image_h = op.image_h > 0 ? op.image_h : 97, image_w = op.image_w > 0 ? op.image_w : 131;
  const double step_h = op.step_h > 0 ? op.step_h : image_h / static_cast<double>(map.shape()[2]);
  const double step_w = op.step_w > 0 ? op.step_w : image_w / static_cast<double>(map.shape()[3]);
  std::int64_t made = 0;
  for (std::int64_t row = 0; row < map.shape()[2]; ++row) {
    for (std::int64_t column = 0; column < map.shape()[3]; ++column) {
      const auto expect_box = [&](double width, double height) {
        const double x = (static_cast<double>(column) + op.offset) * step_w,
                     y_ = (static_cast<double>(row) + op.offset) * step_h;
        std::vector<double> box{(x - width / 2) / image_w, (y_ - height / 2) / image_h, (x + width / 2) / image_w,
                                (y_ + height / 2) / image_h};
        const std::vector<float> got = prior_at(y, made++);
        for (std::size_t k = 0; k < 4; ++k) {
          const double wanted = op.clip ? std::clamp(box[k], 0.0, 1.0) : box[k];
          ASSERT_NEAR(got[k], wanted, 1e-5);
          ASSERT_EQ(got[4 + k], op.variances[op.variances.size() == 1 ? 0 : k]);
        }
      };
      for (std::size_t i = 0; i < op.min_sizes.size(); ++i) {
        const double least = op.truncate_sizes ? std::floor(op.min_sizes[i]) : op.min_sizes[i];
        expect_box(least, least);
        if (!op.max_sizes.empty()) {
          const double most = op.truncate_sizes ? std::floor(op.max_sizes[i]) : op.max_sizes[i];
          expect_box(std::sqrt(least * most), std::sqrt(least * most));
        }
        for (const double ratio : op.aspect_ratios) expect_box(least * std::sqrt(ratio), least / std::sqrt(ratio));
      }
    }
  }
  EXPECT_EQ(made * 8, y.size());
}

double pooled(const Tensor& x, const std::vector<float>& region, const graph::RoiPooling& op, const Shape& index) {
  if (region[0] < 0 || region[0] >= static_cast<float>(x.shape()[0])) return 0;
  const auto span = [&](float low, float high, std::int64_t part, std::int64_t parts, std::int64_t cells) {
    const double first = std::round(low * op.spatial_scale), last = std::round(high * op.spatial_scale);
    const float size = static_cast<float>(std::max(last - first + 1, 1.0)) / static_cast<float>(parts);
    const double begin = std::floor(static_cast<float>(part) * size) + first;
    const double end = std::ceil(static_cast<float>(part + 1) * size) + first;
    return std::pair{std::clamp(begin, 0.0, static_cast<double>(cells)),
                     std::clamp(end, 0.0, static_cast<double>(cells))};
  };
  const auto [top, bottom] = span(region[2], region[4], index[2], op.pooled_h, x.shape()[2]);
  const auto [left, right] = span(region[1], region[3], index[3], op.pooled_w, x.shape()[3]);
  double most = -std::numeric_limits<double>::infinity();
  for (auto row = static_cast<std::int64_t>(top); row < static_cast<std::int64_t>(bottom); ++row) {
    for (auto column = static_cast<std::int64_t>(left); column < static_cast<std::int64_t>(right); ++column) {
      most = std::max<double>(most, at(x, {static_cast<std::int64_t>(region[0]), index[1], row, column}));
    }
  }
  return std::isinf(most) ? 0 : most;
}

TEST_P(DetectionOps, RoiPoolingTakesTheMaximumOfEachPart) {
  Dice dice(GetParam() + 200);
  const Tensor x = random_tensor({dice.in(1, 2), dice.in(1, 20), dice.in(1, 12), dice.in(1, 12)}, dice.random);
  graph::RoiPooling op{dice.in(1, 4), dice.in(1, 4), 0.0625F};
  Tensor regions({dice.in(1, 5), 5});
  for (std::int64_t r = 0; r < regions.shape()[0]; ++r) {
    float* region = regions.data() + 5 * r;
    region[0] = static_cast<float>(dice.in(-1, 2));
    for (int k = 1; k < 5; ++k) region[k] = dice.real(-60, 260);  // beyond the map, and the wrong way round
  }
  const Tensor y = run_op(op, {x, regions}, Layout::nhwc, 1, 2)[0];
  for (Index index(y.shape()); index; ++index) {
    const float* region = regions.data() + 5 * (*index)[0];
    ASSERT_EQ(at(y, *index), pooled(x, {region, region + 5}, op, *index));
  }
}

TEST(RoiPooling, RegionsThatAreNotNumbersGiveNoCrash) {
  const float hostile[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -3e38F,
                           3e38F};
  for (const float value : hostile) {
    const Tensor regions({2, 5}, {0, value, value, value, value, value, 0, 0, 9, 9});
    EXPECT_EQ(run_op(graph::RoiPooling{2, 2, 1.0F}, {Tensor({1, 3, 4, 4}), regions}, Layout::nhwc)[0].size(), 24);
  }
}

/// Bilinear, of the map with its outermost cells repeated half a cell outside; 0 beyond a whole one.
double between(const Tensor& x, std::int64_t picture, std::int64_t channel, double row, double column) {
  const double height = static_cast<double>(x.shape()[2]), width = static_cast<double>(x.shape()[3]);
  if (row < -1 || row > height || column < -1 || column > width) return 0;
  row = std::clamp(row, 0.0, height - 1);
  column = std::clamp(column, 0.0, width - 1);
  double sum = 0;
  for (std::int64_t r = 0; r < x.shape()[2]; ++r) {
    for (std::int64_t c = 0; c < x.shape()[3]; ++c) {
      const double near_row = std::max(0.0, 1 - std::fabs(row - static_cast<double>(r)));
      const double near_column = std::max(0.0, 1 - std::fabs(column - static_cast<double>(c)));
      sum += near_row * near_column * at(x, {picture, channel, r, c});
    }
  }
  return sum;
}

TEST_P(DetectionOps, RoiAlignIsTheMeanOfPointsBetweenTheCells) {
  Dice dice(GetParam() + 300);
  const Tensor x = random_tensor({dice.in(1, 2), dice.in(1, 20), dice.in(1, 7), dice.in(1, 7)}, dice.random);
  graph::RoiAlign op{dice.in(1, 3), dice.in(1, 3), dice.in(1, 3), 0.5F};
  op.half_pixel = dice.in(0, 1) == 1;
  const std::int64_t regions = dice.in(1, 4);
  const Tensor places = random_tensor({regions, 4}, dice.random, -6.0F, 18.0F);
  Tensor pictures({regions});
  for (std::int64_t r = 0; r < regions; ++r) pictures.data()[r] = static_cast<float>(dice.in(-1, 2));
  const Tensor y = run_op(op, {x, places, pictures}, Layout::nhwc, 1, 2)[0];
  for (Index index(y.shape()); index; ++index) {
    const float* place = places.data() + 4 * (*index)[0];
    const auto picture = static_cast<std::int64_t>(pictures.data()[(*index)[0]]);
    double expected = 0;
    const auto point = [&](int low, std::int64_t part, std::int64_t parts, std::int64_t i) {
      const double begin = place[low] * 0.5 - (op.half_pixel ? 0.5 : 0.0);
      double length = (static_cast<double>(place[low + 2]) - static_cast<double>(place[low])) * 0.5;
      if (!op.half_pixel) length = std::max(length, 1.0);
      const double step = length / static_cast<double>(parts);
      return begin + step * (static_cast<double>(part) +
                             (static_cast<double>(i) + 0.5) / static_cast<double>(op.sampling_ratio));
    };
    for (std::int64_t i = 0; i < op.sampling_ratio * op.sampling_ratio && picture >= 0 && picture < x.shape()[0]; ++i) {
      const double row = point(1, (*index)[2], op.pooled_h, i / op.sampling_ratio);
      const double column = point(0, (*index)[3], op.pooled_w, i % op.sampling_ratio);
      expected += between(x, picture, (*index)[1], row, column);
    }
    expected /= static_cast<double>(op.sampling_ratio * op.sampling_ratio);
    ASSERT_NEAR(at(y, *index), expected, 2e-5);
  }
}

TEST(RoiAlign, RegionsThatAreNotNumbersGiveNoCrash) {
  const float hostile[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -3e38F,
                           3e38F};
  for (const float value : hostile) {
    for (const bool maximum : {false, true}) {
      const Tensor regions({2, 4}, {value, value, value, value, 0, value, 9, 9}), pictures({2}, {0, value});
      const graph::RoiAlign op{.pooled_h = 2, .pooled_w = 2, .maximum = maximum};
      EXPECT_EQ(run_op(op, {Tensor({1, 3, 4, 4}), regions, pictures}, Layout::nhwc)[0].size(), 24);
    }
  }
}

/// Shared part of the union of two boxes y1, x1, y2, x2.
double overlap(const float* a, const float* b) {
  const auto [top, bottom] = std::pair{std::max(a[0], b[0]), std::min(a[2], b[2])};
  const auto [left, right] = std::pair{std::max(a[1], b[1]), std::min(a[3], b[3])};
  if (top >= bottom || left >= right) return 0;
  const double shared = static_cast<double>(bottom - top) * static_cast<double>(right - left);
  const auto area = [](const float* box) {
    return static_cast<double>(box[2] - box[0]) * static_cast<double>(box[3] - box[1]);
  };
  return shared / (area(a) + area(b) - shared);
}

TEST_P(DetectionOps, NonMaxSuppressionKeepsTheBestBoxesApart) {
  Dice dice(GetParam() + 400);
  const std::int64_t pictures = dice.in(1, 2), classes = dice.in(1, 3), count = dice.in(1, 90);
  graph::NonMaxSuppression op{.max_per_class = dice.in(1, 8), .iou_threshold = dice.real(0.1F, 0.6F)};
  op.has_score_threshold = dice.in(0, 1) == 1;
  op.score_threshold = 0.4F;
  Tensor boxes({pictures, count, 4}), flipped({pictures, count, 4});
  for (std::int64_t b = 0; b < pictures * count; ++b) {
    float* box = boxes.data() + 4 * b;
    for (int k = 0; k < 2; ++k) {
      box[k] = dice.real(0, 10);
      box[k + 2] = box[k] + dice.real(1, 5);
    }
    const bool turned = dice.in(0, 1) == 1;  // any two opposite corners will do
    for (int k = 0; k < 4; ++k) flipped.data()[4 * b + k] = box[turned ? (k + 2) % 4 : k];
  }
  const Tensor scores = random_tensor({pictures, classes, count}, dice.random, 0.0F, 1.0F);
  std::vector<float> expected;
  for (std::int64_t p = 0; p < pictures; ++p) {
    for (std::int64_t c = 0; c < classes; ++c) {
      std::vector<std::int64_t> order, kept;
      for (std::int64_t b = 0; b < count; ++b) {
        if (!op.has_score_threshold || at(scores, {p, c, b}) > op.score_threshold) order.push_back(b);
      }
      std::sort(order.begin(), order.end(), [&](auto a, auto b) {
        return at(scores, {p, c, a}) > at(scores, {p, c, b});
      });
      for (const std::int64_t b : order) {
        const float* box = boxes.data() + 4 * (p * count + b);
        const bool apart = std::none_of(kept.begin(), kept.end(), [&](std::int64_t other) {
          return overlap(box, boxes.data() + 4 * (p * count + other)) > static_cast<double>(op.iou_threshold);
        });
        if (!apart || static_cast<std::int64_t>(kept.size()) == op.max_per_class) continue;
        kept.push_back(b);
        for (const std::int64_t number : {p, c, b}) expected.push_back(static_cast<float>(number));
      }
    }
  }
  const Tensor rows = run_op(op, {flipped, scores}, Layout::plain)[0];
  EXPECT_EQ(rows.shape(), (Shape{pictures * classes * std::min(op.max_per_class, count), 3}));
  expected.resize(static_cast<std::size_t>(rows.size()), -1.0F);
  EXPECT_THAT(rows.values(), testing::ElementsAreArray(expected));
}

struct Region {
  float score, xmin, ymin, xmax, ymax;
};

/// In whole pixels: a box of one pixel has a width of 1.
float overlap_of(const Region& a, const Region& b) {
  const float width = std::min(a.xmax, b.xmax) - std::max(a.xmin, b.xmin) + 1;
  const float height = std::min(a.ymax, b.ymax) - std::max(a.ymin, b.ymin) + 1;
  const auto area = [](const Region& r) { return (r.xmax - r.xmin + 1) * (r.ymax - r.ymin + 1); };
  const float shared = width > 0 && height > 0 ? width * height : 0;
  return shared / (area(a) + area(b) - shared);
}

/// Every anchor at every cell, moved, clipped, and kept where it is large enough: in the order of cells, then anchors.
std::vector<Region> moved_anchors(const graph::Proposal& op, const Tensor& scores, const Tensor& deltas,
                                  const Tensor& picture) {
  std::vector<Region> regions;
  const std::int64_t height = scores.shape()[2], width = scores.shape()[3], plane = height * width;
  const auto anchors = static_cast<std::int64_t>(op.ratios.size() * op.scales.size());
  for (std::int64_t cell = 0; cell < plane; ++cell) {
    for (std::int64_t a = 0; a < anchors; ++a) {
      const float ratio = op.ratios[static_cast<std::size_t>(a) / op.scales.size()];
      const float scale = op.scales[static_cast<std::size_t>(a) % op.scales.size()];
      const float base = static_cast<float>(op.base_size);
      // The published anchors: a side is rounded before it is scaled; a box that is moved by nothing grows by a pixel.
      const float w = std::nearbyint(std::sqrt(base * base / ratio)), h = std::nearbyint(w * ratio);
      const auto delta = [&](std::int64_t i) { return deltas.data()[(4 * a + i) * plane + cell]; };
      const auto corner = [&](std::int64_t at, float side) {
        return static_cast<float>(at * op.feat_stride) + (base - 1) / 2 - (side * scale - 1) / 2;
      };
      const float x = corner(cell % width, w) + (0.5F + delta(0)) * w * scale;
      const float y = corner(cell / width, h) + (0.5F + delta(1)) * h * scale;
      const float half_w = 0.5F * std::exp(delta(2)) * w * scale, half_h = 0.5F * std::exp(delta(3)) * h * scale;
      const auto clipped = [](float at, float side) { return std::clamp(at, 0.0F, side - 1); };
      const Region region{scores.data()[(anchors + a) * plane + cell], clipped(x - half_w, picture.data()[1]),
                          clipped(y - half_h, picture.data()[0]), clipped(x + half_w, picture.data()[1]),
                          clipped(y + half_h, picture.data()[0])};
      const float least = op.min_size * picture.data()[2];
      if (region.xmax - region.xmin + 1 >= least && region.ymax - region.ymin + 1 >= least) regions.push_back(region);
    }
  }
  return regions;
}

TEST_P(DetectionOps, ProposalsAreTheBestApartBoxes) {
  Dice dice(GetParam() + 300);
  graph::Proposal op;
  op.feat_stride = 8;
  op.pre_nms_top_n = dice.in(1, 60);
  op.post_nms_top_n = dice.in(1, 30);
  op.nms_threshold = dice.real(0.2F, 0.9F);
  op.scales = {1.0F, 3.0F};
  const std::int64_t anchors = 6, height = dice.in(1, 6), width = dice.in(1, 6);
  const Tensor scores = random_tensor({1, 2 * anchors, height, width}, dice.random, 0, 1);
  const Tensor deltas = random_tensor({1, 4 * anchors, height, width}, dice.random, -0.5F, 0.5F);
  const Tensor picture(
      {1, 3}, {static_cast<float>(8 * height), static_cast<float>(8 * width), dice.in(0, 1) == 0 ? 1.0F : 0.7F});
  std::vector<Region> regions = moved_anchors(op, scores, deltas, picture);
  if (dice.in(0, 1) == 0 && regions.size() > 1) {  // all but one
    op.pre_nms_top_n = static_cast<std::int64_t>(regions.size()) - 1;
    op.post_nms_top_n = op.pre_nms_top_n + 1;
  }
  const Tensor y = run_op(op, {scores, deltas, picture}, Layout::plain)[0];

  std::stable_sort(regions.begin(), regions.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  regions.resize(std::min(regions.size(), static_cast<std::size_t>(op.pre_nms_top_n)));
  std::vector<Region> kept;
  for (const Region& region : regions) {
    if (std::any_of(kept.begin(), kept.end(),
                    [&](const Region& better) { return overlap_of(better, region) > op.nms_threshold; })) {
      continue;
    }
    kept.push_back(region);
  }
  for (std::int64_t r = 0; r < op.post_nms_top_n; ++r) {
    const float* const row = y.data() + 5 * r;
    const std::vector<float> found(row, row + 5);
    if (r >= static_cast<std::int64_t>(kept.size())) {
      EXPECT_THAT(found, testing::ElementsAre(-1, 0, 0, 0, 0)) << "a box behind the end";
      continue;
    }
    const Region& expected = kept[static_cast<std::size_t>(r)];
    EXPECT_THAT(found, testing::Pointwise(testing::FloatNear(1e-3F), std::vector<float>{0, expected.xmin, expected.ymin,
                                                                                        expected.xmax, expected.ymax}))
        << r;
  }
}

TEST(Proposal, AnchorsAndTheirOrderAreThoseOfTheDefinition) {
  // The nine anchors of a 16-pixel base, known from the published system: ratio by ratio, scale by scale.
  const std::vector<std::vector<float>> known{{-84, -40, 99, 55}, {-176, -88, 191, 103},  {-360, -184, 375, 199},
                                              {-56, -56, 71, 71}, {-120, -120, 135, 135}, {-248, -248, 263, 263},
                                              {-36, -80, 51, 95}, {-80, -168, 95, 183},   {-168, -344, 183, 359}};
  // A picture so large that nothing is clipped on the right; cells far from the left: 40 cells of 16 pixels.
  const std::int64_t cells = 40;
  for (std::size_t a = 0; a < known.size(); ++a) {
    Tensor scores({1, 18, cells, cells});
    const std::int64_t y = 30, x = 25;
    scores.data()[((9 + static_cast<std::int64_t>(a)) * cells + y) * cells + x] = 1.0F;
    const Tensor picture({1, 3}, {4000, 4000, 1});
    graph::Proposal op;
    op.post_nms_top_n = 1;
    const Tensor best = run_op(op, {scores, Tensor({1, 36, cells, cells}), picture}, Layout::plain)[0];
    // A width is xmax - xmin + 1, but a box that is moved by nothing grows by that 1, as in the published system.
    EXPECT_THAT(std::vector<float>(best.data() + 1, best.data() + 5),
                testing::ElementsAre(known[a][0] + 400, known[a][1] + 480, known[a][2] + 401, known[a][3] + 481))
        << a;
  }
}

}  // namespace
}  // namespace octavo::runtime::test
