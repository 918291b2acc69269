// SPDX-License-Identifier: Apache-2.0
// The functions of loops: near to the C library's everywhere, exact where there is nothing to round.
#include "runtime/vector_math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace octavo::runtime {
namespace {

TEST(VectorExp, IsWithinTwoUnitsInTheLastPlace) {
  for (double x = -87.3; x < 88.7; x += 0.00137) {
    const auto argument = static_cast<float>(x);
    const double exact = std::exp(static_cast<double>(argument));
    const auto rounded = static_cast<float>(exact);
    const double unit = static_cast<double>(std::nextafter(rounded, std::numeric_limits<float>::infinity())) - rounded;
    ASSERT_LE(std::fabs(vector_exp(argument) - exact), 2 * unit) << argument;
  }
}

TEST(VectorExp, KnowsItsEnds) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(vector_exp(0.0F), 1.0F);
  EXPECT_EQ(vector_exp(-0.0F), 1.0F);
  EXPECT_EQ(vector_exp(-infinity), 0.0F);
  EXPECT_EQ(vector_exp(-100.0F), 0.0F);
  EXPECT_EQ(vector_exp(infinity), infinity);
  EXPECT_EQ(vector_exp(89.0F), infinity);
  EXPECT_TRUE(std::isnan(vector_exp(std::nanf(""))));
}

TEST(VectorErf, IsOffByLessThan6e7) {
  for (float x = -5.0F; x < 5.0F; x += 1e-4F) {
    ASSERT_NEAR(vector_erf(x), std::erf(static_cast<double>(x)), 6e-7) << x;
  }
}

}  // namespace
}  // namespace octavo::runtime
