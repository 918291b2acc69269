// SPDX-License-Identifier: Apache-2.0
// The functions beyond Caffe's: each equal to its formula in double precision, at ordinary and at hostile numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "runtime/vector_math.h"
#include "tests/runtime/small_network.h"

namespace octavo::test {
namespace {

using graph::Unary;
using graph::UnaryKind;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

double clamp01(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
double softplus(double x) { return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

double formula(const Unary& op, double x) {
  const double a = op.alpha, b = op.beta, c = op.gamma;
  switch (op.kind) {
    case UnaryKind::clip:
      return x < a ? a : x > b ? b : x;
    case UnaryKind::gelu:
      return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
    case UnaryKind::gelu_tanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case UnaryKind::erf:
      return std::erf(x);
    case UnaryKind::hard_sigmoid:
      return clamp01(a * x + b);
    case UnaryKind::hard_swish:
      return x * clamp01(x / 6 + 0.5);
    case UnaryKind::swish:
      return x / (1 + std::exp(-a * x));
    case UnaryKind::mish:
      return x * std::tanh(softplus(x));
    case UnaryKind::softplus:
      return softplus(x);
    case UnaryKind::softsign:
      return x / (1 + std::fabs(x));
    case UnaryKind::selu:
      return x > 0 ? c * x : c * a * (std::exp(x) - 1);
    case UnaryKind::celu:
      return x > 0 ? x : a * (std::exp(x / a) - 1);
    case UnaryKind::shrink:
      return x < -a ? x + b : x > a ? x - b : 0;
    case UnaryKind::thresholded_relu:
      return x > a ? x : 0;
    case UnaryKind::floor:
      return std::floor(x);
    case UnaryKind::ceil:
      return std::ceil(x);
    case UnaryKind::round:
      return std::nearbyint(x);
    case UnaryKind::truncate:
      return std::trunc(x);
    case UnaryKind::sign:
      return x > 0 ? 1 : x < 0 ? -1 : 0;
    case UnaryKind::nonzero:
      return x != 0 ? 1 : 0;
    case UnaryKind::sin:
      return std::sin(x);
    case UnaryKind::cos:
      return std::cos(x);
    case UnaryKind::tan:
      return std::tan(x);
    case UnaryKind::asin:
      return std::asin(x);
    case UnaryKind::acos:
      return std::acos(x);
    case UnaryKind::atan:
      return std::atan(x);
    case UnaryKind::sinh:
      return std::sinh(x);
    case UnaryKind::cosh:
      return std::cosh(x);
    case UnaryKind::asinh:
      return std::asinh(x);
    case UnaryKind::acosh:
      return std::acosh(x);
    case UnaryKind::atanh:
      return std::atanh(x);
    default:
      ADD_FAILURE() << "no formula";
      return 0;
  }
}

TEST(UnaryMath, EqualsItsFormula) {
  const auto reference = [](const Unary& op, const std::vector<Values>& inputs, const Shape&) {
    std::vector<float> y;
    for (const float x : inputs[0].numbers) y.push_back(static_cast<float>(formula(op, x)));
    return y;
  };
  for (int kind = static_cast<int>(UnaryKind::clip); kind <= static_cast<int>(UnaryKind::atanh); ++kind) {
    const auto which = static_cast<UnaryKind>(kind);
    if (which == UnaryKind::is_nan || which == UnaryKind::is_infinite) continue;
    const bool unit = which == UnaryKind::asin || which == UnaryKind::acos || which == UnaryKind::atanh;
    const float low = which == UnaryKind::acosh ? 1.0F : unit ? -0.99F : -7.0F, high = unit ? 0.99F : 7.0F;
    const Unary op{which, 0.75F, 1.5F, 1.25F};
    expect_op(op, {random_values({2, 5, 3, 7}, 1, low, high)}, 2e-6F, reference);
    expect_op(op, {random_values({40'001}, 2, low, high)}, 2e-6F, reference);
  }
}

TEST(UnaryMath, RoundsHalfToEven) {
  const Values x{{6}, {-1.5F, -0.5F, 0.5F, 1.5F, 2.5F, 2.6F}};
  const Values y = run(graph_of(Unary{.kind = UnaryKind::round}, {x}, Arrival::as_given), {x});
  EXPECT_EQ(y.numbers, (std::vector<float>{-2, 0, 0, 2, 2, 3}));
}

TEST(UnaryMath, SeesWhatIsNoNumber) {
  const Values x{{4}, {std::nanf(""), kInfinity, -kInfinity, 1.0F}};
  const auto of = [&](const Unary& op) { return run(graph_of(op, {x}, Arrival::as_given), {x}).numbers; };
  EXPECT_EQ(of({UnaryKind::is_nan, 0, 0, 0}), (std::vector<float>{1, 0, 0, 0}));
  EXPECT_EQ(of({UnaryKind::is_infinite, 1, 1, 0}), (std::vector<float>{0, 1, 1, 0}));
  EXPECT_EQ(of({UnaryKind::is_infinite, 1, 0, 0}), (std::vector<float>{0, 0, 1, 0}));
  for (const UnaryKind kind : {UnaryKind::clip, UnaryKind::gelu, UnaryKind::gelu_tanh, UnaryKind::swish,
                               UnaryKind::hard_sigmoid, UnaryKind::hard_swish, UnaryKind::shrink, UnaryKind::sign}) {
    EXPECT_TRUE(std::isnan(of({kind, 1, 2, 1})[0])) << static_cast<int>(kind);
  }
}

TEST(VectorMath, ExpIsExactToThreeUnitsAndKeepsItsLimits) {
  for (float x = -87.0F; x < 88.5F; x += 0.037F) {
    const double expected = std::exp(static_cast<double>(x));
    EXPECT_NEAR(runtime::vector_exp(x) / expected, 1.0, 3.6e-7) << x;
  }
  EXPECT_EQ(runtime::vector_exp(-200.0F), 0.0F);
  EXPECT_EQ(runtime::vector_exp(-kInfinity), 0.0F);
  EXPECT_EQ(runtime::vector_exp(200.0F), kInfinity);
  EXPECT_EQ(runtime::vector_exp(0.0F), 1.0F);
  EXPECT_TRUE(std::isnan(runtime::vector_exp(std::nanf(""))));
}

TEST(VectorMath, ErfIsOffByLessThan4e7) {
  for (float x = -5.0F; x < 5.0F; x += 0.0013F) {
    EXPECT_NEAR(runtime::vector_erf(x), std::erf(static_cast<double>(x)), 4e-7) << x;
  }
}

}  // namespace
}  // namespace octavo::test
