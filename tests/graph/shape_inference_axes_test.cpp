// SPDX-License-Identifier: Apache-2.0
// Ops that join, cut, permute or reduce axes: Caffe's rules, case by case.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/graph/shapes.h"

namespace octavo::graph::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(LinearShape, KeepsTheDimensionsBeforeItsAxis) {
  Linear op = linear(24, 5);
  EXPECT_EQ(shape(op, {{7, 24}}), (Shape{7, 5}));
  EXPECT_EQ(shape(op, {{7, 2, 3, 4}}), (Shape{7, 5}));
  op.axis = 2;
  EXPECT_EQ(shape(op, {{7, 2, 6, 4}}), (Shape{7, 2, 5}));
  op.axis = -1;
  EXPECT_EQ(shape(op, {{7, 24}}), (Shape{7, 5}));
  op.axis = 0;
  EXPECT_EQ(shape(op, {{24}}), (Shape{5}));
}

TEST(LinearShape, RefusesInputsThatTheWeightsAreNotFor) {
  Linear op = linear(24, 5);
  EXPECT_THAT(shape_error(op, {{7, 25}}), HasSubstr("25 inputs from axis 1 of [7,25], but the weights [5,24]"));
  op.axis = 2;
  EXPECT_THAT(shape_error(op, {{7, 24}}), HasSubstr("axis 2 is out of range"));
  op.axis = 1;
  op.add_residual = true;
  EXPECT_THAT(shape_error(op, {{7, 24}, {1, 5}}), HasSubstr("residual"));
}

TEST(ConcatShape, AddsUpTheAxis) {
  EXPECT_EQ(shape(Concat{}, {{1, 3, 4, 4}, {1, 5, 4, 4}}), (Shape{1, 8, 4, 4}));
  EXPECT_EQ(shape(Concat{.axis = -1}, {{1, 3}, {1, 5}, {1, 1}}), (Shape{1, 9}));
  EXPECT_EQ(shape(Concat{.axis = 0}, {{2, 3}}), (Shape{2, 3}));
  EXPECT_THAT(shape_error(Concat{}, {{1, 3, 4, 4}, {1, 3, 4, 5}}), HasSubstr("differ outside axis 1"));
  EXPECT_THAT(shape_error(Concat{}, {{1, 3}, {1, 3, 1}}), HasSubstr("differ in rank"));
  EXPECT_THAT(shape_error(Concat{.axis = 2}, {{1, 3}}), HasSubstr("out of range"));
}

TEST(SliceShape, CutsAtPointsOrIntoEqualParts) {
  EXPECT_THAT(output_shapes(Slice{}, {{1, 6, 2, 2}}, 3),
              ElementsAre(Shape{1, 2, 2, 2}, Shape{1, 2, 2, 2}, Shape{1, 2, 2, 2}));
  EXPECT_THAT(output_shapes(Slice{.axis = -1, .points = {1, 4}}, {{2, 6}}, 3),
              ElementsAre(Shape{2, 1}, Shape{2, 3}, Shape{2, 2}));
  EXPECT_THAT(output_shapes(Slice{}, {{1, 6}}, 1), ElementsAre(Shape{1, 6}));
  EXPECT_THAT(shape_error(Slice{}, {{1, 7}}, 3), HasSubstr("cannot be cut into 3 equal parts"));
  EXPECT_THAT(shape_error(Slice{.axis = 1, .points = {6}}, {{1, 6}}, 2), HasSubstr("between 6 and 6"));
  EXPECT_THAT(shape_error(Slice{.axis = 1, .points = {7}}, {{1, 6}}, 2), HasSubstr("slice point 7"));
}

TEST(SliceShape, UndoesConcat) {
  const Shapes parts{{2, 1, 3}, {2, 5, 3}, {2, 2, 3}};
  const Shape whole = shape(Concat{}, parts);
  EXPECT_EQ(output_shapes(Slice{.axis = 1, .points = {1, 6}}, {whole}, 3), parts);
}

