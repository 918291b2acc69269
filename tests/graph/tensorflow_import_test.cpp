// SPDX-License-Identifier: Apache-2.0
// What TensorFlow files become: patterns of nodes as the graph's layers, constants computed, maps in the graph's order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/compiler.h"
#include "tests/graph/net.h"
#include "tests/graph/tensorflow_files.h"

namespace octavo::graph {
namespace {

using test::op_at;
using test::ops_of;
using testing::ElementsAre;
using testing::HasSubstr;

using Axes = std::vector<std::int64_t>;

TEST(TensorflowImport, AClassifierWithUnfusedBatchNormBecomesConvolutionPoolAndLinear) {
  const auto numbers = [](float number) { return std::vector<float>(8, number); };
  TensorflowModel model;
  model.input("x", {-1, 8, 8, 3});
  model.node("Conv2D", {"x", model.floats("w", {3, 3, 3, 8})}, "c", TensorflowModel::window("SAME"));
  // gamma / sqrt(variance + epsilon) and what follows from it are constants; what they came from is kept.
  model.node("AddV2", {model.floats("variance", {8}, numbers(2.0F)), model.floats("epsilon", {}, {0.001F})}, "sum");
  model.node("Rsqrt", {"sum"}, "root");
  model.node("Mul", {"root", model.floats("gamma", {8}, numbers(3.0F))}, "factor");
  model.node("Mul", {"c", "factor"}, "scaled");
  model.node("Mul", {model.floats("mean", {8}, numbers(0.25F)), "factor"}, "moved");
  model.node("Sub", {model.floats("beta", {8}, numbers(-1.0F)), "moved"}, "offset");
  model.node("AddV2", {"scaled", "offset"}, "n");
  model.node("Relu6", {"n"}, "r");
  model.node("Mean", {"r", model.integers("axes", {1, 2})}, "p");
  model.node("MatMul", {"p", model.floats("v", {8, 10})}, "m");
  model.node("BiasAdd", {"m", model.floats("b", {10})}, "l");
  model.node("Softmax", {"l"}, "s");
  const Graph graph = TensorflowFiles().import(model.finish());
  EXPECT_EQ(ops_of(graph).substr(0, 39), "Input Convolution BatchNorm Scale Unary");
  const auto& norm = std::get<BatchNorm>(graph.nodes[2].op);
  EXPECT_EQ(norm.mean->f32.values[7], 0.25F);
  EXPECT_EQ(norm.variance->f32.values[7], 2.0F);
  EXPECT_EQ(norm.epsilon, 0.001F);
  const auto& scale = std::get<Scale>(graph.nodes[3].op);
  EXPECT_EQ(scale.factor->f32.values[7], 3.0F);
  EXPECT_EQ(scale.offset->f32.values[7], -1.0F);
  EXPECT_EQ(ops_of(canonicalize(graph)), "Input Convolution Pool Linear Softmax");
  EXPECT_EQ(graph.values[graph.outputs[0]].name, "s");
  EXPECT_EQ(std::get<Input>(graph.inputs()[0]->op).shape, (Shape{1, 3, 8, 8}));
  Graph batch = graph;
  infer_shapes(batch, {{"x", {5, 3, 8, 8}}});
  EXPECT_EQ(output_shape(batch), (Shape{5, 10}));
}

TEST(TensorflowImport, WhatOnlyLooksLikeABatchNormIsArithmetic) {
  for (const bool own_factor : {true, false})
    for (const float variance : {2.0F, -2.0F}) {
      TensorflowModel model;
      model.input("x", {4, 3});
      model.node("Add", {model.floats("variance", {3}, {1.0F, variance, 1.0F}), model.floats("epsilon", {})}, "sum");
      model.node("Rsqrt", {"sum"}, "factor");
      model.node("Rsqrt", {"sum"}, "other factor");
      model.node("Mul", {"x", "factor"}, "scaled");
      model.node("Mul", {model.floats("mean", {3}), own_factor ? "factor" : "other factor"}, "moved");
      model.node("Sub", {model.floats("beta", {3}), "moved"}, "offset");
      model.node("Add", {"scaled", "offset"}, "y");
      const bool is_one = own_factor && variance > 0.0F;
      const Graph graph = TensorflowFiles().import(model.finish(), {.outputs = {"y"}});
      EXPECT_EQ(ops_of(graph), is_one ? "Input BatchNorm Scale" : "Input Scale Scale");
    }
}

TEST(TensorflowImport, SamePaddingPutsTheOddPixelBehind) {
  TensorflowModel model;
  model.input("x", {1, 8, 9, 2});
  model.node("Conv2D", {"x", model.floats("w", {3, 4, 2, 4})}, "y", TensorflowModel::window("SAME", {1, 2, 2, 1}));
  const auto graph = TensorflowFiles().import(model.finish());
  EXPECT_EQ(op_at<Convolution>(graph, "y").pad_begin, (Pair{0, 1}));
  EXPECT_EQ(op_at<Convolution>(graph, "y").pad_end, (Pair{1, 2}));
  EXPECT_EQ(output_shape(graph), (Shape{1, 4, 4, 5}));
}

TEST(TensorflowImport, APictureOfOneChannelComesInAsOneChannel) {
  TensorflowModel model;
  model.input("x", {1, 8, 9, 1});
  model.node("Conv2D", {"x", model.floats("w", {3, 3, 1, 4})}, "y", TensorflowModel::window("VALID", {1, 1, 1, 1}));
  const Graph graph = TensorflowFiles().import(model.finish());
  EXPECT_EQ(std::get<Input>(graph.inputs()[0]->op).shape, (Shape{1, 1, 8, 9}));
  EXPECT_EQ(ops_of(graph), "Input Convolution");
}

TEST(TensorflowImport, ExplicitPaddingIsTakenFromItsPlacesInEitherOrder) {
  for (const bool first : {false, true}) {
    TensorflowModel model;
    model.input("x", first ? Shape{1, 2, 6, 7} : Shape{1, 6, 7, 2});
    model.node("Conv2D", {"x", model.floats("w", {3, 3, 2, 4})}, "y", [&](auto n) {
      n.set("padding", std::string_view("EXPLICIT")).set("data_format", std::string_view(first ? "NCHW" : "NHWC"));
      n.set("explicit_paddings", first ? Axes{0, 0, 0, 0, 1, 2, 3, 4} : Axes{0, 0, 1, 2, 3, 4, 0, 0});
    });
    const Graph graph = TensorflowFiles().import(model.finish());
    EXPECT_EQ(op_at<Convolution>(graph, "y").pad_begin, (Pair{1, 3}));
    EXPECT_EQ(op_at<Convolution>(graph, "y").pad_end, (Pair{2, 4}));
    EXPECT_EQ(output_shape(graph), (Shape{1, 4, 7, 12}));
  }
}

TEST(TensorflowImport, ADepthwiseKernelIsOneGroupAChannel) {
  TensorflowModel model;
  model.input("x", {1, 5, 5, 3});
  std::vector<float> weights;
  for (int i = 0; i < 6; ++i) weights.push_back(static_cast<float>(i));
  model.node("DepthwiseConv2dNative", {"x", model.floats("w", {1, 1, 3, 2}, weights)}, "y",
             TensorflowModel::window("VALID"));
  const Graph graph = TensorflowFiles().import(model.finish());
  const auto& conv = op_at<Convolution>(graph, "y");
  EXPECT_EQ(conv.groups, 3);
  EXPECT_EQ(conv.weights->shape, (Shape{6, 1, 1, 1}));
  EXPECT_THAT(to_float(*conv.weights), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(TensorflowImport, BetweenSpaceToBatchAndBatchToSpaceAConvolutionIsDilated) {
  TensorflowModel model;
  model.input("x", {1, 9, 9, 2});
  const std::string block = model.integers("block", {2, 2});
  const std::string pads = model.writer().pairs("pads", {2, 3, 2, 3}),
                    crops = model.writer().pairs("crops", {0, 1, 0, 1});
  model.node("SpaceToBatchND", {"x", block, pads}, "s");
  model.node("Conv2D", {"s", model.floats("w", {3, 3, 2, 4})}, "c", TensorflowModel::window("VALID"));
  model.node("BatchToSpaceND", {"c", block, crops}, "y");
  const Graph graph = TensorflowFiles().import(model.finish());
  EXPECT_EQ(ops_of(graph), "Input Convolution");
  const auto& conv = op_at<Convolution>(graph, "y");
  EXPECT_EQ(conv.dilation, (Pair{2, 2}));
  EXPECT_EQ(conv.pad_begin, (Pair{2, 2}));
  EXPECT_EQ(conv.pad_end, (Pair{2, 2}));
  EXPECT_EQ(output_shape(graph), (Shape{1, 4, 9, 9}));
}

TEST(TensorflowImport, AFlattenedMapMeetsItsMatrixWithoutATranspose) {
  TensorflowModel model;
  model.input("x", {1, 2, 2, 3});
  std::vector<float> rows;
  for (int i = 0; i < 12; ++i) rows.push_back(static_cast<float>(i));
  model.node("MaxPool", {"x"}, "p", [](auto n) {
    n.set("padding", std::string_view("VALID")).set("strides", Axes{1, 1, 1, 1}).set("ksize", Axes{1, 1, 1, 1});
  });
  model.node("Reshape", {"p", model.integers("shape", {-1, 12})}, "f");
  model.node("MatMul", {"f", model.floats("v", {12, 1}, rows)}, "y");
  const Graph graph = TensorflowFiles().import(model.finish());
  EXPECT_EQ(ops_of(graph), "Input Pool Linear");
  // Rows come channel by channel: channel 0 of the four pixels first.
  EXPECT_THAT(to_float(*op_at<Linear>(graph, "y").weights), ElementsAre(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11));
}

TEST(TensorflowImport, TransposesBetweenTheTwoOrdersAreNoNodes) {
  TensorflowModel model;
  model.input("x", {1, 3, 6, 6});
  model.node("Transpose", {"x", model.integers("last", {0, 2, 3, 1})}, "t");
  model.node("Conv2D", {"t", model.floats("w", {1, 1, 3, 4})}, "c", TensorflowModel::window("SAME"));
  model.node("Transpose", {"c", model.integers("first", {0, 3, 1, 2})}, "y");
  model.node("Relu", {"y"}, "r");
  EXPECT_EQ(ops_of(TensorflowFiles().import(model.finish())), "Input Convolution Unary");
}

TEST(TensorflowImport, OrdersOfInputsAndOutputsAreTensorflowsOnRequest) {
  TensorflowModel model;
  model.input("x", {1, 6, 5, 3});
  model.node("Conv2D", {"x", model.floats("w", {1, 1, 3, 4})}, "y", TensorflowModel::window("SAME"));
  const Graph graph = TensorflowFiles().import(model.finish(), {.channels_first = false});
  EXPECT_EQ(std::get<Input>(graph.inputs()[0]->op).shape, (Shape{1, 6, 5, 3}));
  EXPECT_EQ(output_shape(graph), (Shape{1, 6, 5, 4}));
  EXPECT_EQ(output_shape(TensorflowFiles().import(model.finish())), (Shape{1, 4, 6, 5}));
}

TEST(TensorflowImport, PreparationOfPicturesFollowsTheInput) {
  TensorflowModel model;
  model.input("x", {1, 6, 5, 3});
  model.node("Sub", {"x", model.floats("mean", {3}, {1, 2, 3})}, "s");
  model.node("Mul", {"s", model.floats("factor", {}, {0.5F})}, "m");
  model.node("Conv2D", {"m", model.floats("w", {1, 1, 3, 4})}, "y", TensorflowModel::window("SAME"));
  const Graph graph = TensorflowFiles().import(model.finish());
  EXPECT_EQ(ops_of(graph), "Input Scale Scale Convolution");
  EXPECT_EQ(op_at<Scale>(graph, "s").axis, 1);
  EXPECT_EQ(std::get<Input>(graph.inputs()[0]->op).shape, (Shape{1, 3, 6, 5}));
}

TEST(TensorflowImport, DropoutIsNoNode) {
  TensorflowModel model;
  model.input("x", {1, 8});
  const std::string keep = model.floats("keep", {}, {0.5F});
  model.node("Relu", {"x"}, "r");
  model.node("RandomUniform", {model.integers("shape", {1, 8})}, "random");
  model.node("AddV2", {"random", keep}, "sum");
  model.node("Floor", {"sum"}, "mask");
  model.node("RealDiv", {"r", keep}, "up");
  model.node("Mul", {"up", "mask"}, "dropout");
  model.node("Tanh", {"dropout"}, "y");
  EXPECT_EQ(ops_of(TensorflowFiles().import(model.finish())), "Input Unary Unary");
}

TEST(TensorflowImport, AKnownConditionTakesItsBranchAndAComputedOneSelects) {
  for (const bool known : {true, false}) {
    TensorflowModel model;
    model.input("x", {2, 3});
    std::string condition = "flag";
    if (known) {
      model.node("Greater", {model.floats("one", {}, {1}), model.floats("two", {}, {2})}, condition);
    } else {
      model.node("Max", {"x", model.integers("all", {0, 1})}, "most");
      model.node("Greater", {"most", model.floats("two", {}, {2})}, condition);
    }
    model.node("Switch", {"x", condition}, "switch");
    model.node("Relu", {"switch:1"}, "if_true");
    model.node("Tanh", {"switch"}, "if_false");
    model.node("Merge", {"if_false", "if_true"}, "merge");
    model.node("Neg", {"merge"}, "y");
    const Graph graph = TensorflowFiles().import(model.finish());
    EXPECT_EQ(ops_of(graph), known ? "Input Unary Unary" : "Input Reduction Constant Binary Unary Unary Select Unary");
    EXPECT_EQ(op_at<Unary>(graph, "if_false").kind, UnaryKind::tanh);
  }
}

TEST(TensorflowImport, ShapesAreComputedAndStridedSlicesReadAllMasks) {
  TensorflowModel model;
  model.input("x", {1, 4, 6});
  model.node("Shape", {"x"}, "shape");
  const std::string one = model.integers("one", {1}), two = model.integers("two", {2});
  model.node("StridedSlice", {"shape", one, two, one}, "rows",
             [](auto n) { n.set("shrink_axis_mask", std::int64_t{1}); });
  model.node("Pack", {model.integer("minus", -1), "rows", model.integer("three", 3), model.integer("again", 2)},
             "dims");
  model.node("Reshape", {"x", "dims"}, "r");
  // r[:, ::-1, ..., newaxis, 1] of [1, 4, 3, 2]
  model.node("StridedSlice",
             {"r", model.integers("begin", {0, 0, 0, 0, 1}), model.integers("end", {0, 0, 0, 0, 2}),
              model.integers("step", {1, -1, 1, 1, 1})},
             "y", [](auto n) {
               n.set("begin_mask", std::int64_t{3}).set("end_mask", std::int64_t{3});
               n.set("ellipsis_mask", std::int64_t{4}).set("new_axis_mask", std::int64_t{8});
               n.set("shrink_axis_mask", std::int64_t{16});
             });
  const Graph graph = TensorflowFiles().import(model.finish());
  EXPECT_EQ(output_shape(graph), (Shape{1, 4, 3, 1}));
  EXPECT_EQ(ops_of(graph), "Input Reshape StridedSlice");
}

TEST(TensorflowImport, EightBitWeightsAreWhatTheirRangeSays) {
  const auto weights = [](tensorflow::DataType type, const char* mode) {
    TensorflowModel model;
    model.input("x", {1, 2});
    model.floats("w", {2, 2});
    tensorflow::GraphDef graph = model.finish();
    auto& tensor = *(*graph.mutable_node(1)->mutable_attr())["value"].mutable_tensor();
    tensor.set_dtype(type);
    tensor.set_tensor_content(std::string("\x00\x01\x80\xff", 4));
    TensorflowModel rest;
    rest.floats("low", {}, {-1});
    rest.floats("high", {}, {1});
    rest.node("Dequantize", {"w", "low", "high"}, "d", [&](auto n) { n.set("mode", std::string_view(mode)); });
    rest.node("MatMul", {"x", "d"}, "y");
    graph.MergeFrom(rest.finish());
    const Graph imported = TensorflowFiles().import(graph);
    return to_float(*op_at<Linear>(imported, "y").weights);
  };
  const auto inexactly = [](std::vector<float> values) {
    return testing::Pointwise(testing::FloatNear(1e-6F), std::move(values));
  };
  const float step = 2.0F / 255, least = -128 * step;  // the least is a whole number of steps
  EXPECT_THAT(weights(tensorflow::DT_QUINT8, "MIN_FIRST"),
              inexactly({least, least + 128 * step, least + step, least + 255 * step}));
  EXPECT_THAT(weights(tensorflow::DT_QUINT8, "MIN_COMBINED"), inexactly({-1, -1 + 128 * step, -1 + step, 1}));
  // Signed: from -128 on.
  EXPECT_THAT(weights(tensorflow::DT_QINT8, "MIN_COMBINED"),
              inexactly({-1 + 128 * step, -1, -1 + 129 * step, -1 + 127 * step}));
}

TEST(TensorflowImport, WhatANodeLeavesOutIsWhatTensorflowTakes) {
  TensorflowModel model;
  const auto no = [](TensorflowNodeWriter n) { n.set("is_training", false); };
  model.input("x", {1, 4, 4, 2});
  model.node("LRN", {"x"}, "lrn");
  model.node("LeakyRelu", {"lrn"}, "relu");
  const std::string ones = model.floats("ones", {2});
  model.node("FusedBatchNorm", {"relu", ones, ones, ones, ones}, "y", no);
  const Graph graph = TensorflowFiles().import(model.finish());
  const auto& lrn = op_at<Lrn>(graph, "lrn");
  EXPECT_EQ(lrn.size, 11);
  EXPECT_EQ(lrn.alpha, 11.0F);  // of the sum
  EXPECT_EQ(lrn.beta, 0.5F);
  EXPECT_EQ(lrn.k, 1.0F);
  EXPECT_EQ(op_at<Unary>(graph, "relu").alpha, 0.2F);
  const auto norm = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                 [](const Node& node) { return std::holds_alternative<BatchNorm>(node.op); });
  ASSERT_NE(norm, graph.nodes.end());
  EXPECT_EQ(std::get<BatchNorm>(norm->op).epsilon, 1e-4F);
}

TEST(TensorflowImport, TheVarianceOfABatchIsThatOfASample) {
  TensorflowModel model;
  model.input("x", {1, 3, 2, 2});
  const std::string ones = model.floats("ones", {2}), none = model.floats("none", {0});
  model.node("FusedBatchNorm", {"x", ones, ones, none, none}, "y");
  const Graph graph = TensorflowFiles().import(model.finish(), {.outputs = {"y:2"}});
  EXPECT_TRUE(std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    const auto* op = std::get_if<Unary>(&node.op);
    return op != nullptr && op->beta == 6.0F / 5;
  })) << print(graph);
}

TEST(TensorflowImport, ATransposedConvolutionHasTheSizeThatItSays) {
  TensorflowModel model;
  model.input("x", {1, 4, 4, 4});
  // 9 pixels, cut into windows of 2 at a stride of 2, leave one out.
  model.node("Conv2DBackpropInput", {model.integers("sizes", {1, 9, 9, 3}), model.floats("w", {2, 2, 3, 4}), "x"}, "y",
             TensorflowModel::window("VALID", {1, 2, 2, 1}));
  EXPECT_EQ(output_shape(TensorflowFiles().import(model.finish())), (Shape{1, 3, 9, 9}));
}

TEST(TensorflowImport, MatricesAreTurnedOnRequest) {
  TensorflowModel model;
  model.input("x", {3, 2});
  model.node("MatMul", {"x", model.floats("w", {3, 4})}, "y", [](auto n) { n.set("transpose_a", true); });
  EXPECT_EQ(output_shape(TensorflowFiles().import(model.finish())), (Shape{2, 4}));
}

TEST(TensorflowImport, BlocksAreCutWhereTheCropsSay) {
  TensorflowModel model;
  model.input("x", {4, 2, 2, 3});
  model.node("BatchToSpaceND", {"x", model.integers("blocks", {2, 2}), model.pairs("crops", {1, 0, 0, 1})}, "y");
  const Graph graph = TensorflowFiles().import(model.finish(), {.channels_first = false});
  const auto slice = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                  [](const Node& node) { return std::holds_alternative<StridedSlice>(node.op); });
  ASSERT_NE(slice, graph.nodes.end());
  EXPECT_THAT(std::get<StridedSlice>(slice->op).begins, ElementsAre(1, 0));
  EXPECT_EQ(output_shape(graph), (Shape{1, 3, 3, 3}));
}

