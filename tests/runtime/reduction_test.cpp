// SPDX-License-Identifier: Apache-2.0
// Reduction, ArgMax and Embed: against plain loops over generated shapes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "octavo/error.h"
#include "tests/runtime/one_step.h"

namespace octavo::runtime::test {
namespace {

using graph::ReductionKind;

double term(ReductionKind kind, double x) {
  if (kind == ReductionKind::abs_sum) return std::fabs(x);
  return kind == ReductionKind::square_sum ? x * x : x;
}

TEST(Reduction, CollapsesAllDimensionsFromTheAxisOn) {
  std::mt19937 random(21);
  for (const ReductionKind kind :
       {ReductionKind::sum, ReductionKind::abs_sum, ReductionKind::square_sum, ReductionKind::mean}) {
    for (const Shape& shape : {Shape{7}, Shape{3, 5}, Shape{2, 3, 4}, Shape{2, 3, 4, 5}, Shape{1, 2, 1, 3, 2}}) {
      for (std::int64_t axis = -static_cast<std::int64_t>(shape.size()); axis < static_cast<std::int64_t>(shape.size());
           ++axis) {
        const auto first = static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(shape.size()) : axis);
        const Tensor x = random_tensor(shape, random);
        const Tensor y = run_op(graph::Reduction{kind, axis, -1.5F}, {x}, Layout::plain)[0];
        std::int64_t rows = 1;
        for (std::size_t i = 0; i < first; ++i) rows *= shape[i];
        ASSERT_EQ(y.size(), rows);
        const std::int64_t row = x.size() / rows;
        for (std::int64_t r = 0; r < rows; ++r) {
          double sum = 0;
          for (std::int64_t i = 0; i < row; ++i) sum += term(kind, static_cast<double>(x.data()[r * row + i]));
          if (kind == ReductionKind::mean) sum /= static_cast<double>(row);
          EXPECT_NEAR(y.data()[r], -1.5 * sum, 1e-5 * std::max(1.0, std::fabs(sum)));
        }
      }
    }
  }
}

TEST(Reduction, ALongRowKeepsItsPrecision) {
  const Tensor x({1, 1 << 20}, std::vector<float>(1 << 20, 0.1F));
  EXPECT_EQ(run_op(graph::Reduction{ReductionKind::mean, 1, 1.0F}, {x}, Layout::plain)[0].values()[0], 0.1F);
}

/// Indices along a row, best first, by the definition: larger values first, of equal ones the later.
std::vector<std::size_t> ranking(const std::vector<float>& row) {
  std::vector<std::size_t> order;
  std::vector<bool> taken(row.size(), false);
  for (std::size_t k = 0; k < row.size(); ++k) {
    std::size_t best = row.size();
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!taken[i] && (best == row.size() || row[i] >= row[best])) best = i;
    }
    taken[best] = true;
    order.push_back(best);
  }
  return order;
}

/// Few distinct values, so that ties are common.
Tensor coarse_tensor(const Shape& shape, std::mt19937& random) {
  Tensor tensor = random_tensor(shape, random, -3.0F, 3.0F);
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.data()[i] = std::round(tensor.data()[i]);
  return tensor;
}

TEST(ArgMax, AlongAnAxisGivesTheBestFirst) {
  std::mt19937 random(22);
  for (const Shape& shape : {Shape{6}, Shape{3, 5}, Shape{2, 7, 3}, Shape{2, 6, 4, 5}}) {
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      for (const bool values : {false, true}) {
        const std::int64_t top_k = std::min<std::int64_t>(shape[axis], 3);
        const Tensor x = coarse_tensor(shape, random);
        const graph::ArgMax op{
            .has_axis = true, .out_max_value = values, .axis = static_cast<std::int64_t>(axis), .top_k = top_k};
        const Tensor y = run_op(op, {x}, Layout::plain)[0];
        ASSERT_EQ(y.shape()[axis], top_k);
        for (Index index(y.shape()); index; ++index) {
          std::vector<float> row;
          Shape source = *index;
          for (source[axis] = 0; source[axis] < shape[axis]; ++source[axis]) row.push_back(at(x, source));
          const std::size_t winner = ranking(row)[static_cast<std::size_t>((*index)[axis])];
          EXPECT_EQ(at(y, *index), values ? row[winner] : static_cast<float>(winner));
        }
      }
    }
  }
}

