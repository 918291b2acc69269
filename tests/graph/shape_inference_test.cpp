// SPDX-License-Identifier: Apache-2.0
// Ops that keep the shape, and the walk through a graph: overrides, limits, what an error says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/graph/shapes.h"

namespace octavo::graph::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(PointwiseShape, IsTheInputs) {
  const Shape x{2, 3, 4, 5};
  EXPECT_EQ(shape(Unary{}, {x}), x);
  EXPECT_EQ(shape(Softmax{.axis = -1}, {x}), x);
  EXPECT_EQ(shape(Eltwise{}, {x, x, x}), x);
  EXPECT_EQ(shape(Quantize{}, {x}), x);
  EXPECT_EQ(output_shapes(Identity{}, {x}, 2), (Shapes{x, x}));
  EXPECT_THAT(shape_error(Softmax{.axis = 4}, {x}), HasSubstr("out of range"));
  EXPECT_THAT(shape_error(Eltwise{}, {x, {2, 3, 4, 1}}), HasSubstr("[2,3,4,5] and [2,3,4,1] differ"));
}

TEST(PReluShape, WantsOneSlopeOrOneAChannel) {
  EXPECT_EQ(shape(PRelu{.slopes = constant({3}, 0)}, {{2, 3, 4, 4}}), (Shape{2, 3, 4, 4}));
  EXPECT_EQ(shape(PRelu{.slopes = constant({1}, 0)}, {{2, 3, 4, 4}}), (Shape{2, 3, 4, 4}));
  EXPECT_THAT(shape_error(PRelu{.slopes = constant({4}, 0)}, {{2, 3, 4, 4}}), HasSubstr("4 slopes for the 3 channels"));
}

TEST(BatchNormShape, WantsAMeanForEachChannel) {
  const BatchNorm norm{.mean = constant({3}, 0), .variance = constant({3}, 1)};
  EXPECT_EQ(shape(norm, {{2, 3}}), (Shape{2, 3}));
  EXPECT_THAT(shape_error(norm, {{2, 4}}), HasSubstr("3 means for the 4 channels"));
  EXPECT_THAT(shape_error(norm, {{3}}), HasSubstr("the 1 channels"));  // a vector is a batch
}

TEST(ScaleShape, MatchesItsParametersFromTheAxisOn) {
  const Shape x{2, 3, 4, 5};
  EXPECT_EQ(shape(Scale{.factor = constant({3}, 1)}, {x}), x);
  EXPECT_EQ(shape(Scale{.factor = constant({3, 4}, 1), .offset = constant({3, 4, 5}, 1)}, {x}), x);
  EXPECT_EQ(shape(Scale{.axis = -1, .offset = constant({5}, 1)}, {x}), x);
  EXPECT_EQ(shape(Scale{.axis = 0, .factor = constant({}, 2)}, {x}), x);
  EXPECT_THAT(shape_error(Scale{.factor = constant({4}, 1)}, {x}), HasSubstr("the factor [4] does not fit [2,3,4,5]"));
  EXPECT_THAT(shape_error(Scale{.axis = 3, .offset = constant({5, 1}, 1)}, {x}), HasSubstr("the offset [5,1]"));
}

TEST(ScaleShape, MatchesASecondInputLikeAParameter) {
  const Shape x{2, 3, 4, 5};
  EXPECT_EQ(shape(Scale{.axis = 0}, {x, {2, 3}}), x);
  EXPECT_EQ(shape(Scale{.axis = 1, .second_is_offset = true}, {x, {3}}), x);
  EXPECT_THAT(shape_error(Scale{.axis = 1}, {x, {2, 3}}), HasSubstr("the factor [2,3]"));
  EXPECT_THAT(shape_error(Scale{.axis = 1, .second_is_offset = true}, {x, {2}}), HasSubstr("the offset [2]"));
}

Graph small_net() {
  Net net;
  const ValueId x = net.input("data", {1, 3, 8, 8});
  const ValueId y = net.add("conv1", convolution(3, 4, 3), {x});
  return net.done({net.add("fc", linear(4 * 36, 10), {y})});
}

TEST(InferShapes, FillsEveryValue) {
  Graph graph = small_net();
  infer_shapes(graph);
  EXPECT_EQ(graph.values[0].shape, (Shape{1, 3, 8, 8}));
  EXPECT_EQ(graph.values[1].shape, (Shape{1, 4, 6, 6}));
  EXPECT_EQ(graph.values[2].shape, (Shape{1, 10}));
}

TEST(InferShapes, TakesOtherInputShapes) {
  Graph graph = small_net();
  infer_shapes(graph);
  infer_shapes(graph, {{"data", {5, 3, 8, 8}}});
  EXPECT_EQ(graph.values[2].shape, (Shape{5, 10}));
  EXPECT_EQ(op_at<Input>(graph, "data").shape, (Shape{5, 3, 8, 8}));
  verify(graph);
}

TEST(InferShapes, NamesTheLayerItsInputsAndTheRule) {
  Graph graph = small_net();
  EXPECT_THAT(error_of([&] {
                infer_shapes(graph, {{"data", {1, 3, 9, 8}}});
              }),
              AllOf(HasSubstr("layer 'fc' (Linear)"), HasSubstr("168 inputs"), HasSubstr("inputs: [1,4,7,6]")));
  EXPECT_THAT(error_of([&] { infer_shapes(graph, {{"datum", {1, 3, 9, 8}}}); }), HasSubstr("no input 'datum'"));
  EXPECT_THAT(error_of([&] { infer_shapes(graph, {{"fc", {1, 3}}}); }), HasSubstr("no input 'fc'"));
}

TEST(InferShapes, LimitsWhatAValueHolds) {
  Graph graph = small_net();
  const std::int64_t side = std::int64_t{1} << 20;
  EXPECT_THAT(error_of([&] {
                infer_shapes(graph, {{"data", {1, 3, side, side}}});
              }),
              AllOf(HasSubstr("layer 'data' (Input)"), HasSubstr("more than 2^40 elements")));
  EXPECT_THAT(error_of([&] { infer_shapes(graph, {{"data", {1, 3, 0, 8}}}); }), HasSubstr("empty dimension"));
  EXPECT_THAT(error_of([&] { infer_shapes(graph, {{"data", {1, -3, 8, 8}}}); }), HasSubstr("empty dimension"));
  EXPECT_THAT(error_of([&] { infer_shapes(graph, {{"data", {}}}); }), HasSubstr("not known"));
}

TEST(InferShapes, LeavesTheGraphAsItWasOnAnError) {
  Graph graph = small_net();
  infer_shapes(graph);
  const std::string before = print(graph);
  EXPECT_THROW(infer_shapes(graph, {{"data", {1, 3, 9, 8}}}), Error);
  EXPECT_EQ(print(graph), before);
}

}  // namespace
}  // namespace octavo::graph::test
