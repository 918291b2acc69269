// SPDX-License-Identifier: Apache-2.0
// What ONNX files become: operators of every generation as the graph's ops, constants folded, weights as they lie.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/compiler.h"
#include "tests/graph/net.h"
#include "tests/graph/onnx_files.h"

namespace octavo::graph {
namespace {

using test::op_at;
using test::ops_of;
using testing::ElementsAre;
using testing::HasSubstr;

using Names = std::vector<std::string>;

TEST(OnnxImport, AClassifierBecomesConvolutionsPoolsAndLinear) {
  OnnxModel model;
  const Names statistics{model.floats("scale", {8}), model.floats("shift", {8}), model.floats("mean", {8}),
                         model.floats("variance", {8})};
  model.input("x", {1, 3, 8, 8});
  model.node("Conv", {"x", model.floats("w", {8, 3, 3, 3}), model.floats("b", {8})}, "c", [](auto n) {
    n.set("pads", std::vector<std::int64_t>{1, 1, 1, 1});
  });
  model.node("BatchNormalization", {"c", "scale", "shift", "mean", "variance"}, "n");
  model.node("Relu", {"n"}, "r");
  model.node("GlobalAveragePool", {"r"}, "p");
  model.node("Flatten", {"p"}, "f");
  model.node("Gemm", {"f", model.floats("v", {10, 8}), model.floats("a", {10})}, "y",
             [](auto n) { n.set("transB", std::int64_t{1}); });
  model.node("Softmax", {"y"}, "s");
  const Graph graph = OnnxFiles().import(model.finish("s"));
  EXPECT_EQ(ops_of(canonicalize(graph)), "Input Convolution Pool Linear Softmax");
  EXPECT_EQ(graph.values[graph.outputs[0]].name, "s");
  EXPECT_EQ(output_shape(graph), (Shape{1, 10}));
  // The batch is the caller's, though the file says 1.
  Graph batch = graph;
  infer_shapes(batch, {{"x", {5, 3, 8, 8}}});
  EXPECT_EQ(output_shape(batch), (Shape{5, 10}));
}

TEST(OnnxImport, SamePaddingPutsTheOddPixelWhereItsNameSays) {
  for (const auto& [rule, begin, end] : {std::tuple{"SAME_UPPER", 0, 1}, std::tuple{"SAME_LOWER", 1, 0}}) {
    OnnxModel model;
    model.input("x", {1, 2, 8, 8});
    model.node("Conv", {"x", model.floats("w", {4, 2, 3, 3})}, "y", [&](auto n) {
      n.set("auto_pad", std::string_view(rule)).set("strides", std::vector<std::int64_t>{2, 2});
    });
    const Graph graph = OnnxFiles().import(model.finish("y"));
    const auto& conv = op_at<Convolution>(graph, "y");
    EXPECT_EQ(conv.pad_begin, (Pair{begin, begin})) << rule;
    EXPECT_EQ(conv.pad_end, (Pair{end, end})) << rule;
    EXPECT_EQ(output_shape(graph), (Shape{1, 4, 4, 4}));
  }
}

TEST(OnnxImport, TransposedConvolutionsHaveTheSizeThatTheySay) {
  const auto deconvolution = [](const OnnxModel::Attributes& attributes) {
    OnnxModel model;
    model.input("x", {1, 2, 3, 3});
    model.node("ConvTranspose", {"x", model.floats("w", {2, 4, 3, 3})}, "y", [&](auto n) {
      n.set("strides", std::vector<std::int64_t>{2, 2});
      attributes(n);
    });
    return OnnxFiles().import(model.finish("y"));
  };
  for (const auto& [rule, begin, end] : {std::tuple{"SAME_UPPER", 0, 1}, std::tuple{"SAME_LOWER", 1, 0}}) {
    const Graph graph = deconvolution([&](auto n) { n.set("auto_pad", std::string_view(rule)); });
    EXPECT_EQ(op_at<Deconvolution>(graph, "y").pad_begin, (Pair{begin, begin})) << rule;
    EXPECT_EQ(op_at<Deconvolution>(graph, "y").pad_end, (Pair{end, end})) << rule;
    EXPECT_EQ(output_shape(graph), (Shape{1, 4, 6, 6})) << rule;
  }
  const Graph larger = deconvolution([](auto n) {
    n.set("pads", std::vector<std::int64_t>{1, 1, 1, 1}).set("output_padding", std::vector<std::int64_t>{1, 0});
  });
  EXPECT_EQ(output_shape(larger), (Shape{1, 4, 6, 5}));
}

TEST(OnnxImport, WhatANodeLeavesOutIsWhatTheStandardSays) {
  OnnxModel model;
  const Names statistics{model.floats("scale", {4}), model.floats("shift", {4}), model.floats("mean", {4}),
                         model.floats("variance", {4})};
  model.input("x", {1, 4, 7, 7});
  model.node("AveragePool", {"x"}, "pool", [](auto n) {
    n.set("kernel_shape", std::vector<std::int64_t>{2, 2}).set("pads", std::vector<std::int64_t>{1, 1, 0, 0});
  });
  model.node("LRN", {"pool"}, "lrn", [](auto n) { n.set("size", std::int64_t{3}); });
  model.node("BatchNormalization", {"lrn", "scale", "shift", "mean", "variance"}, "norm");
  model.node("Resize", {"norm", "", model.floats("scales", {4}, {1, 1, 2, 2})}, "y",
             [](auto n) { n.set("mode", std::string_view("cubic")); });
  const Graph graph = OnnxFiles().import(model.finish("y"));
  EXPECT_FALSE(op_at<Pool>(graph, "pool").include_padding);
  EXPECT_FALSE(op_at<Pool>(graph, "pool").ceil_mode);
  EXPECT_EQ(op_at<Pool>(graph, "pool").stride, (Pair{1, 1}));
  EXPECT_EQ(op_at<Lrn>(graph, "lrn").alpha, 1e-4F);
  EXPECT_EQ(op_at<Lrn>(graph, "lrn").beta, 0.75F);
  EXPECT_EQ(op_at<Lrn>(graph, "lrn").k, 1.0F);
  const auto norm = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                 [](const Node& node) { return std::holds_alternative<BatchNorm>(node.op); });
  ASSERT_NE(norm, graph.nodes.end());
  EXPECT_EQ(std::get<BatchNorm>(norm->op).epsilon, 1e-5F);
  EXPECT_EQ(op_at<Resize>(graph, "y").coordinates, ResizeCoordinates::half_pixel);
  EXPECT_EQ(op_at<Resize>(graph, "y").cubic, -0.75F);
}

TEST(OnnxImport, GroupNormalizationBefore21HasAParameterAGroup) {
  OnnxModel model;
  model.input("x", {1, 4, 3, 3});
  model.node("GroupNormalization", {"x", model.floats("s", {2}, {2, 3}), model.floats("b", {2})}, "y",
             [](auto n) { n.set("num_groups", std::int64_t{2}); });
  const Graph graph = OnnxFiles().import(model.finish("y", 18));
  EXPECT_THAT(op_at<Scale>(graph, "y").factor->f32.values, ElementsAre(2, 2, 3, 3));
}

TEST(OnnxImport, GemmScalesAndTurnsItsMatrices) {
  OnnxModel model;
  model.input("x", {2, 3});
  model.node("Gemm", {"x", model.floats("w", {2, 4}), model.floats("b", {4})}, "y",
             [](auto n) { n.set("transA", std::int64_t{1}).set("alpha", 3.0F).set("beta", 2.0F); });
  const Graph graph = OnnxFiles().import(model.finish("y"));
  EXPECT_EQ(output_shape(graph), (Shape{3, 4}));
  EXPECT_EQ(op_at<Linear>(graph, "y").weights->f32.values[0], 1.5F);
  EXPECT_EQ(op_at<Linear>(graph, "y").bias->f32.values[0], 1.0F);
}

TEST(OnnxImport, OneDimensionIsAnImageOfOneRow) {
  OnnxModel model;
  model.input("x", {2, 3, 20});
  model.node("Conv", {"x", model.floats("w", {4, 3, 5})}, "c");
  model.node("MaxPool", {"c"}, "y", [](auto n) { n.set("kernel_shape", std::vector<std::int64_t>{2}); });
  EXPECT_EQ(output_shape(OnnxFiles().import(model.finish("y"))), (Shape{2, 4, 15}));
}

TEST(OnnxImport, ClipOfEveryGenerationIsARelu6OrRelu) {
  OnnxModel old;
  old.input("x", {1, 2});
  old.node("Clip", {"x"}, "y", [](auto n) { n.set("min", 0.0F).set("max", 6.0F); });
  EXPECT_EQ(op_at<Unary>(OnnxFiles().import(old.finish("y", 7)), "y").kind, UnaryKind::relu6);
  OnnxModel young;
  young.input("x", {1, 2});
  young.node("Clip", {"x", young.floats("low", {}, {0.0F})}, "y");
  EXPECT_EQ(op_at<Unary>(OnnxFiles().import(young.finish("y")), "y").kind, UnaryKind::relu);
}

/// What PyTorch writes for x.view(x.size(0), -1): Shape, Gather, Unsqueeze, Concat, Reshape.
TEST(OnnxImport, ShapeArithmeticIsFoldedAndLeavesTheBatchOpen) {
  OnnxModel model;
  model.input("x", {1, 4, 3, 3});
  model.node("Shape", {"x"}, "shape");
  model.node("Gather", {"shape", model.integers("zero", {0})}, "batch");
  model.node("Concat", {"batch", model.integers("rest", {-1})}, "wanted",
             [](auto n) { n.set("axis", std::int64_t{0}); });
  model.node("Reshape", {"x", "wanted"}, "y");
  Graph graph = OnnxFiles().import(model.finish("y"));
  EXPECT_EQ(ops_of(graph), "Input Reshape");
  EXPECT_THAT(op_at<Reshape>(graph, "y").dims, ElementsAre(0, -1));
  infer_shapes(graph, {{"x", {7, 4, 3, 3}}});
  EXPECT_EQ(output_shape(graph), (Shape{7, 36}));
}

TEST(OnnxImport, ConstantsThatFollowAxesAreScalesAndFold) {
  OnnxModel model;
  model.input("x", {1, 3, 4, 4});
  model.node("Conv", {"x", model.floats("w", {8, 3, 1, 1})}, "c");
  model.node("Mul", {"c", model.floats("factor", {8, 1, 1})}, "m");
  model.node("Add", {model.floats("offset", {1, 8, 1, 1}), "m"}, "a");
  const Graph graph = OnnxFiles().import(model.finish("a"));
  EXPECT_EQ(ops_of(graph), "Input Convolution Scale Scale");
  EXPECT_EQ(ops_of(canonicalize(graph)), "Input Convolution");
}

TEST(OnnxImport, MatMulWithAConstantMatrixAndItsBiasAreOneLinear) {
  OnnxModel model;
  model.input("x", {2, 5, 16});
  model.node("MatMul", {"x", model.floats("w", {16, 24})}, "m");
  model.node("Add", {"m", model.floats("b", {24})}, "a");
  const Graph graph = canonicalize(OnnxFiles().import(model.finish("a")));
  EXPECT_EQ(ops_of(graph), "Input Linear");
  EXPECT_NE(std::get<Linear>(graph.nodes[1].op).bias, nullptr);
}

TEST(OnnxImport, SoftmaxOfOldFilesRunsOverAllAxesFromItsOwn) {
  OnnxModel model;
  model.input("x", {2, 3, 4});
  model.node("Softmax", {"x"}, "y");
  const onnx::ModelProto young = model.finish("y");
  onnx::ModelProto old = young;
  old.mutable_opset_import(0)->set_version(11);
  EXPECT_EQ(ops_of(OnnxFiles().import(young)), "Input Softmax");
  EXPECT_EQ(ops_of(OnnxFiles().import(old)), "Input Reshape Softmax Reshape");
}

TEST(OnnxImport, WhatDoesNothingIsNoNodeAndTheOutputKeepsItsName) {
  OnnxModel model;
  model.input("x", {1, 4});
  model.node("Relu", {"x"}, "r");
  model.node("Dropout", {"r"}, "d");
  model.node("Identity", {"d"}, "y");
  const Graph graph = OnnxFiles().import(model.finish("y"));
  EXPECT_EQ(test::output_names(graph), Names{"y"});
  EXPECT_EQ(ops_of(canonicalize(graph)), "Input Unary");
}

TEST(OnnxImport, AnOutputThatIsConstantIsStillAnOutput) {
  OnnxModel model;
  model.input("x", {2, 3});
  model.node("Shape", {"x"}, "y");
  const Graph graph = OnnxFiles().import(model.finish("y"));
  EXPECT_EQ(output_shape(graph), Shape{2});
}

TEST(OnnxImport, FixedInputsBecomePartOfTheNetwork) {
  OnnxModel model;
  model.input("x", {1, 3, 4, 4});
  model.input("w", {8, 3, 1, 1});
  model.node("Conv", {"x", "w"}, "y");
  const onnx::ModelProto proto = model.finish("y");
  const Error error = error_of([&] { (void)OnnxFiles().import(proto); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_THAT(error.where(), HasSubstr("node 'y' (Conv)"));
  OnnxImportOptions options;
  options.fixed_inputs["w"] = make_tensor(ElementType::float32, {8, 3, 1, 1}, std::vector<float>(24, 1.0F));
  EXPECT_EQ(ops_of(OnnxFiles().import(proto, options)), "Input Convolution");
}

TEST(OnnxImport, EightBitWeightsBehindDequantizeLinearKeepTheirBits) {
  OnnxModel model;
  std::vector<std::int8_t> q(16 * 64);
  for (std::size_t i = 0; i < q.size(); ++i) q[i] = static_cast<std::int8_t>(static_cast<int>(i * 37 % 255) - 127);
  model.input("x", {2, 64});
  model.node("DequantizeLinear", {model.bytes("q", {16, 64}, q), model.floats("s", {16, 2})}, "w",
             [](auto n) { n.set("axis", std::int64_t{1}).set("block_size", std::int64_t{32}); });
  model.node("Gemm", {"x", "w"}, "y", [](auto n) { n.set("transB", std::int64_t{1}); });
  const Graph graph = OnnxFiles().import(model.finish("y"));
  const auto& linear = op_at<Linear>(graph, "y");
  ASSERT_TRUE(linear.weights->quantized());
  EXPECT_TRUE(std::equal(q.begin(), q.end(), linear.weights->q.values.begin()));
  EXPECT_EQ(linear.weights->window, 32);
  EXPECT_EQ(linear.window.channels, 32);
}

/// -128 is outside what octavo's kernels take: such weights run as the fp32 numbers that they stand for.
TEST(OnnxImport, EightBitWeightsThatTheKernelsCannotTakeAreReal) {
  OnnxModel model;
  model.input("x", {2, 4});
  model.node("DequantizeLinear", {model.bytes("q", {1, 4}, {-128, 1, 2, 3}), model.floats("s", {}, {0.25F})}, "w");
  model.node("Gemm", {"x", "w"}, "y", [](auto n) { n.set("transB", std::int64_t{1}); });
  const Graph graph = OnnxFiles().import(model.finish("y"));
  const auto& linear = op_at<Linear>(graph, "y");
  ASSERT_FALSE(linear.weights->quantized());
  EXPECT_EQ(linear.weights->f32.values[0], -32.0F);
}

TEST(OnnxImport, AnOpenBatchIsOneAndOtherOpenSizesAreAskedFor) {
  OnnxModel model;
  model.input("x", {2, 3});
  model.node("Relu", {"x"}, "y");
  onnx::ModelProto proto = model.finish("y");
  auto& shape = *proto.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  shape.mutable_dim(0)->clear_dim_value();
  shape.mutable_dim(0)->set_dim_param("N");
  EXPECT_EQ(output_shape(OnnxFiles().import(proto)), (Shape{1, 3}));
  shape.mutable_dim(1)->clear_dim_value();
  shape.mutable_dim(1)->set_dim_param("M");
  EXPECT_THAT(error_of([&] { (void)OnnxFiles().import(proto); }).hint(), HasSubstr("--input-shape"));
  OnnxImportOptions options;
  options.input_shapes["x"] = {4, 9};
  EXPECT_EQ(output_shape(OnnxFiles().import(proto, options)), (Shape{4, 9}));
}

TEST(OnnxImport, ExternalDataLiesBesideTheModel) {
  OnnxModel model;
  model.input("x", {1, 2});
  model.node("Add", {"x", model.floats("c", {2}, {7, 8})}, "y");
  onnx::ModelProto proto = model.finish("y");
  auto& tensor = *proto.mutable_graph()->mutable_initializer(0);
  const std::string numbers = tensor.raw_data();
  tensor.clear_raw_data();
  tensor.set_data_location(1);
  const auto entry = [&](const char* key, const char* value) {
    auto& own = *tensor.add_external_data();
    own.set_key(key);
    own.set_value(value);
  };
  entry("location", "weights.bin");
  entry("offset", "8");
  entry("length", "8");
  const OnnxFiles files;
  EXPECT_EQ(error_of([&] { (void)files.import(proto); }).kind(), ErrorKind::io);
  files.write("weights.bin", "12345678" + numbers);
  const Graph graph = files.import(proto);
  EXPECT_EQ(std::get<Scale>(graph.nodes[1].op).offset->f32.values[1], 8.0F);
  files.write("weights.bin", "12345678" + numbers.substr(1));
  EXPECT_EQ(error_of([&] { (void)files.import(proto); }).kind(), ErrorKind::malformed);
  tensor.mutable_external_data(0)->set_value("../weights.bin");
  EXPECT_THAT(error_of([&] { (void)files.import(proto); }).what(), HasSubstr("not beside the model"));
}

/// A graph as an attribute of the model's last node.
void hold(onnx::ModelProto& model, const char* attribute, OnnxModel& body, const std::string& output) {
  auto& own = *model.mutable_graph()->mutable_node(model.graph().node_size() - 1)->add_attribute();
  own.set_name(attribute);
  own.set_type(onnx::AttributeProto::GRAPH);
  *own.mutable_g() = body.finish(output).graph();
}

/// What Keras' exporter writes for a range: a Loop that counts.
TEST(OnnxImport, ALoopOfConstantsIsComputed) {
  OnnxModel body;
  for (const char* name : {"i", "on", "value"}) body.input(name, {});
  body.node("Identity", {"on"}, "still_on");
  body.node("Add", {"value", body.integers("two", {2})}, "next");
  body.node("Identity", {"value"}, "each");
  body.writer().output("still_on", {});
  body.writer().output("next", {});
  OnnxModel model;
  model.input("x", {3, 4});
  onnx::ModelProto proto = model.finish("y");
  const auto add = [&](const char* type, std::vector<std::string> inputs, std::vector<std::string> outputs) {
    auto& node = *proto.mutable_graph()->add_node();
    node.set_op_type(type);
    node.set_name(outputs[0]);
    for (const std::string& name : inputs) node.add_input(name);
    for (const std::string& name : outputs) node.add_output(name);
  };
  OnnxModel constants;
  constants.integers("passes", {4});
  constants.integers("start", {1});
  *proto.mutable_graph()->mutable_initializer() = constants.finish("none").graph().initializer();
  add("Loop", {"passes", "", "start"}, {"last", "all"});
  hold(proto, "body", body, "each");
  add("Reshape", {"all", "flat"}, {"numbers"});
  add("Cast", {"numbers"}, {"reals"});
  auto& to = *proto.mutable_graph()->mutable_node(2)->add_attribute();
  to.set_name("to");
  to.set_i(1);
  add("Add", {"x", "reals"}, {"y"});
  OnnxModel more;
  more.integers("flat", {-1});
  proto.mutable_graph()->add_initializer()->CopyFrom(more.finish("none").graph().initializer(0));
  const Graph graph = OnnxFiles().import(proto);
  EXPECT_EQ(ops_of(graph), "Input Scale");
  EXPECT_THAT(std::get<Scale>(graph.nodes[1].op).offset->f32.values, ElementsAre(1, 3, 5, 7));
}

TEST(OnnxImport, ALoopIsWrittenOutPassByPass) {
  OnnxModel body;
  for (const char* name : {"i", "on", "value"}) body.input(name, {});
  body.node("Sin", {"value"}, "next");
  body.writer().output("on", {});
  OnnxModel model;
  model.input("x", {2});
  model.node("Loop", {model.integers("passes", {3}), "", "x"}, "y");
  onnx::ModelProto proto = model.finish("y");
  hold(proto, "body", body, "next");
  EXPECT_EQ(ops_of(OnnxFiles().import(proto)), "Input Unary Unary Unary Identity");
  // How often it runs has to be known.
  proto.mutable_graph()->mutable_node(0)->set_input(0, "x");
  EXPECT_EQ(error_of([&] { (void)OnnxFiles().import(proto); }).kind(), ErrorKind::unsupported);
}

TEST(OnnxImport, ABranchIsTakenWhereItsConditionIsKnownAndSelectedElse) {
  for (const bool known : {true, false}) {
    OnnxModel yes, no, model;
    yes.node("Sin", {"x"}, "s");
    no.node("Cos", {"x"}, "c");
    model.input("x", {2});
    model.input("given", {1});
    model.node("If", {known ? model.integers("one", {1}) : "given"}, "y");
    onnx::ModelProto proto = model.finish("y");
    hold(proto, "then_branch", yes, "s");
    hold(proto, "else_branch", no, "c");
    const Graph graph = OnnxFiles().import(proto);
    EXPECT_EQ(ops_of(graph), known ? "Input Unary Identity" : "Input Input Unary Unary Select");
  }
}

/// What a detector found has room for the most that there may be; where rows that do not count would be taken for real
/// ones, the error says which node and what to do.
TEST(OnnxImport, WhatGoesOnWithFoundBoxesKeepsTheirRoom) {
  OnnxModel model;
  model.input("boxes", {1, 9, 4});
  model.input("scores", {1, 3, 9});
  model.node("NonMaxSuppression", {"boxes", "scores", model.integers("most", {2})}, "rows");
  model.node("Cast", {"rows"}, "y", [](auto n) { n.set("to", std::int64_t{1}); });
  model.node("Gather", {"boxes", "rows"}, "picked", [](auto n) { n.set("axis", std::int64_t{1}); });
  model.node("Shape", {"picked"}, "sizes");
  model.node("Expand", {model.floats("one", {1}), "sizes"}, "as_many");
  const auto shape_of = [&](const std::string& output) {
    OnnxModel cut = model;
    return output_shape(OnnxFiles().import(cut.finish(output)));
  };
  EXPECT_EQ(shape_of("y"), (Shape{6, 3}));
  EXPECT_EQ(shape_of("picked"), (Shape{1, 6, 3, 4}));
  EXPECT_EQ(shape_of("as_many"), (Shape{1, 6, 3, 4}));
  for (const char* const refused : {"CumSum", "ReduceMean", "LayerNormalization"}) {
    OnnxModel more = model;
    more.node(refused, {"picked"}, refused);
    const onnx::ModelProto proto = more.finish(refused);
    const Error error = error_of([&] { (void)OnnxFiles().import(proto); });
    EXPECT_EQ(error.kind(), ErrorKind::unsupported) << refused;
    EXPECT_THAT(error.where(), HasSubstr(refused));
    EXPECT_THAT(error.hint(), HasSubstr("cut the network")) << refused;
  }
}

}  // namespace
}  // namespace octavo::graph