TEST(FlattenShape, JoinsARangeOfAxes) {
  EXPECT_EQ(shape(Flatten{}, {{2, 3, 4, 5}}), (Shape{2, 60}));
  EXPECT_EQ(shape(Flatten{.axis = 1, .end_axis = 2}, {{2, 3, 4, 5}}), (Shape{2, 12, 5}));
  EXPECT_EQ(shape(Flatten{.axis = -2, .end_axis = -1}, {{2, 3, 4, 5}}), (Shape{2, 3, 20}));
  EXPECT_EQ(shape(Flatten{.axis = 0}, {{2, 3}}), (Shape{6}));
  EXPECT_EQ(shape(Flatten{.axis = 1, .end_axis = 1}, {{2, 3, 4}}), (Shape{2, 3, 4}));
}

TEST(FlattenShape, OfAnEmptyRangeInsertsAnAxis) {
  EXPECT_EQ(shape(Flatten{.axis = 1, .end_axis = 0}, {{2, 3, 4}}), (Shape{2, 1, 3, 4}));
  EXPECT_THAT(shape_error(Flatten{.axis = 2, .end_axis = 0}, {{2, 3, 4}}), HasSubstr("behind end_axis"));
}

TEST(ReshapeShape, CopiesAndInfers) {
  EXPECT_EQ(shape(Reshape{.dims = {0, -1}}, {{2, 3, 4, 5}}), (Shape{2, 60}));
  EXPECT_EQ(shape(Reshape{.dims = {0, 0, -1}}, {{2, 3, 4, 5}}), (Shape{2, 3, 20}));
  EXPECT_EQ(shape(Reshape{.dims = {-1}}, {{2, 3}}), (Shape{6}));
  EXPECT_EQ(shape(Reshape{.dims = {3, 2}}, {{2, 3}}), (Shape{3, 2}));
}

TEST(ReshapeShape, ReplacesARangeOfAxes) {
  EXPECT_EQ(shape(Reshape{.dims = {6, 2}, .axis = 1, .num_axes = 2}, {{2, 3, 4, 5}}), (Shape{2, 6, 2, 5}));
  EXPECT_EQ(shape(Reshape{.dims = {1, -1}, .axis = -1}, {{2, 3}}), (Shape{2, 3, 1, 1}));  // -1: behind the last axis
  EXPECT_EQ(shape(Reshape{.dims = {1}, .axis = -1, .num_axes = 0}, {{2, 3}}), (Shape{2, 3, 1}));
  EXPECT_EQ(shape(Reshape{.dims = {1}, .axis = 0, .num_axes = 0}, {{2, 3}}), (Shape{1, 2, 3}));
  EXPECT_EQ(shape(Reshape{.dims = {-1}, .axis = -3}, {{2, 3, 4}}), (Shape{2, 12}));
  EXPECT_EQ(shape(Reshape{.dims = {}, .axis = 1}, {{2, 1}}), (Shape{2}));
  EXPECT_EQ(shape(Reshape{.dims = {}}, {{1, 1}}), (Shape{1}));  // a scalar is [1]
}

TEST(ReshapeShape, RefusesWhatDoesNotAddUp) {
  EXPECT_THAT(shape_error(Reshape{.dims = {4}}, {{2, 3}}), HasSubstr("6 elements cannot become 4"));
  EXPECT_THAT(shape_error(Reshape{.dims = {4, -1}}, {{2, 3}}), HasSubstr("not a multiple"));
  EXPECT_THAT(shape_error(Reshape{.dims = {2, 3, 0}}, {{2, 3}}), HasSubstr("dimension 2 is to be copied"));
  EXPECT_THAT(shape_error(Reshape{.dims = {1}, .axis = 3}, {{2, 3}}), HasSubstr("out of range"));
  EXPECT_THAT(shape_error(Reshape{.dims = {1}, .axis = 1, .num_axes = 2}, {{2, 3}}), HasSubstr("2 axes from axis 1"));
  const std::int64_t huge = std::int64_t{1} << 40;
  EXPECT_THAT(shape_error(Reshape{.dims = {huge, huge}}, {{2, 3}}), HasSubstr("overflows"));
}

TEST(PermuteShape, PutsEachAxisWhereTheOrderSays) {
  EXPECT_EQ(shape(Permute{.order = {0, 2, 3, 1}}, {{2, 3, 4, 5}}), (Shape{2, 4, 5, 3}));
  EXPECT_EQ(shape(Permute{.order = {3}}, {{2, 3, 4, 5}}), (Shape{5, 2, 3, 4}));
  EXPECT_THAT(shape_error(Permute{.order = {0, 0}}, {{2, 3}}), HasSubstr("named twice"));
  EXPECT_THAT(shape_error(Permute{.order = {0, 1, 2}}, {{2, 3}}), HasSubstr("3 axes for 2 dimensions"));
}

