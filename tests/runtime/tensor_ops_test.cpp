// SPDX-License-Identifier: Apache-2.0
// Ops on values of any rank, against plain loops over indices: broadcasts, products, selections, paddings,
// normalization.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "octavo/error.h"
#include "tests/runtime/one_step.h"
#include "tests/runtime/small_network.h"

namespace octavo::test {
namespace {

using runtime::test::flat;
using runtime::test::Index;

/// The operand's number that meets the output's index.
float broadcast_at(const Values& x, const Shape& index) {
  Shape own;
  const std::size_t shift = index.size() - x.shape.size();
  for (std::size_t d = 0; d < x.shape.size(); ++d) own.push_back(x.shape[d] == 1 ? 0 : index[shift + d]);
  return x.numbers[flat(own, x.shape)];
}

double binary(graph::BinaryKind kind, double a, double b) {
  using graph::BinaryKind;
  switch (kind) {
    case BinaryKind::add:
      return a + b;
    case BinaryKind::subtract:
      return a - b;
    case BinaryKind::multiply:
      return a * b;
    case BinaryKind::divide:
      return a / b;
    case BinaryKind::power:
      return std::pow(a, b);
    case BinaryKind::minimum:
      return std::min(a, b);
    case BinaryKind::maximum:
      return std::max(a, b);
    case BinaryKind::modulo:
      return a - std::floor(a / b) * b;
    case BinaryKind::remainder:
      return std::fmod(a, b);
    case BinaryKind::equal:
      return a == b;
    case BinaryKind::less:
      return a < b;
    case BinaryKind::less_or_equal:
      return a <= b;
    case BinaryKind::greater:
      return a > b;
    case BinaryKind::greater_or_equal:
      return a >= b;
    case BinaryKind::logical_and:
      return a != 0 && b != 0;
    case BinaryKind::logical_or:
      return a != 0 || b != 0;
    case BinaryKind::logical_xor:
      return (a != 0) != (b != 0);
  }
  return 0;
}

TEST(Binary, CombinesWhatIsBroadcastInAnyLayout) {
  const std::pair<Shape, Shape> shapes[] = {
      {{2, 5, 3, 7}, {2, 5, 3, 7}}, {{2, 5, 3, 7}, {2, 5, 1, 1}}, {{2, 5, 3, 7}, {5, 3, 7}},       {{2, 5, 3, 7}, {7}},
      {{2, 5, 3, 7}, {1}},          {{3, 7}, {2, 5, 3, 7}},       {{2, 1, 3, 1}, {1, 5, 1, 7}},    {{1}, {1}},
      {{4, 1, 9}, {3, 1}},          {{1, 1, 1, 1}, {2, 5, 3, 7}}, {{2, 3, 1, 2, 5}, {3, 4, 1, 5}},
  };
  for (int kind = 0; kind <= static_cast<int>(graph::BinaryKind::logical_xor); ++kind) {
    for (const auto& [a, b] : shapes) {
      const graph::Binary op{static_cast<graph::BinaryKind>(kind)};
      Values x = random_values(a, 1, 0.1F, 3.0F), y = random_values(b, 2, 0.1F, 3.0F);
      if (op.kind >= graph::BinaryKind::equal) {
        for (Values* each : {&x, &y}) {
          for (float& number : each->numbers) number = std::floor(number);
        }
      }
      if (op.kind == graph::BinaryKind::modulo) x.numbers[0] = -x.numbers[0];
      expect_op(op, {x, y}, 1e-6F, [](const graph::Binary& own, const std::vector<Values>& in, const Shape& out) {
        std::vector<float> result;
        for (Index i(out); i; ++i) {
          result.push_back(static_cast<float>(binary(own.kind, broadcast_at(in[0], *i), broadcast_at(in[1], *i))));
        }
        return result;
      });
    }
  }
}

TEST(Binary, RefusesShapesThatDoNotFit) {
  EXPECT_THROW(graph_of(graph::Binary{}, {random_values({2, 3}, 1), random_values({2}, 2)}, Arrival::as_given), Error);
}

TEST(Select, TakesTheOneOrTheOther) {
  const Values condition{{2, 1, 3}, {1, 0, 2, 0, 0, -1}};
  expect_op(graph::Select{}, {condition, random_values({5, 3}, 1), random_values({2, 5, 1}, 2)}, 0.0F,
            [](const graph::Select&, const std::vector<Values>& in, const Shape& out) {
              std::vector<float> y;
              for (Index i(out); i; ++i) {
                y.push_back(broadcast_at(in[0], *i) != 0 ? broadcast_at(in[1], *i) : broadcast_at(in[2], *i));
              }
              return y;
            });
}

std::vector<float> matmul(const graph::MatMul&, const std::vector<Values>& in, const Shape& out) {
  const std::int64_t depth = in[0].shape.back();
  std::vector<float> y;
  for (Index i(out); i; ++i) {
    double sum = 0;
    for (std::int64_t k = 0; k < depth; ++k) {
      Shape left = *i, right = *i;
      left.back() = k;
      right[right.size() - 2] = k;
      sum += static_cast<double>(broadcast_at(in[0], left)) * broadcast_at(in[1], right);
    }
    y.push_back(static_cast<float>(sum));
  }
  return y;
}

TEST(MatMul, MultipliesStacksOfMatrices) {
  const std::pair<Shape, Shape> shapes[] = {
      {{3, 4}, {4, 5}},          {{2, 6, 3, 4}, {2, 6, 4, 5}}, {{2, 6, 3, 4}, {4, 5}},
      {{3, 4}, {2, 6, 4, 5}},    {{2, 1, 3, 4}, {6, 4, 5}},    {{2, 3, 2, 3, 4}, {3, 1, 4, 5}},
      {{1, 3, 4}, {1, 1, 4, 5}}, {{2, 3, 1, 4}, {2, 3, 4, 1}},
  };
  for (const auto& [a, b] : shapes)
    expect_op(graph::MatMul{}, {random_values(a, 1), random_values(b, 2)}, 1e-5F, matmul);
}

TEST(Gather, PicksAlongTheAxisAndCountsFromTheEnd) {
  const Values indices{{2, 2}, {0, 2, -1, 1}};
  for (const std::int64_t axis : {0, 1, -1}) {
    expect_op(
        graph::Gather{.axis = axis}, {random_values({3, 4, 3}, 1), indices}, 0.0F,
        [](const graph::Gather& op, const std::vector<Values>& in, const Shape& out) {
          const std::size_t at = op.axis < 0 ? in[0].shape.size() - 1 : static_cast<std::size_t>(op.axis);
          std::vector<float> y;
          for (Index i(out); i; ++i) {
            Shape source((*i).begin(), (*i).begin() + static_cast<std::ptrdiff_t>(at));
            const auto picked = static_cast<std::int64_t>(in[1].numbers[flat({(*i)[at], (*i)[at + 1]}, in[1].shape)]);
            source.push_back(picked < 0 ? picked + in[0].shape[at] : picked);
            source.insert(source.end(), (*i).begin() + static_cast<std::ptrdiff_t>(at) + 2, (*i).end());
            y.push_back(in[0].numbers[flat(source, in[0].shape)]);
          }
          return y;
        });
  }
}

TEST(Gather, RefusesAnIndexOutsideTheAxis) {
  for (const float index : {3.0F, -4.0F, std::numeric_limits<float>::quiet_NaN(), 1e30F}) {
    const std::vector<Values> inputs{random_values({3, 2}, 1), Values{{1}, {index}}};
    EXPECT_THROW(run(graph_of(graph::Gather{}, inputs, Arrival::as_given), inputs), Error) << index;
  }
  // fp32 rounds this size up: -size is then an entry before the first.
  constexpr std::int64_t size = 16'777'219;
  const std::vector<Values> inputs{Values{{size}, std::vector<float>(size)}, Values{{1}, {-static_cast<float>(size)}}};
  EXPECT_THROW(run(graph_of(graph::Gather{}, inputs, Arrival::as_given), inputs), Error);
}

TEST(StridedSlice, TakesEveryStepthInEitherDirection) {
  constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max();
  struct Cut {
    std::int64_t axis, begin, end, step;
    std::vector<std::int64_t> expected;
  };
  const Cut cuts[] = {
      {1, 1, kFar, 1, {1, 2, 3, 4}}, {1, 0, -1, 2, {0, 2}},      {1, -1, -kFar, -1, {4, 3, 2, 1, 0}},
      {-1, 5, 1, -2, {5, 3}},        {2, -3, 100, 1, {0, 1, 2}}, {3, 100, 0, -3, {6, 3}},
  };
  for (const Cut& cut : cuts) {
    graph::StridedSlice op{{cut.axis}, {cut.begin}, {cut.end}, {cut.step}};
    expect_op(op, {random_values({2, 5, 3, 7}, 1)}, 0.0F,
              [&](const graph::StridedSlice&, const std::vector<Values>& in, const Shape& out) {
                const std::size_t axis = cut.axis < 0 ? 3 : static_cast<std::size_t>(cut.axis);
                EXPECT_EQ(out[axis], static_cast<std::int64_t>(cut.expected.size()));
                std::vector<float> y;
                for (Index i(out); i; ++i) {
                  Shape source = *i;
                  source[axis] = cut.expected.at(static_cast<std::size_t>(source[axis]));
                  y.push_back(in[0].numbers[flat(source, in[0].shape)]);
                }
                return y;
              });
  }
}

TEST(Pad, ShowsWhatItsKindSays) {
  const auto source = [](graph::PadKind kind, std::int64_t at, std::int64_t size) -> std::int64_t {
    if (at >= 0 && at < size) return at;
    if (kind == graph::PadKind::constant) return -1;
    if (kind == graph::PadKind::edge) return std::clamp<std::int64_t>(at, 0, size - 1);
    if (kind == graph::PadKind::wrap) return (at + size) % size;
    return at < 0 ? -at : 2 * size - 2 - at;
  };
  for (int kind = 0; kind < 4; ++kind) {
    for (const Shape& begins : {Shape{0, 0, 2, 1}, Shape{0, 1, 0, 3}, Shape{1, 0, -1, 2}}) {
      const graph::Pad op{static_cast<graph::PadKind>(kind), begins, {0, 2, 1, 0}, 0.25F};
      expect_op(op, {random_values({2, 5, 4, 7}, 1)}, 0.0F,
                [&](const graph::Pad& pad, const std::vector<Values>& in, const Shape& out) {
                  std::vector<float> y;
                  for (Index i(out); i; ++i) {
                    Shape from = *i;
                    bool padding = false;
                    for (std::size_t d = 0; d < from.size(); ++d) {
                      const std::int64_t cut = std::max<std::int64_t>(-pad.begins[d], 0);
                      const std::int64_t left = in[0].shape[d] - cut;
                      from[d] = source(pad.kind, from[d] - std::max<std::int64_t>(pad.begins[d], 0), left);
                      padding = padding || from[d] < 0;
                      from[d] += cut;
                    }
                    y.push_back(padding ? pad.value : in[0].numbers[flat(from, in[0].shape)]);
                  }
                  return y;
                });
    }
  }
}

TEST(LayerNorm, BringsRowsToMeanZeroAndVarianceOne) {
  for (const Shape& shape : {Shape{3, 40}, Shape{2, 7, 33}, Shape{2, 3, 4, 5}}) {
    for (const std::int64_t axis : {-1, 1}) {
      for (const bool centered : {true, false}) {
        std::int64_t row = 1;
        for (std::size_t d = axis < 0 ? shape.size() - 1 : 1; d < shape.size(); ++d) row *= shape[d];
        const graph::LayerNorm op{axis, centered, 1e-5F, random_blob({row}, 3), random_blob({row}, 4)};
        expect_op(op, {random_values(shape, 1, 99.0F, 101.0F)}, 2e-5F,
                  [&](const graph::LayerNorm& norm, const std::vector<Values>& in, const Shape&) {
                    std::vector<float> y = in[0].numbers;
                    for (std::size_t first = 0; first < y.size(); first += static_cast<std::size_t>(row)) {
                      double mean = 0, variance = 0;
                      for (std::int64_t i = 0; i < row && centered; ++i) mean += y[first + static_cast<std::size_t>(i)];
                      mean /= static_cast<double>(row);
                      for (std::int64_t i = 0; i < row; ++i) {
                        variance +=
                            std::pow(y[first + static_cast<std::size_t>(i)] - mean, 2) / static_cast<double>(row);
                      }
                      for (std::size_t i = 0; i < static_cast<std::size_t>(row); ++i) {
                        y[first + i] = static_cast<float>((y[first + i] - mean) / std::sqrt(variance + 1e-5) *
                                                              norm.factor->f32.values[i] +
                                                          norm.offset->f32.values[i]);
                      }
                    }
                    return y;
                  });
      }
    }
  }
}

TEST(Constant, GivesItsNumbers) {
  SmallNetwork network;
  const ValueId x = network.input("x", {2, 3});
  const ValueId c = network.add("c", graph::Constant{graph::make_blob({3}, {1, 2, 3})}, {});
  const ValueId y = network.add("y", graph::Binary{graph::BinaryKind::add}, {x, c});
  const Values zeros{{2, 3}, std::vector<float>(6, 0.0F)};
  EXPECT_EQ(run(network.finish({y}), {zeros}).numbers, (std::vector<float>{1, 2, 3, 1, 2, 3}));
}

}  // namespace
}  // namespace octavo::test
