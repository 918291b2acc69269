// SPDX-License-Identifier: Apache-2.0
// How Torch7 networks become graphs: modules, containers, nngraph, shapes, names, and what is an error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/graph/torch_files.h"

namespace octavo::graph {
namespace {

using test::ops_of;
using testing::ElementsAre;
using testing::HasSubstr;
using Ref = TorchModel::Ref;

TEST(TorchImport, AChainOfModules) {
  const TorchFiles files;
  TorchModel model;
  const Ref root = model.container(
      "Sequential",
      {model.convolution(3, 4, 3), model.module("ReLU"),
       model.module("SpatialMaxPooling", {{"kW", 2.0}, {"kH", 2.0}, {"dW", 2.0}, {"dH", 2.0}, {"ceil_mode", true}}),
       model.module("View", {{"size", model.longs({64})}}), model.linear(64, 5), model.module("SoftMax")});
  const Graph graph = files.import(model, root, {2, 3, 9, 9});
  EXPECT_EQ(ops_of(graph), "Input Convolution Unary Pool Linear Softmax");
  EXPECT_EQ(graph.name, "net");
  EXPECT_EQ(output_shape(graph), (Shape{2, 5}));
  EXPECT_TRUE(op_of<Pool>(graph, "SpatialMaxPooling_1").ceil_mode);
  EXPECT_EQ(op_of<Linear>(graph, "Linear_1").weights->shape, (Shape{5, 64}));
}

TEST(TorchImport, ClassesOfCudnnAndTheirGroups) {
  const TorchFiles files;
  TorchModel model;
  const Ref root = model.module("cudnn.SpatialConvolution", {{"nInputPlane", 4.0},
                                                             {"nOutputPlane", 6.0},
                                                             {"kW", 3.0},
                                                             {"kH", 1.0},
                                                             {"dW", 2.0},
                                                             {"dH", 1.0},
                                                             {"padW", 1.0},
                                                             {"padH", 0.0},
                                                             {"groups", 2.0},
                                                             {"weight", model.tensor({6, 2, 1, 3})}});
  const Graph graph = files.import(model, root, {1, 4, 5, 5});
  const auto& op = op_of<Convolution>(graph, "SpatialConvolution_1");
  EXPECT_EQ(op.groups, 2);
  EXPECT_THAT(op.kernel, ElementsAre(1, 3));
  EXPECT_THAT(op.stride, ElementsAre(1, 2));
  EXPECT_THAT(op.pad_end, ElementsAre(0, 1));
  EXPECT_EQ(op.bias, nullptr);
}

TEST(TorchImport, MatricesOfOldConvolutionsAndTheirOnePadding) {
  const TorchFiles files;
  TorchModel model;
  const Ref root = model.module("SpatialConvolutionMM", {{"nInputPlane", 2.0},
                                                         {"nOutputPlane", 3.0},
                                                         {"kW", 5.0},
                                                         {"kH", 5.0},
                                                         {"padding", 2.0},
                                                         {"weight", model.tensor({3, 50})},
                                                         {"bias", model.tensor({3})}});
  const Graph graph = files.import(model, root, {1, 2, 7, 7});
  const auto& op = op_of<Convolution>(graph, "SpatialConvolutionMM_1");
  EXPECT_EQ(op.weights->shape, (Shape{3, 2, 5, 5}));
  EXPECT_THAT(op.pad_begin, ElementsAre(2, 2));
}

TEST(TorchImport, WhatPaddingCountsFor) {
  const TorchFiles files;
  for (const auto& [type, mode, counts] :
       {std::tuple{"SpatialAveragePooling", "", true},
        std::tuple{"cudnn.SpatialAveragePooling", "CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING", true},
        std::tuple{"cudnn.SpatialAveragePooling", "CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING", false}}) {
    TorchModel model;
    const Ref root = model.module(
        type, {{"kW", 3.0}, {"kH", 3.0}, {"dW", 2.0}, {"dH", 2.0}, {"padW", 1.0}, {"padH", 1.0}, {"divide", true}});
    model.document().set(root, "mode", std::string(mode));
    const Graph graph = files.import(model, root, {1, 4, 5, 5});
    EXPECT_EQ(op_of<Pool>(graph, "SpatialAveragePooling_1").include_padding, counts) << type << mode;
  }
}

TEST(TorchImport, WhatAModuleLeavesOutIsWhatTorchTakes) {
  const TorchFiles files;
  TorchModel model;
  const Ref root = model.container("Sequential",
                                   {model.module("cudnn.SpatialCrossMapLRN", {{"K", 2.0}}), model.module("Threshold")});
  const Graph graph = files.import(model, root, {1, 4, 5, 5});
  const auto& lrn = op_of<Lrn>(graph, "SpatialCrossMapLRN_1");
  EXPECT_EQ(lrn.k, 2.0F);
  EXPECT_EQ(lrn.size, 5);
  EXPECT_EQ(lrn.alpha, 1e-4F);
  EXPECT_EQ(lrn.beta, 0.75F);
  EXPECT_EQ(op_of<Unary>(graph, "Threshold_1").kind, UnaryKind::thresholded_relu);
  EXPECT_EQ(op_of<Unary>(graph, "Threshold_1").alpha, 1e-6F);
}

TEST(TorchImport, ASingleSampleHasNoBatch) {
  const TorchFiles files;
  TorchModel model;
  const Ref root = model.container("Sequential", {model.convolution(3, 4, 3), model.module("ReLU"),
                                                  model.module("Reshape", {{"size", model.longs({64})}}),
                                                  model.linear(64, 5), model.module("LogSoftMax")});
  const Graph graph = files.import(model, root, {3, 6, 6});
  EXPECT_EQ(graph.values[0].shape, (Shape{3, 6, 6}));
  EXPECT_EQ(output_shape(graph), (Shape{5}));
}

TEST(TorchImport, ModulesHaveTheNamesThatTheyWereGiven) {
  const TorchFiles files;
  TorchModel model;
  const Ref first = model.linear(4, 4), second = model.linear(4, 2);
  model.document().set(first, "name", std::string("fc6"));
  const Graph graph = files.import(model, model.container("Sequential", {first, second}), {1, 4});
  EXPECT_NE(graph.find_node("fc6"), nullptr);
  EXPECT_NE(graph.find_node("Linear_1"), nullptr);
}

TEST(TorchImport, BranchesAndTables) {
  const TorchFiles files;
  TorchModel model;
  const auto identity = [&] { return model.module("Identity"); };
  const auto join = [&](double dimension) { return model.module("JoinTable", {{"dimension", dimension}}); };
  struct Case {
    Ref root;
    Shape in, out;
    const char* ops;
  };
  const Ref three = model.container("ConcatTable", {identity(), identity(), identity()});
  const auto after_three = [&](const std::vector<Ref>& modules) {
    std::vector<Ref> all{three};
    all.insert(all.end(), modules.begin(), modules.end());
    return model.container("Sequential", all);
  };
  const Ref nested = model.container("ConcatTable", {three, identity()});
  const Case cases[] = {
      {model.container("Concat", {identity(), model.convolution(3, 2, 1)}, {{"dimension", 2.0}}),
       {1, 3, 4, 4},
       {1, 5, 4, 4},
       "Input Convolution Concat"},
      {after_three({join(2)}), {2, 3}, {2, 9}, "Input Concat"},
      {after_three({model.module("JoinTable", {{"dimension", 1.0}, {"nInputDims", 1.0}})}),
       {2, 3},
       {2, 9},
       "Input Concat"},
      {after_three({join(-1)}), {2, 3}, {2, 9}, "Input Concat"},
      {after_three({model.module("CAddTable")}), {2, 3}, {2, 3}, "Input Eltwise"},
      {after_three({model.module("CMinTable")}), {2, 3}, {2, 3}, "Input Binary Binary"},
      {after_three({model.module("SelectTable", {{"index", -1.0}}), model.module("Tanh")}),
       {2, 3},
       {2, 3},
       "Input Unary"},
      {after_three({model.module("NarrowTable", {{"offset", 2.0}, {"length", 2.0}}), model.module("CSubTable")}),
       {2, 3},
       {2, 3},
       "Input Eltwise"},
      {after_three(
           {model.container("ParallelTable", {model.module("Tanh"), identity(), model.module("Abs")}), join(1)}),
       {2, 3},
       {6, 3},
       "Input Unary Unary Concat"},
      {after_three({model.container("MapTable", {model.module("Tanh")}), join(1)}),
       {2, 3},
       {6, 3},
       "Input Unary Unary Unary Concat"},
      {model.container("Sequential", {nested, model.module("FlattenTable"), join(1)}), {2, 3}, {8, 3}, "Input Concat"},
      {model.container("Sequential", {model.module("SplitTable", {{"dimension", 2.0}}), model.module("CMulTable")}),
       {2, 3},
       {2},
       "Input StridedSlice Reshape StridedSlice Reshape StridedSlice Reshape Eltwise"},
      {model.container("Parallel", {model.linear(3, 5), model.linear(3, 4)},
                       {{"inputDimension", 2.0}, {"outputDimension", 2.0}}),
       {1, 2, 3},
       {1, 9},
       "Input StridedSlice Linear StridedSlice Linear Concat"},
      {model.container("Bottle", {model.linear(3, 5)}), {2, 4, 3}, {2, 4, 5}, "Input Reshape Linear Reshape"},
  };
  int number = 0;
  for (const Case& c : cases) {
    SCOPED_TRACE(++number);
    const Graph graph = files.import(model, c.root, c.in);
    EXPECT_EQ(ops_of(graph), c.ops);
    EXPECT_EQ(output_shape(graph), c.out);
  }
}

TEST(TorchImport, ShapesAsTorchSeesThem) {
  const TorchFiles files;
  TorchModel model;
  const auto view = [&](std::vector<std::int64_t> sizes) {
    return model.module("View", {{"size", model.longs(std::move(sizes))}});
  };
  const auto view_of = [&](std::vector<std::int64_t> sizes, double dims) {
    return model.module("View", {{"size", model.longs(std::move(sizes))}, {"numInputDims", dims}});
  };
  const auto reshape = [&](std::vector<std::int64_t> sizes, TorchModel::Value batch) {
    return model.module("Reshape", {{"size", model.longs(std::move(sizes))}, {"batchMode", std::move(batch)}});
  };
  const Ref pairs = model.table({model.table({2.0, 4.0}), model.table({2.0, 3.0})});
  struct Case {
    Ref root;
    Shape in, out;
  };
  const Case cases[] = {
      {view({12}), {2, 3, 4}, {2, 12}},
      {view({12}), {1, 3, 4}, {1, 12}},
      {view({12}), {3, 4}, {12}},
      {view({-1, 4}), {2, 3, 4}, {6, 4}},
      {view({-1}), {2, 3, 4}, {24}},
      {view({3, 2, 2}), {5, 12}, {5, 3, 2, 2}},
      {view_of({-1}, 2), {2, 3, 4}, {2, 12}},
      {view_of({-1}, 3), {2, 3, 4}, {24}},
      {view_of({12}, 3), {1, 3, 4}, {12}},
      {view_of({4}, 2), {2, 3, 4}, {6, 4}},
      {reshape({12}, {}), {2, 3, 4}, {2, 12}},
      {reshape({12}, {}), {1, 3, 4}, {1, 12}},
      {reshape({12}, {}), {3, 4}, {12}},
      {reshape({12}, true), {3, 2, 6}, {3, 12}},
      {reshape({2, 6}, false), {3, 4}, {2, 6}},
      {model.module("Squeeze"), {1, 3, 1, 1}, {1, 3}},
      {model.module("Squeeze", {{"dim", 2.0}}), {3, 1, 4, 1}, {3, 4, 1}},
      {model.module("Squeeze", {{"dim", 2.0}, {"numInputDims", 3.0}}), {3, 2, 1, 4}, {3, 2, 4}},
      {model.module("Unsqueeze", {{"pos", 2.0}}), {3, 4}, {3, 1, 4}},
      {model.module("Unsqueeze", {{"pos", 1.0}, {"numInputDims", 1.0}}), {3, 4}, {3, 1, 4}},
      {model.module("Collapse", {{"nInputDim", 2.0}}), {2, 3, 4}, {2, 12}},
      {model.module("Transpose", {{"permutations", pairs}}), {1, 2, 3, 4}, {1, 3, 4, 2}},
      {model.module("PixelShuffle", {{"upscaleFactor", 2.0}}), {1, 8, 3, 5}, {1, 2, 6, 10}},
      {model.module("Narrow", {{"dimension", 2.0}, {"index", 2.0}, {"length", 2.0}}), {2, 4}, {2, 2}},
      {model.module("Narrow", {{"dimension", -1.0}, {"index", 2.0}, {"length", -1.0}}), {2, 4}, {2, 3}},
      {model.module("Select", {{"dimension", 2.0}, {"index", -1.0}}), {2, 4, 3}, {2, 3}},
      {model.module("Replicate", {{"nfeatures", 5.0}, {"dim", 2.0}}), {2, 3}, {2, 5, 3}},
      {model.module("Padding", {{"dim", 1.0}, {"pad", -2.0}, {"nInputDim", 1.0}}), {2, 3}, {2, 5}},
      {model.module("SpatialZeroPadding", {{"pad_l", 1.0}, {"pad_r", -2.0}, {"pad_t", 0.0}, {"pad_b", 3.0}}),
       {1, 2, 4, 4},
       {1, 2, 7, 3}},
      {model.module("SpatialReflectionPadding", {{"pad_l", 1.0}, {"pad_r", 2.0}, {"pad_t", 0.0}, {"pad_b", 3.0}}),
       {2, 4, 4},
       {2, 7, 7}},
      {model.module("Mean", {{"dimension", 2.0}}), {2, 3, 4}, {2, 4}},
      {model.module("Max", {{"dimension", 1.0}, {"nInputDims", 2.0}}), {2, 3, 4}, {2, 4}},
      {model.module("Sum", {{"dimension", -1.0}, {"squeeze", false}}), {2, 3, 4}, {2, 3, 1}},
      {model.module("SpatialUpSamplingNearest", {{"scale_factor", 3.0}}), {1, 2, 3, 4}, {1, 2, 9, 12}},
      {model.module("SpatialUpSamplingBilinear", {{"oheight", 5.0}, {"owidth", 9.0}}), {1, 2, 3, 4}, {1, 2, 5, 9}},
      {model.module("SpatialAdaptiveMaxPooling", {{"W", 2.0}, {"H", 3.0}}), {1, 2, 7, 7}, {1, 2, 3, 2}},
  };
  int number = 0;
  for (const Case& c : cases) {
    SCOPED_TRACE(++number);
    EXPECT_EQ(output_shape(files.import(model, c.root, c.in)), c.out);
  }
}

/// Nodes of a gModule as nngraph makes them: the same data tables in several nodes.
struct TorchGraphNodes {
  TorchModel& model;

