// SPDX-License-Identifier: Apache-2.0
// Ops that keep the shape: equal to their formulas in double precision, in either layout.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "tests/runtime/reference_ops.h"

namespace octavo::test {
namespace {

constexpr float kPointwiseTolerance = 2e-6F;

double unary(const graph::Unary& op, double x) {
  using graph::UnaryKind;
  const double a = op.alpha, b = op.beta, c = op.gamma;
  switch (op.kind) {
    case UnaryKind::relu:
      return x < 0 ? a * x : x;
    case UnaryKind::relu6:
      return x < 0 ? 0 : x > 6 ? 6 : x;
    case UnaryKind::sigmoid:
      return 1 / (1 + std::exp(-x));
    case UnaryKind::tanh:
      return std::tanh(x);
    case UnaryKind::elu:
      return x >= 0 ? x : a * (std::exp(x) - 1);
    case UnaryKind::abs:
      return std::fabs(x);
    case UnaryKind::power:
      return std::pow(a + b * x, c);
    case UnaryKind::exp:
      return std::pow(a == -1 ? std::exp(1.0) : a, b + c * x);
    case UnaryKind::log:
      return std::log(b + c * x) / (a == -1 ? 1.0 : std::log(a));
    case UnaryKind::threshold:
      return x > a ? 1 : 0;
    default:  // unary_math_test.cpp
      break;
  }
  return 0;
}

TEST(Unary, EqualsItsFormula) {
  using graph::UnaryKind;
  const graph::Unary ops[] = {
      {UnaryKind::relu, 0, 0, 0},       {UnaryKind::relu, 0.1F, 0, 0},      {UnaryKind::relu6, 0, 0, 0},
      {UnaryKind::sigmoid, 0, 0, 0},    {UnaryKind::tanh, 0, 0, 0},         {UnaryKind::elu, 0.7F, 0, 0},
      {UnaryKind::abs, 0, 0, 0},        {UnaryKind::power, 1, 2, 1},        {UnaryKind::power, 1, 0.5F, 2},
      {UnaryKind::power, 9, 1, 0.5F},   {UnaryKind::power, 9, 1, -0.75F},   {UnaryKind::power, 0, 1, 3},
      {UnaryKind::exp, -1, 0.5F, 0.5F}, {UnaryKind::exp, 2, 0, 1},          {UnaryKind::log, -1, 9, 1},
      {UnaryKind::log, 10, 9, 0.5F},    {UnaryKind::threshold, 0.3F, 0, 0},
  };
  const auto reference = [](const graph::Unary& op, const std::vector<Values>& inputs, const Shape&) {
    std::vector<float> y;
    for (const float x : inputs[0].numbers) y.push_back(static_cast<float>(unary(op, x)));
    return y;
  };
  for (const graph::Unary& op : ops) {
    expect_op(op, {random_values({2, 5, 3, 7}, 1, -8, 8)}, 1e-5F, reference);
    expect_op(op, {random_values({40'001}, 2, -8, 8)}, 1e-5F, reference);
  }
}

TEST(Unary, ReluKeepsNan) {
  Values x{{3}, {std::nanf(""), -1, 2}};
  for (const auto kind : {graph::UnaryKind::relu, graph::UnaryKind::relu6}) {
    const Values y = run(graph_of(graph::Unary{.kind = kind}, {x}, Arrival::as_given), {x});
    EXPECT_TRUE(std::isnan(y.numbers[0]));
    EXPECT_EQ(y.numbers[1], 0.0F);
    EXPECT_EQ(y.numbers[2], 2.0F);
  }
}

/// The channel of every number of a shape: dimension 1.
std::vector<std::size_t> channels(const Shape& shape) {
  std::vector<std::size_t> result;
  std::int64_t inner = 1;
  for (std::size_t i = 2; i < shape.size(); ++i) inner *= shape[i];
  for (std::int64_t i = 0; i < graph::element_count(shape); ++i)
    result.push_back(static_cast<std::size_t>(i / inner % shape[1]));
  return result;
}

const Shape kShapes[] = {{2, 5, 3, 7}, {3, 17}, {2, 33, 4}, {1, 64, 40, 40}, {2, 1, 5, 5}, {2, 7, 1, 1}};

TEST(PRelu, HasASlopeForEachChannelOrOneForAll) {
  for (const Shape& shape : kShapes) {
    for (const std::int64_t slopes : {std::int64_t{1}, shape[1]}) {
      expect_op(graph::PRelu{random_blob({slopes}, 3)}, {random_values(shape, 1)}, kPointwiseTolerance,
                [&](const graph::PRelu& op, const std::vector<Values>& inputs, const Shape&) {
                  std::vector<float> y = inputs[0].numbers;
                  const auto channel = channels(shape);
                  for (std::size_t i = 0; i < y.size(); ++i)
                    if (y[i] < 0) y[i] *= op.slopes->f32.values[slopes == 1 ? 0 : channel[i]];
                  return y;
                });
    }
  }
}

TEST(BatchNorm, NormalisesEachChannel) {
  for (const Shape& shape : kShapes) {
    const graph::BatchNorm op{random_blob({shape[1]}, 3), random_blob({shape[1]}, 4, 0.1F, 2.0F), 1e-3F};
    expect_op(op, {random_values(shape, 1)}, kPointwiseTolerance,
              [&](const graph::BatchNorm& norm, const std::vector<Values>& inputs, const Shape&) {
                std::vector<float> y = inputs[0].numbers;
                const auto channel = channels(shape);
                for (std::size_t i = 0; i < y.size(); ++i) {
                  const double mean = norm.mean->f32.values[channel[i]];
                  const double variance = norm.variance->f32.values[channel[i]];
                  y[i] = static_cast<float>((y[i] - mean) / std::sqrt(variance + static_cast<double>(norm.epsilon)));
                }
                return y;
              });
  }
}

/// part[index in the dims from `axis` on], for each number of `shape`.
std::vector<std::size_t> part_index(const Shape& part, const Shape& shape, std::int64_t axis) {
  std::int64_t inner = 1;
  const std::int64_t count = graph::element_count(part);
  for (auto i = static_cast<std::size_t>(axis) + part.size(); i < shape.size(); ++i) inner *= shape[i];
  std::vector<std::size_t> result;
  for (std::int64_t i = 0; i < graph::element_count(shape); ++i)
    result.push_back(part.empty() ? 0 : static_cast<std::size_t>(i / inner % count));
  return result;
}

struct ScaleCase {
  Shape shape;
  std::int64_t axis;
  Shape part;
};
const ScaleCase kScaleCases[] = {
    {{2, 5, 3, 7}, 1, {5}},          {{2, 5, 3, 7}, 1, {5, 3}}, {{2, 5, 3, 7}, 2, {3, 7}}, {{2, 5, 3, 7}, 0, {2}},
    {{2, 5, 3, 7}, 0, {2, 5, 3, 7}}, {{2, 5, 3, 7}, 3, {7}},    {{4, 9}, 1, {9}},          {{2, 5, 3, 7}, 1, {}},
};

TEST(Scale, FollowsAnyRunOfDimensions) {
  for (const ScaleCase& c : kScaleCases) {
    for (const int terms : {1, 2, 3}) {  // factor, offset, both
      graph::Scale op{.axis = c.axis, .factor = {}, .offset = {}};
      if ((terms & 1) != 0) op.factor = random_blob(c.part, 3);
      if ((terms & 2) != 0) op.offset = random_blob(c.part, 4);
      expect_op(op, {random_values(c.shape, 1)}, kPointwiseTolerance,
                [&](const graph::Scale& scale, const std::vector<Values>& inputs, const Shape&) {
                  std::vector<float> y = inputs[0].numbers;
                  const auto index = part_index(c.part, c.shape, c.axis);
                  for (std::size_t i = 0; i < y.size(); ++i) {
                    if (scale.factor) y[i] *= scale.factor->f32.values[index[i]];
                    if (scale.offset) y[i] += scale.offset->f32.values[index[i]];
                  }
                  return y;
                });
    }
  }
}

TEST(Scale, TakesFactorOrOffsetFromASecondInput) {
  for (const ScaleCase& c : kScaleCases) {
    if (c.part.empty()) continue;
    for (const bool offset : {false, true}) {
      const graph::Scale op{.axis = c.axis, .factor = {}, .offset = {}, .second_is_offset = offset};
      expect_op(op, {random_values(c.shape, 1), random_values(c.part, 2)}, kPointwiseTolerance,
                [&](const graph::Scale&, const std::vector<Values>& inputs, const Shape&) {
                  std::vector<float> y = inputs[0].numbers;
                  const auto index = part_index(c.part, c.shape, c.axis);
                  for (std::size_t i = 0; i < y.size(); ++i) {
                    const float second = inputs[1].numbers[index[i]];
                    y[i] = offset ? y[i] + second : y[i] * second;
                  }
                  return y;
                });
    }
  }
}

TEST(Eltwise, CombinesAnyNumberOfInputs) {
  for (const auto kind : {graph::EltwiseKind::sum, graph::EltwiseKind::product, graph::EltwiseKind::max}) {
    for (const Shape& shape : kShapes) {
      graph::Eltwise op{.kind = kind, .coefficients = {}, .activation = {}};
      if (kind == graph::EltwiseKind::sum && shape[0] == 2) op.coefficients = {1.0F, -2.0F, 0.5F};
      if (shape.size() == 4) op.activation = {.kind = jit::ActivationKind::relu, .slope = 0, .slopes = {}};
      if (shape[0] == 3)
        op.activation = {.kind = jit::ActivationKind::prelu, .slope = 0, .slopes = random_blob({shape[1]}, 8)};
      expect_op(
          op, {random_values(shape, 1), random_values(shape, 2), random_values(shape, 3)}, kPointwiseTolerance,
          [&](const graph::Eltwise& eltwise, const std::vector<Values>& inputs, const Shape&) {
            std::vector<float> y;
            const auto channel = channels(shape);
            for (std::size_t i = 0; i < inputs[0].numbers.size(); ++i) {
              double result = kind == graph::EltwiseKind::product ? 1 : kind == graph::EltwiseKind::sum ? 0 : -10;
              for (std::size_t k = 0; k < inputs.size(); ++k) {
                const double x = inputs[k].numbers[i];
                const double c = eltwise.coefficients.empty() ? 1.0 : eltwise.coefficients[k];
                if (kind == graph::EltwiseKind::sum) result += c * x;
                if (kind == graph::EltwiseKind::product) result *= x;
                if (kind == graph::EltwiseKind::max) result = std::max(result, x);
              }
              y.push_back(reference_activation(eltwise.activation, static_cast<std::int64_t>(channel[i]), result));
            }
            return y;
          });
    }
  }
}

TEST(Eltwise, OfAValueWithItselfReadsItTwice) {
  SmallNetwork network;
  const ValueId x = network.add("x", graph::Unary{.kind = graph::UnaryKind::abs}, {network.input("data", {4})});
  const ValueId y = network.add("y", graph::Eltwise{.coefficients = {1.0F, 3.0F}, .activation = {}}, {x, x});
  const Values result = run(network.finish({y}), {{{4}, {1, -2, 3, 0}}});
  EXPECT_EQ(result.numbers, (std::vector<float>{4, 8, 12, 0}));
}

/// Softmax and Concat by the logical position of each number.
TEST(Softmax, SumsToOneAlongItsDimension) {
  for (const Shape& shape : kShapes) {
    for (std::int64_t axis = -1; axis < static_cast<std::int64_t>(shape.size()); ++axis) {
      const auto dim = axis < 0 ? shape.size() - 1 : static_cast<std::size_t>(axis);
      std::size_t inner = 1;
      for (std::size_t i = dim + 1; i < shape.size(); ++i) inner *= static_cast<std::size_t>(shape[i]);
      const auto count = static_cast<std::size_t>(shape[dim]);
      expect_op(graph::Softmax{axis}, {random_values(shape, 1, -20, 20)}, 2e-6F,
                [&](const graph::Softmax&, const std::vector<Values>& inputs, const Shape&) {
                  const std::vector<float>& x = inputs[0].numbers;
                  std::vector<float> y(x.size());
                  for (std::size_t i = 0; i < x.size(); ++i) {
                    const std::size_t first = i / (count * inner) * count * inner + i % inner;
                    double sum = 0;
                    for (std::size_t k = 0; k < count; ++k) sum += std::exp(static_cast<double>(x[first + k * inner]));
                    y[i] = static_cast<float>(std::exp(static_cast<double>(x[i])) / sum);
                  }
                  return y;
                });
    }
  }
}

TEST(Concat, PutsInputsSideBySideAlongAnyDimension) {
  for (const Shape& shape : kShapes) {
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      std::vector<Values> inputs;
      for (const std::int64_t extra : {0, 2, 5}) {
        Shape part = shape;
        part[axis] += extra;
        inputs.push_back(random_values(part, static_cast<unsigned>(extra)));
      }
      expect_op(graph::Concat{static_cast<std::int64_t>(axis)}, inputs, 0.0F,
                [&](const graph::Concat&, const std::vector<Values>& parts, const Shape&) {
                  std::int64_t outer = 1;
                  for (std::size_t i = 0; i < axis; ++i) outer *= shape[i];
                  std::vector<float> y;
                  for (std::int64_t o = 0; o < outer; ++o)
                    for (const Values& part : parts) {
                      const auto run = static_cast<std::ptrdiff_t>(part.numbers.size()) / outer;
                      y.insert(y.end(), part.numbers.begin() + o * run, part.numbers.begin() + (o + 1) * run);
                    }
                  return y;
                });
    }
  }
}

}  // namespace
}  // namespace octavo::test
