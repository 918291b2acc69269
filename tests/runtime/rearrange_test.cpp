// SPDX-License-Identifier: Apache-2.0
// Slice, Crop, Tile, Permute, Flatten, Reshape: against the definition of each, index by index, over generated shapes.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/runtime/one_step.h"

namespace octavo::runtime::test {
namespace {

class Rearrange : public testing::Test {
 protected:
  std::mt19937 random_{20};

  std::int64_t draw(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  Shape draw_shape(std::size_t rank, std::int64_t most = 6) {
    Shape shape(rank);
    for (std::int64_t& dim : shape) dim = draw(1, most);
    return shape;
  }
  /// The axis as a user may write it: from the front or from the end.
  std::int64_t spell(std::size_t axis, std::size_t rank) {
    return static_cast<std::int64_t>(axis) - (draw(0, 1) == 1 ? static_cast<std::int64_t>(rank) : 0);
  }
};

TEST_F(Rearrange, SliceGivesConsecutivePartsOfTheAxis) {
  for (int round = 0; round < 200; ++round) {
    const auto rank = static_cast<std::size_t>(draw(1, 5)), axis = static_cast<std::size_t>(draw(0, 4)) % rank;
    Shape shape = draw_shape(rank);
    shape[axis] = draw(2, 9);
    graph::Slice op{spell(axis, rank), {}};
    std::vector<std::int64_t> ends;
    for (std::int64_t end = draw(1, 3); end < shape[axis]; end += draw(1, 3)) ends.push_back(end);
    op.points = ends;
    ends.push_back(shape[axis]);
    const Tensor x = random_tensor(shape, random_);
    for (const Layout layout : layouts_of(op, rank)) {
      const std::vector<Tensor> parts = run_op(op, {x}, layout, ends.size());
      std::int64_t begin = 0;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        ASSERT_EQ(parts[i].shape()[axis], ends[i] - begin);
        for (Index index(parts[i].shape()); index; ++index) {
          Shape source = *index;
          source[axis] += begin;
          ASSERT_EQ(at(parts[i], *index), at(x, source));
        }
        begin = ends[i];
      }
    }
  }
}

TEST_F(Rearrange, SliceWithoutPointsCutsIntoEqualParts) {
  const Tensor x = random_tensor({2, 6, 3, 5}, random_);
  const graph::Slice op{1, {}};
  for (const Layout layout : layouts_of(op, 4)) {
    const std::vector<Tensor> parts = run_op(op, {x}, layout, 3);
    for (std::int64_t part = 0; part < 3; ++part) {
      const Tensor& y = parts[static_cast<std::size_t>(part)];
      ASSERT_EQ(y.shape(), (Shape{2, 2, 3, 5}));
      for (Index i(y.shape()); i; ++i) {
        ASSERT_EQ(at(y, *i), at(x, {(*i)[0], (*i)[1] + 2 * part, (*i)[2], (*i)[3]}));
      }
    }
  }
}

TEST_F(Rearrange, CropTakesTheSecondInputsSizeFromTheOffsets) {
  for (int round = 0; round < 200; ++round) {
    const auto rank = static_cast<std::size_t>(draw(1, 5)), first = static_cast<std::size_t>(draw(0, 4)) % rank;
    const Shape shape = draw_shape(rank);
    Shape size = shape, offsets(rank, 0);
    const bool one_for_all = draw(0, 1) == 1;
    std::int64_t room = 100;
    for (std::size_t i = first; i < rank; ++i) {
      size[i] = draw(1, shape[i]);
      room = std::min(room, shape[i] - size[i]);
    }
    for (std::size_t i = first; i < rank; ++i) offsets[i] = one_for_all ? room : draw(0, shape[i] - size[i]);
    graph::Crop op{spell(first, rank), {}};
    if (one_for_all && room > 0) {
      op.offsets = {room};
    } else if (!one_for_all) {
      op.offsets.assign(offsets.begin() + static_cast<std::ptrdiff_t>(first), offsets.end());
    }
    const Tensor x = random_tensor(shape, random_);
    for (const Layout layout : layouts_of(op, rank)) {
      const Tensor y = run_op(op, {x, Tensor(size)}, layout)[0];
      ASSERT_EQ(y.shape(), size);
      for (Index index(size); index; ++index) {
        Shape source = *index;
        for (std::size_t i = 0; i < rank; ++i) source[i] += offsets[i];
        ASSERT_EQ(at(y, *index), at(x, source));
      }
    }
  }
}

TEST_F(Rearrange, TileRepeatsTheWholeAxis) {
  for (int round = 0; round < 200; ++round) {
    const auto rank = static_cast<std::size_t>(draw(1, 5)), axis = static_cast<std::size_t>(draw(0, 4)) % rank;
    const Tensor x = random_tensor(draw_shape(rank), random_);
    const graph::Tile op{spell(axis, rank), draw(1, 4)};
    for (const Layout layout : layouts_of(op, rank)) {
      const Tensor y = run_op(op, {x}, layout)[0];
      ASSERT_EQ(y.shape()[axis], x.shape()[axis] * op.tiles);
      for (Index index(y.shape()); index; ++index) {
        Shape source = *index;
        source[axis] %= x.shape()[axis];
        ASSERT_EQ(at(y, *index), at(x, source));
      }
    }
  }
}

TEST_F(Rearrange, PermuteMovesEachAxisToItsNewPlace) {
  for (int round = 0; round < 300; ++round) {
    const auto rank = static_cast<std::size_t>(draw(1, 5));
    const Tensor x = random_tensor(draw_shape(rank), random_);
    Shape order(rank);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random_);
    const graph::Permute op{order};
    for (const Layout layout : layouts_of(op, rank)) {
      const Tensor y = run_op(op, {x}, layout)[0];
      for (Index index(y.shape()); index; ++index) {
        Shape source(rank);
        for (std::size_t i = 0; i < rank; ++i) source[static_cast<std::size_t>(order[i])] = (*index)[i];
        ASSERT_EQ(at(y, *index), at(x, source));
      }
    }
  }
}

TEST_F(Rearrange, PermuteAppendsTheAxesThatItDoesNotName) {
  const Tensor x = random_tensor({2, 3, 4, 5}, random_);
  const Tensor y = run_op(graph::Permute{{2, 0}}, {x}, Layout::nhwc)[0];
  ASSERT_EQ(y.shape(), (Shape{4, 2, 3, 5}));
  for (Index i(y.shape()); i; ++i) ASSERT_EQ(at(y, *i), at(x, {(*i)[1], (*i)[2], (*i)[0], (*i)[3]}));
}

TEST_F(Rearrange, LargeValuesAreTheSameWithAnyNumberOfThreads) {
  const Tensor x = random_tensor({2, 32, 37, 53}, random_);  // more than threads share out at once
  for (const graph::Op& op : {graph::Op(graph::Permute{{0, 2, 3, 1}}), graph::Op(graph::Tile{2, 3}),
                              graph::Op(graph::Slice{3, {17}}), graph::Op(graph::Permute{{3, 2, 1, 0}})}) {
    const std::size_t outputs = std::holds_alternative<graph::Slice>(op) ? 2 : 1;
    for (const Layout layout : layouts_of(op, 4)) {
      const std::vector<Tensor> alone = run_op(op, {x}, layout, outputs, 1);
      for (const int threads : {2, 5}) {
        const std::vector<Tensor> together = run_op(op, {x}, layout, outputs, threads);
        for (std::size_t i = 0; i < outputs; ++i) {
          EXPECT_TRUE(std::ranges::equal(alone[i].values(), together[i].values()));
        }
      }
    }
  }
}

TEST_F(Rearrange, FlattenAndReshapeKeepTheNumbersInLogicalOrder) {
  for (int round = 0; round < 100; ++round) {
    const auto rank = static_cast<std::size_t>(draw(1, 5));
    const Tensor x = random_tensor(draw_shape(rank), random_);
    const auto begin = static_cast<std::size_t>(draw(0, 4)) % rank;
    const auto end = begin + static_cast<std::size_t>(draw(0, 4)) % (rank - begin);
    const Tensor flattened = run_op(graph::Flatten{spell(begin, rank), spell(end, rank)}, {x}, Layout::plain)[0];
    EXPECT_EQ(flattened.shape().size(), rank - (end - begin));
    EXPECT_TRUE(std::ranges::equal(flattened.values(), x.values()));
    const Tensor reshaped = run_op(graph::Reshape{{0, -1, 1}, 0, -1}, {x}, Layout::plain)[0];
    EXPECT_EQ(reshaped.shape(), (Shape{x.shape()[0], x.size() / x.shape()[0], 1}));
    EXPECT_TRUE(std::ranges::equal(reshaped.values(), x.values()));
  }
}

TEST_F(Rearrange, WhereNothingMovesNothingRuns) {
  const Tensor x = random_tensor({2, 3, 4, 5}, random_);
  const auto is_alias = [&](const graph::Op& op, std::size_t inputs, Layout layout) {
    const graph::Graph graph = one_op_graph(op, std::vector<Tensor>(inputs, x), 1);
    const BuildContext build{dnnl::engine(dnnl::engine::kind::cpu, 0), nullptr, {}, Isa::reference, 1, {}, {}};
    const StepRequest request{graph, graph.nodes.back(), build, {0, 1}, {2}, {layout, layout}};
    return builder_of(op).build(request).alias;
  };
  EXPECT_TRUE(is_alias(graph::Tile{1, 1}, 1, Layout::nhwc));
  EXPECT_TRUE(is_alias(graph::Crop{2, {}}, 2, Layout::nhwc));
  EXPECT_TRUE(is_alias(graph::Slice{1, {}}, 1, Layout::nhwc));
  EXPECT_TRUE(is_alias(graph::Permute{{0, 2, 3, 1}}, 1, Layout::nhwc));  // channels-last already is that order
  EXPECT_FALSE(is_alias(graph::Permute{{0, 2, 3, 1}}, 1, Layout::plain));
  EXPECT_FALSE(is_alias(graph::Tile{1, 2}, 1, Layout::plain));
}

}  // namespace
}  // namespace octavo::runtime::test