  Ref data(TorchModel::Fields fields, const std::vector<Ref>& parents) {
    TorchDocument& document = model.document();
    const Ref ref = document.table(), map = document.table();
    for (const auto& [name, value] : fields) document.set(ref, name, value);
    for (std::size_t i = 0; i < parents.size(); ++i) {
      document.set_key(map, TorchModel::Value(static_cast<double>(i + 1)), parents[i]);
      document.set_key(map, TorchModel::Value(parents[i]), static_cast<double>(i + 1));
    }
    document.set(ref, "mapindex", map);
    return ref;
  }
  Ref node(Ref held, const std::vector<Ref>& children) {
    const Ref ref = model.module("nngraph.Node", {{"data", held}}), list = model.document().table();
    for (const Ref child : children) model.document().append(list, child);
    model.document().set(ref, "children", list);
    return ref;
  }
};

TEST(TorchImport, GraphsOfNngraph) {
  const TorchFiles files;
  TorchModel model;
  TorchGraphNodes make{model};
  // in -> linear -> {tanh, a node without a module} -> CSubTable -> out
  const Ref in = make.data({}, {}), linear = make.data({{"module", model.linear(3, 3)}}, {in});
  const Ref tanh = make.data({{"module", model.module("Tanh")}}, {linear}), plain = make.data({}, {linear});
  const Ref minus = make.data({{"module", model.module("CSubTable")}}, {tanh, plain}), out = make.data({}, {minus});
  const Ref out_node = make.node(out, {}), minus_node = make.node(minus, {out_node});
  const Ref tanh_node = make.node(tanh, {minus_node}), plain_node = make.node(plain, {minus_node});
  const Ref linear_node = make.node(linear, {plain_node, tanh_node}), in_node = make.node(in, {linear_node});
  const Ref nodes = model.table({in_node, linear_node, plain_node, tanh_node, minus_node, out_node});
  const Ref root =
      model.module("gModule", {{"forwardnodes", nodes}, {"innode", in_node}, {"outnode", make.node(out, {})}});
  const Graph graph = files.import(model, root, {2, 3});
  EXPECT_EQ(ops_of(graph), "Input Linear Unary Eltwise");
  const Node& last = graph.nodes.back();
  EXPECT_THAT(last.inputs, ElementsAre(graph.find_node("Tanh_1")->outputs[0], graph.find_node("Linear_1")->outputs[0]));
  EXPECT_THAT(std::get<Eltwise>(last.op).coefficients, ElementsAre(1, -1));
}

TEST(TorchImport, TheNetworkOfACheckpoint) {
  const TorchFiles files;
  TorchModel model;
  const Ref root = model.document().table(), network = model.linear(3, 2);
  model.document().set(network, "output", model.tensor({1}));
  model.document().set(root, "epoch", 3.0);
  model.document().set(root, "model", network);
  model.document().set(root, "criterion", model.module("ClassNLLCriterion", {{"output", 0.0}}));
  EXPECT_EQ(ops_of(files.import(model, root)), "Input Linear");
}

TEST(TorchImport, TheInputFollowsFromTheFirstLayerWhereItSaysIt) {
  const TorchFiles files;
  TorchModel model;
  const Ref dropout = model.module("Dropout", {{"v2", true}}), linear = model.linear(6, 2);
  EXPECT_EQ(files.import(model, model.container("Sequential", {dropout, linear})).values[0].shape, (Shape{1, 6}));
  const Ref view = model.module("View", {{"size", model.longs({6})}});
  EXPECT_EQ(files.import(model, model.container("Sequential", {view, linear})).values[0].shape, (Shape{1, 6}));
  const Error missing = error_of([&] { (void)files.import(model, model.convolution(3, 4, 3)); });
  EXPECT_EQ(missing.kind(), ErrorKind::invalid_argument);
  EXPECT_THAT(missing.what(), HasSubstr("--input-shape input=1x3x224x224"));
  const Error wrong = error_of([&] { (void)files.import(model.bytes(linear), {{"data", {1, 6}}}); });
  EXPECT_THAT(wrong.what(), HasSubstr("it has no input 'data', but input"));
}

TEST(TorchImport, ErrorsNameTheModule) {
  const TorchFiles files;
  TorchModel model;
  const auto message = [&](Ref root, const Shape& input) {
    return std::string(error_of([&] {
                         (void)files.import(model, model.container("Sequential", {model.module("ReLU"), root}), input);
                       }).what());
  };
  EXPECT_THAT(message(model.module("SparseLinear"), {1, 3}), HasSubstr("module 1.2 (nn.SparseLinear"));
  EXPECT_THAT(message(model.module("SparseLinear"), {1, 3}),
              HasSubstr("octavo does not know the class nn.SparseLinear"));
  EXPECT_THAT(message(model.module("mine.Layer"), {1, 3}), HasSubstr("octavo does not know the class mine.Layer"));
  EXPECT_THAT(message(model.linear(4, 2), {1, 3}), HasSubstr("3 features meet a matrix for 4"));
  EXPECT_THAT(message(model.module("Linear"), {1, 3}), HasSubstr("its weights are no matrix"));
  EXPECT_THAT(message(model.module("CAddTable"), {1, 3}), HasSubstr("a tensor comes in where a table is expected"));
  EXPECT_THAT(message(model.module("Select", {{"dimension", 5.0}, {"index", 1.0}}), {1, 3}),
              HasSubstr("dimension 5 of a value"));
  EXPECT_THAT(message(model.module("Power"), {1, 3}), HasSubstr("it has no field 'pow' (a number)"));
  EXPECT_THAT(message(model.module("Dropout", {{"stochastic_inference", true}}), {1, 3}), HasSubstr("random"));
  EXPECT_THAT(message(model.convolution(3, 4, 3), {1, 2, 8, 8}), HasSubstr("2 input channels"));
}

}  // namespace
}  // namespace octavo::graph
