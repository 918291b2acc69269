// SPDX-License-Identifier: Apache-2.0
// Resize against plain loops over the places that its rules name.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/runtime/one_step.h"
#include "tests/runtime/small_network.h"

namespace octavo::test {
namespace {

using graph::Resize;
using graph::ResizeCoordinates;
using graph::ResizeKind;
using graph::ResizeRounding;
using runtime::test::flat;
using runtime::test::Index;

TEST(Resize, NearestPicksTheRoundedPixel) {
  const Resize op{.kind = ResizeKind::nearest,
                  .coordinates = ResizeCoordinates::asymmetric,
                  .rounding = ResizeRounding::floor,
                  .axes = {2, 3},
                  .scales = {2.0F, 1.5F}};
  expect_op(op, {random_values({2, 5, 3, 4}, 1)}, 0.0F,
            [](const Resize&, const std::vector<Values>& in, const Shape& out) {
              EXPECT_EQ(out, (Shape{2, 5, 6, 6}));
              std::vector<float> y;
              for (Index i(out); i; ++i) {
                const Shape from{(*i)[0], (*i)[1], (*i)[2] / 2, static_cast<std::int64_t>(std::floor((*i)[3] / 1.5))};
                y.push_back(in[0].numbers[flat(from, in[0].shape)]);
              }
              return y;
            });
}

TEST(Resize, LinearIsExactOnPlanes) {
  Values plane{{1, 1, 4, 5}, {}};
  for (Index i(plane.shape); i; ++i) plane.numbers.push_back(static_cast<float>(3 * (*i)[2] - 2 * (*i)[3]));
  const Resize op{
      .kind = ResizeKind::linear, .coordinates = ResizeCoordinates::align_corners, .axes = {2, 3}, .sizes = {7, 13}};
  expect_op(op, {plane}, 1e-6F, [](const Resize&, const std::vector<Values>&, const Shape& out) {
    std::vector<float> y;
    for (Index i(out); i; ++i) {
      y.push_back(
          static_cast<float>(3 * (static_cast<double>((*i)[2]) * 3 / 6) - 2 * (static_cast<double>((*i)[3]) * 4 / 12)));
    }
    return y;
  });
}

/// Weights of an output pixel add up to 1, whatever the rules: a constant picture stays constant.
TEST(Resize, KeepsAConstantPicture) {
  for (const ResizeKind kind : {ResizeKind::nearest, ResizeKind::linear, ResizeKind::cubic}) {
    for (int rule = 0; rule < 5; ++rule) {
      for (const bool antialias : {false, true}) {
        for (const Shape& sizes : {Shape{3, 2}, Shape{11, 17}}) {
          Resize op;
          op.kind = kind;
          op.coordinates = static_cast<ResizeCoordinates>(rule);
          op.antialias = antialias;
          op.axes = {2, 3};
          op.sizes = sizes;
          const Values x{{1, 3, 7, 6}, std::vector<float>(126, 2.5F)};
          expect_op(op, {x}, 1e-6F, [](const Resize&, const std::vector<Values>&, const Shape& out) {
            return std::vector<float>(static_cast<std::size_t>(graph::element_count(out)), 2.5F);
          });
        }
      }
    }
  }
}

/// Where an output pixel lies in the input, of an axis that is resized to a given size.
double place_of(ResizeCoordinates rule, std::int64_t o, std::int64_t in, std::int64_t out) {
  const auto at = static_cast<double>(o), from = static_cast<double>(in), to = static_cast<double>(out);
  if (rule == ResizeCoordinates::asymmetric) return at * from / to;
  if (rule == ResizeCoordinates::align_corners) return out == 1 ? 0.0 : at * (from - 1) / (to - 1);
  return (at + 0.5) * from / to - 0.5;
}

class GeneratedResize : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Generated, GeneratedResize, testing::Range(0U, 60U));

/// What Caffe's Upsample and Interp, and detectors of every kind, ask for: height and width, by size or by whole scale.
TEST_P(GeneratedResize, ShowsThePlacesOfItsRule) {
  std::mt19937 random(GetParam());
  const auto in = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  constexpr ResizeCoordinates kRules[] = {ResizeCoordinates::half_pixel, ResizeCoordinates::asymmetric,
                                          ResizeCoordinates::align_corners};
  Resize op{.kind = in(0, 1) == 0 ? ResizeKind::nearest : ResizeKind::linear,
            .coordinates = kRules[in(0, 2)],
            .rounding = in(0, 1) == 0 ? ResizeRounding::floor : ResizeRounding::prefer_floor,
            .axes = {2, 3}};
  if (in(0, 2) > 0) {
    op.sizes = {in(1, 40), in(1, 40)};
  } else {
    op.scales = {static_cast<float>(in(1, 3)), static_cast<float>(in(1, 3))};
  }
  const Values x = random_values({in(1, 2), in(1, 20), in(1, 30), in(1, 30)}, GetParam());
  expect_op(op, {x}, op.kind == ResizeKind::nearest ? 0.0F : 1e-5F,
            [](const Resize& resize, const std::vector<Values>& inputs, const Shape& out) {
              const Shape& shape = inputs[0].shape;
              std::vector<float> y;
              for (Index index(out); index; ++index) {
                const Shape& i = *index;
                std::int64_t first[2], second[2];
                double share[2];
                for (std::size_t d = 0; d < 2; ++d) {
                  const std::int64_t size = shape[2 + d];
                  const double place = std::clamp(place_of(resize.coordinates, i[2 + d], size, out[2 + d]), 0.0,
                                                  static_cast<double>(size - 1));
                  const bool rounds = resize.kind == ResizeKind::nearest && resize.rounding != ResizeRounding::floor;
                  first[d] = static_cast<std::int64_t>(rounds ? std::ceil(place - 0.5) : std::floor(place));
                  second[d] = std::min(first[d] + 1, size - 1);
                  share[d] = resize.kind == ResizeKind::nearest ? 0.0 : place - std::floor(place);
                }
                const auto value = [&](std::int64_t row, std::int64_t column) {
                  return static_cast<double>(inputs[0].numbers[flat({i[0], i[1], row, column}, shape)]);
                };
                const double above = value(first[0], first[1]) * (1 - share[1]) + value(first[0], second[1]) * share[1];
                const double below =
                    value(second[0], first[1]) * (1 - share[1]) + value(second[0], second[1]) * share[1];
                y.push_back(static_cast<float>(above * (1 - share[0]) + below * share[0]));
              }
              return y;
            });
}

/// Dividing by a rounded out / in would miss a pixel now and then: 35 / (49 / 21) has to be 15.
TEST(Resize, NearestMeetsWholePixelsExactly) {
  for (std::int64_t in = 1; in < 30; ++in) {
    for (const std::int64_t out : {15L, 49L, 98L, 103L}) {
      for (const ResizeCoordinates rule : {ResizeCoordinates::asymmetric, ResizeCoordinates::align_corners}) {
        const Resize op{.kind = ResizeKind::nearest,
                        .coordinates = rule,
                        .rounding = ResizeRounding::floor,
                        .axes = {1},
                        .sizes = {out}};
        Values x{{1, in}, {}};
        for (std::int64_t i = 0; i < in; ++i) x.numbers.push_back(static_cast<float>(i));
        const Values y = run(graph_of(op, {x}, Arrival::as_given), {x});
        const bool corners = rule == ResizeCoordinates::align_corners;
        for (std::int64_t o = 0; o < out; ++o) {
          ASSERT_EQ(y.numbers[static_cast<std::size_t>(o)],
                    static_cast<float>(corners ? o * (in - 1) / (out - 1) : o * in / out))
              << in << " to " << out;
        }
      }
    }
  }
}

}  // namespace
}  // namespace octavo::test