/// What TensorFlow 2.21 computes of these numbers.
TEST(TensorflowImport, FakeQuantizationRoundsEachChannelToItsOwnGrid) {
  const std::vector<float> numbers{-1, -0.31F, 0.017F, 0.5F, 2.2F, 0.9F};
  const std::vector<float> rounded{-0.99607849F, -0.29764706F, 0.01882353F, 0.50196081F, 2.00235295F, 0.70117653F};
  const auto with_ranges = [](TensorflowModel& model, const std::string& x) {
    model.floats("low", {3}, {-1, -0.3F, -0.5F});
    model.floats("high", {3}, {1, 2, 0.7F});
    model.node("FakeQuantWithMinMaxVarsPerChannel", {x, "low", "high"}, "q");
  };
  TensorflowModel weights;
  weights.input("x", {1, 2});
  with_ranges(weights, weights.floats("w", {2, 3}, numbers));
  weights.node("MatMul", {"x", "q"}, "y");
  const auto inexactly = [](std::vector<float> values) {
    return testing::Pointwise(testing::FloatNear(1e-6F), std::move(values));
  };
  EXPECT_THAT(to_float(*op_at<Linear>(TensorflowFiles().import(weights.finish()), "y").weights),
              inexactly({rounded[0], rounded[3], rounded[1], rounded[4], rounded[2], rounded[5]}));
}