TEST(CropShape, TakesTheSecondInputsSizeFromTheAxisOn) {
  EXPECT_EQ(shape(Crop{}, {{1, 3, 9, 9}, {4, 5, 6, 7}}), (Shape{1, 3, 6, 7}));
  EXPECT_EQ(shape(Crop{.axis = 1, .offsets = {1, 2, 3}}, {{1, 3, 9, 9}, {4, 2, 6, 6}}), (Shape{1, 2, 6, 6}));
  EXPECT_EQ(shape(Crop{.axis = -1, .offsets = {2}}, {{1, 3, 9, 9}, {4, 2, 6, 7}}), (Shape{1, 3, 9, 7}));
  EXPECT_THAT(shape_error(Crop{.axis = 2, .offsets = {3, 3}}, {{1, 3, 9, 9}, {1, 1, 6, 7}}),
              HasSubstr("7 from offset 3 on do not fit into the 9 of dimension 3"));
  EXPECT_THAT(shape_error(Crop{.axis = 1, .offsets = {1, 2}}, {{1, 3, 9, 9}, {1, 1, 6, 7}}),
              HasSubstr("2 offsets for 3 cropped dimensions"));
  EXPECT_THAT(shape_error(Crop{}, {{1, 3, 9, 9}, {6, 7}}), HasSubstr("fewer dimensions"));
}

TEST(TileShape, RepeatsAnAxis) {
  EXPECT_EQ(shape(Tile{.axis = 1, .tiles = 4}, {{2, 3, 5}}), (Shape{2, 12, 5}));
  EXPECT_EQ(shape(Tile{.axis = -1, .tiles = 2}, {{2, 3}}), (Shape{2, 6}));
  EXPECT_THAT(shape_error(Tile{.axis = 1, .tiles = (std::int64_t{1} << 31) - 1}, {{1 << 20, 1 << 10}}),
              HasSubstr("more than 2^40 elements"));
}

TEST(ReductionShape, DropsTheDimensionsFromItsAxisOn) {
  EXPECT_EQ(shape(Reduction{}, {{2, 3, 4}}), (Shape{1}));
  EXPECT_EQ(shape(Reduction{.kind = ReductionKind::mean, .axis = 1}, {{2, 3, 4}}), (Shape{2}));
  EXPECT_EQ(shape(Reduction{.kind = ReductionKind::mean, .axis = -1}, {{2, 3, 4}}), (Shape{2, 3}));
}

TEST(ArgMaxShape, WithAnAxisKeepsTheOthers) {
  EXPECT_EQ(shape(ArgMax{.has_axis = true, .axis = 1, .top_k = 2}, {{4, 7, 3}}), (Shape{4, 2, 3}));
  EXPECT_EQ(shape(ArgMax{.has_axis = true, .out_max_value = true, .axis = -1}, {{4, 7, 3}}), (Shape{4, 7, 1}));
  EXPECT_THAT(shape_error(ArgMax{.has_axis = true, .axis = 1, .top_k = 8}, {{4, 7, 3}}), HasSubstr("top 8 of 7"));
}

TEST(ArgMaxShape, WithoutAnAxisIsOverAllBehindTheFirst) {
  EXPECT_EQ(shape(ArgMax{.top_k = 5}, {{4, 10}}), (Shape{4, 1, 5}));
  EXPECT_EQ(shape(ArgMax{.out_max_value = true, .top_k = 5}, {{4, 10}}), (Shape{4, 2, 5}));
  EXPECT_EQ(shape(ArgMax{.out_max_value = true, .top_k = 5}, {{4, 10, 3, 3}}), (Shape{4, 2, 5, 1}));
  EXPECT_THAT(shape_error(ArgMax{.top_k = 11}, {{4, 10}}), HasSubstr("top 11 of 10"));
}

TEST(EmbedShape, AppendsTheRow) {
  EXPECT_EQ(shape(Embed{.weights = random_blob({100, 16}, 1), .bias = nullptr}, {{2, 7}}), (Shape{2, 7, 16}));
}

}  // namespace
}  // namespace octavo::graph::test