TEST(ArgMax, WithoutAnAxisRanksEachItemAsAWhole) {
  std::mt19937 random(23);
  for (const Shape& shape : {Shape{3, 11}, Shape{2, 3, 5}, Shape{2, 3, 4, 5}}) {
    for (const bool values : {false, true}) {
      const std::int64_t top_k = 4;
      const Tensor x = coarse_tensor(shape, random);
      const Tensor y = run_op(graph::ArgMax{.has_axis = false, .out_max_value = values, .axis = 1, .top_k = top_k}, {x},
                              Layout::plain)[0];
      const std::int64_t row_size = x.size() / shape[0], written = values ? 2 * top_k : top_k;
      ASSERT_EQ(y.size(), shape[0] * written);
      for (std::int64_t n = 0; n < shape[0]; ++n) {
        const std::vector<float> row(x.data() + n * row_size, x.data() + (n + 1) * row_size);
        const std::vector<std::size_t> order = ranking(row);
        for (std::int64_t k = 0; k < top_k; ++k) {
          const std::size_t winner = order[static_cast<std::size_t>(k)];
          EXPECT_EQ(y.data()[n * written + k], static_cast<float>(winner));
          if (values) {
            EXPECT_EQ(y.data()[n * written + top_k + k], row[winner]);
          }
        }
      }
    }
  }
}

TEST(ArgMax, ANanShowsAndDoesNotDisturbTheRest) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const Tensor x({1, 5}, {1.0F, nan, inf, -inf, 2.0F});
  const Tensor y =
      run_op(graph::ArgMax{.has_axis = true, .out_max_value = false, .axis = 1, .top_k = 5}, {x}, Layout::plain)[0];
  EXPECT_EQ(std::vector<float>(y.values().begin(), y.values().end()), (std::vector<float>{1, 2, 4, 0, 3}));
}

TEST(Embed, PicksTheRowAndAddsTheBias) {
  std::mt19937 random(24);
  const Tensor table = random_tensor({9, 4}, random), bias = random_tensor({4}, random);
  const auto numbers = [](const Tensor& tensor) {
    return std::vector<float>(tensor.values().begin(), tensor.values().end());
  };
  for (const bool with_bias : {false, true}) {
    const graph::Embed op{graph::make_blob({9, 4}, numbers(table)),
                          with_bias ? graph::make_blob({4}, numbers(bias)) : nullptr};
    const Tensor x({2, 3}, {0, 8, 3, 3, 7.75F, 1});  // a fraction is cut off
    const Tensor y = run_op(op, {x}, Layout::plain)[0];
    ASSERT_EQ(y.shape(), (Shape{2, 3, 4}));
    for (Index i(y.shape()); i; ++i) {
      const auto row = static_cast<std::int64_t>(at(x, {(*i)[0], (*i)[1]}));
      EXPECT_EQ(at(y, *i), at(table, {row, (*i)[2]}) + (with_bias ? at(bias, {(*i)[2]}) : 0.0F));
    }
  }
}

TEST(Embed, RefusesIndicesOutsideTheTable) {
  const graph::Embed op{graph::make_blob({3, 2}, {1, 2, 3, 4, 5, 6}), nullptr};
  for (const float index : {-1.0F, 3.0F, 1e30F, std::numeric_limits<float>::quiet_NaN()}) {
    try {
      (void)run_op(op, {Tensor({1}, {index})}, Layout::plain);
      ADD_FAILURE() << "index " << index << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid_argument);
      EXPECT_EQ(error.where(), "op");
    }
  }
}

}  // namespace
}  // namespace octavo::runtime::test