TEST(TensorflowImport, InputsAndOutputsAreChosenByName) {
  TensorflowModel model;
  model.input("x", {1, 4});
  model.node("Unknown", {"x"}, "beyond");
  model.node("Relu", {"beyond"}, "r");
  model.node("Split", {model.integer("axis", 1), "r"}, "halves", [](auto n) { n.set("num_split", std::int64_t{2}); });
  model.node("Tanh", {"halves:1"}, "t");
  TensorflowImportOptions options;
  options.inputs = {"beyond"};
  options.outputs = {"t", "halves:1"};
  options.input_shapes = {{"beyond", {1, 4}}};
  const Graph graph = TensorflowFiles().import(model.finish(), options);
  EXPECT_EQ(ops_of(graph), "Input Unary Slice Unary");
  ASSERT_EQ(graph.outputs.size(), 2U);
  EXPECT_EQ(graph.values[graph.outputs[1]].name, "halves:1");
  options.outputs = {"tanh"};
  try {
    (void)TensorflowFiles().import(model.finish(), options);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid_argument);
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("there is no node 'tanh'"), HasSubstr("did you mean")));
  }
}

/// As the zeros that a detector scatters into: what a file says in a byte would be megabytes of the graph.
TEST(TensorflowImport, ALargeConstantThatRepeatsIsHeldOnce) {
  for (const bool repeats : {true, false}) {
    TensorflowModel model;
    std::vector<float> numbers(std::size_t{1100} * 64, 0.5F);
    if (!repeats) numbers.back() = 1.0F;
    model.node("ConcatV2",
               {model.input("x", {1, 64}), model.floats("c", {1100, 64}, numbers), model.integer("axis", 0)}, "y");
    const Graph graph = TensorflowFiles().import(model.finish());
    EXPECT_EQ(ops_of(graph), repeats ? "Input Constant Tile Concat" : "Input Constant Concat");
    EXPECT_EQ(output_shape(graph), (Shape{1101, 64}));
  }
}

TEST(TensorflowImport, ATextFileIsTheSameNetwork) {
  TensorflowModel model;
  model.input("x", {1, 6, 6, 3});
  model.node("Conv2D", {"x", model.floats("w", {3, 3, 3, 4})}, "y", TensorflowModel::window("SAME"));
  const tensorflow::GraphDef graph = model.finish();
  const TensorflowFiles files;
  const Graph text = import_tensorflow(files.write("net.pbtxt", graph.Utf8DebugString()));
  EXPECT_EQ(print(text), print(files.import(graph)));
}

}  // namespace
}  // namespace octavo::graph
