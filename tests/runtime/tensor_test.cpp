// SPDX-License-Identifier: Apache-2.0
// Tensors: sizes are checked.
#include "octavo/tensor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/runtime/expect_error.h"

namespace octavo {
namespace {

using test::expect_error;

TEST(Tensor, StartsWithZeros) {
  const Tensor tensor(Shape{2, 3, 4});
  EXPECT_EQ(tensor.size(), 24);
  EXPECT_EQ(tensor.shape(), (Shape{2, 3, 4}));
  EXPECT_TRUE(std::all_of(tensor.values().begin(), tensor.values().end(), [](float x) { return x == 0.0F; }));
}

TEST(Tensor, KeepsItsValuesInRowMajorOrder) {
  const Tensor tensor({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(tensor.data()[1 * 2 + 0], 3.0F);
}

TEST(Tensor, WithoutDimensionsIsOneNumber) { EXPECT_EQ(Tensor(Shape{}).size(), 1); }

TEST(Tensor, AZeroDimensionIsEmpty) { EXPECT_EQ(Tensor(Shape{3, 0, 5}).size(), 0); }

TEST(Tensor, WrongSizesAreErrors) {
  expect_error(ErrorKind::invalid_argument, "[2,2] has 4 values, but 3", [] { Tensor({2, 2}, {1, 2, 3}); });
  expect_error(ErrorKind::invalid_argument, "negative", [] { Tensor(Shape{2, -1}); });
  expect_error(ErrorKind::invalid_argument, "too many", [] { Tensor(Shape{1LL << 40U, 1LL << 40U}); });
  expect_error(ErrorKind::resource, "no memory", [] { Tensor(Shape{1LL << 40U, 1LL << 21U}); });
}

}  // namespace
}  // namespace octavo
