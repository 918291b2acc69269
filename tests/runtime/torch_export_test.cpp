// SPDX-License-Identifier: Apache-2.0
// What is written as Torch7 comes back as the same network and computes the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "graph/compiler.h"
#include "graph/export/torch.h"
#include "octavo/model.h"
#include "tests/graph/torch_files.h"
#include "tests/runtime/graph_equality.h"
#include "tests/runtime/small_network.h"

namespace octavo::test {
namespace {

using graph::TorchFiles;
using graph::TorchModel;
using Ref = TorchModel::Ref;
using testing::HasSubstr;

std::map<std::string, Shape> shapes_of(const Graph& graph) {
  std::map<std::string, Shape> shapes;
  const auto inputs = graph.inputs();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    shapes[inputs.size() == 1 ? "input" : "input_" + std::to_string(i + 1)] = graph.values[inputs[i]->outputs[0]].shape;
  }
  return shapes;
}

/// A file is mapped as long as its graph lives: each has a name of its own.
Graph torch_and_back(const TorchFiles& files, const Graph& graph, const std::string& name) {
  return graph::import_torch(files.write(name, graph::export_torch(graph)), {.input_shapes = shapes_of(graph)});
}

/// The import of an export computes the same. What it became then is a fixed point: another round changes nothing.
void expect_torch_round_trip(const Graph& original, const std::vector<Values>& inputs) {
  const TorchFiles files;
  const Graph once = torch_and_back(files, original, "once.t7");
  ASSERT_EQ(once.inputs().size(), inputs.size());
  expect_near(run(once, inputs), run(original, inputs), 1e-5F, graph::print(original));
  const Graph twice = torch_and_back(files, once, "twice.t7");
  EXPECT_EQ(structure(twice), structure(once)) << graph::print(once) << graph::print(twice);
}

void expect_torch_round_trip(const graph::Op& op, const std::vector<Shape>& shapes, float low = -2.0F,
                             float high = 2.0F) {
  std::vector<Values> inputs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    inputs.push_back(random_values(shapes[i], static_cast<unsigned>(i) + 1, low, high));
  }
  expect_torch_round_trip(graph_of(op, inputs, Arrival::as_given), inputs);
}

TEST(TorchRoundTrip, LayersWithWeights) {
  const Shape image{2, 4, 9, 8};
  graph::Convolution conv{.out_channels = 6, .groups = 2, .kernel = {3, 2}, .stride = {2, 1}};
  conv.pad_begin = {1, 0};
  conv.pad_end = {0, 2};
  conv.weights = random_blob({6, 2, 3, 2}, 5);
  conv.bias = random_blob({6}, 6);
  expect_torch_round_trip(conv, {image});
  conv.pad_end = conv.pad_begin;
  conv.activation = {.kind = jit::ActivationKind::prelu, .slopes = random_blob({6}, 7)};
  expect_torch_round_trip(conv, {image});
  conv.activation = {.kind = jit::ActivationKind::leaky_relu, .slope = 0.1F};
  conv.add_residual = true;
  expect_torch_round_trip(conv, {image, {2, 6, 5, 7}});
  graph::Convolution dilated{.out_channels = 3, .kernel = {3, 3}, .dilation = {1, 2}};
  dilated.weights = random_blob({3, 4, 3, 3}, 5);
  expect_torch_round_trip(dilated, {image});
  graph::Deconvolution up{.out_channels = 6, .kernel = {3, 3}, .stride = {2, 2}, .pad_begin = {1, 1}};
  up.weights = random_blob({4, 6, 3, 3}, 8);
  up.bias = random_blob({6}, 9);
  for (const graph::Pair end : {graph::Pair{1, 1}, {0, 1}, {0, 0}, {2, 2}}) {
    up.pad_end = end;
    expect_torch_round_trip(up, {image});
  }
  for (const std::int64_t axis : {0, 1, 2, -1}) {
    graph::Linear linear{.out_features = 5, .axis = axis};
    linear.weights = random_blob({5, axis == 0 ? 576 : axis == 1 ? 288 : axis == 2 ? 72 : 8}, 10);
    linear.bias = random_blob({5}, 11);
    expect_torch_round_trip(linear, {image});
  }
  expect_torch_round_trip(graph::Embed{random_blob({7, 3}, 12), random_blob({3}, 13)}, {{2, 4}}, 0.0F, 6.9F);
}

TEST(TorchRoundTrip, PoolsAndNormalization) {
  const Shape image{2, 5, 9, 8};
  for (const auto kind : {graph::PoolKind::max, graph::PoolKind::average}) {
    expect_torch_round_trip(graph::Pool{.kind = kind, .global = true}, {image});
    for (const bool ceil : {false, true}) {
      for (const bool padding : {false, true}) {
        graph::Pool pool{.kind = kind, .kernel = {3, 2}, .stride = {3, 2}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
        pool.ceil_mode = ceil;
        pool.include_padding = padding;
        expect_torch_round_trip(pool, {image});
        pool.pad_end = {0, 1};
        if (!ceil && (padding || kind == graph::PoolKind::max)) expect_torch_round_trip(pool, {image});
      }
    }
  }
  expect_torch_round_trip(graph::Lrn{.size = 3, .alpha = 0.3F, .beta = 0.6F, .k = 1.5F}, {image});
  for (const bool across : {false, true}) {
    expect_torch_round_trip(graph::Normalize{across, 1e-3F, random_blob({across ? 1 : 5}, 8)}, {image});
  }
  for (const Shape& shape : {image, Shape{2, 5}, Shape{2, 5, 3}}) {
    expect_torch_round_trip(graph::BatchNorm{random_blob({5}, 1), random_blob({5}, 2, 0.5F, 2.0F), 1e-3F}, {shape});
  }
  expect_torch_round_trip(graph::PRelu{random_blob({5}, 3)}, {image});
  expect_torch_round_trip(graph::PRelu{random_blob({1}, 3)}, {{2, 5, 3}});
  for (const std::int64_t axis : {0, 1, 2, 3}) expect_torch_round_trip(graph::Softmax{axis}, {image});
  expect_torch_round_trip(graph::Softmax{1}, {{3, 4}});
  expect_torch_round_trip(graph::LayerNorm{-1, true, 1e-4F, random_blob({8}, 4), random_blob({8}, 5)}, {image});
  expect_torch_round_trip(graph::LayerNorm{1, true, 1e-4F, nullptr, nullptr}, {image});
  expect_torch_round_trip(graph::LayerNorm{-2, false, 1e-4F, random_blob({72}, 4), nullptr}, {image});
  for (const std::int64_t axis : {1, 2, -1}) {
    const Shape part{image[static_cast<std::size_t>(axis < 0 ? axis + 4 : axis)]};
    expect_torch_round_trip(graph::Scale{.axis = axis, .factor = random_blob(part, 6), .offset = random_blob(part, 7)},
                            {image});
    expect_torch_round_trip(graph::Scale{.axis = axis}, {image, part});
  }
}

TEST(TorchRoundTrip, Functions) {
  using graph::UnaryKind;
  const UnaryKind kinds[] = {UnaryKind::relu,  UnaryKind::relu6, UnaryKind::sigmoid,         UnaryKind::tanh,
                             UnaryKind::elu,   UnaryKind::abs,   UnaryKind::power,           UnaryKind::exp,
                             UnaryKind::log,   UnaryKind::clip,  UnaryKind::hard_sigmoid,    UnaryKind::hard_swish,
                             UnaryKind::swish, UnaryKind::mish,  UnaryKind::softplus,        UnaryKind::softsign,
                             UnaryKind::selu,  UnaryKind::celu,  UnaryKind::thresholded_relu};
  for (const UnaryKind kind : kinds) {
    expect_torch_round_trip(graph::Unary{kind, 0.75F, 1.5F, 1.25F}, {{2, 3, 4, 5}}, 0.1F, 2.0F);
    if (kind != UnaryKind::power && kind != UnaryKind::log) {
      expect_torch_round_trip(graph::Unary{kind, 0.75F, 1.5F, 1.25F}, {{2, 3}});
    }
  }
  expect_torch_round_trip(graph::Unary{UnaryKind::shrink, 0.5F, 0.5F}, {{2, 3}});
  expect_torch_round_trip(graph::Unary{UnaryKind::shrink, 0.5F, 0.0F}, {{2, 3}});
  expect_torch_round_trip(graph::Unary{UnaryKind::exp, -1.0F, 0.0F, 1.0F}, {{2, 3}});
  for (const auto kind : {graph::EltwiseKind::sum, graph::EltwiseKind::product, graph::EltwiseKind::max}) {
    graph::Eltwise op;
    op.kind = kind;
    expect_torch_round_trip(op, {{2, 3}, {2, 3}});
    op.activation.kind = jit::ActivationKind::relu;
    expect_torch_round_trip(op, {{2, 3}, {2, 3}, {2, 3}});
  }
  graph::Eltwise weighted;
  for (const float second : {-1.0F, -0.5F}) {
    weighted.coefficients = {1.0F, second};
    expect_torch_round_trip(weighted, {{2, 3}, {2, 3}});
  }
  using graph::BinaryKind;
  for (const auto kind : {BinaryKind::add, BinaryKind::subtract, BinaryKind::multiply, BinaryKind::divide,
                          BinaryKind::minimum, BinaryKind::maximum}) {
    expect_torch_round_trip(graph::Binary{kind}, {{2, 3, 4}, {2, 3, 4}}, 0.1F, 4.0F);
    expect_torch_round_trip(graph::Binary{kind}, {{2, 3, 4}, {3, 1}}, 0.1F, 4.0F);
    expect_torch_round_trip(graph::Binary{kind}, {{1}, {2, 3}}, 0.1F, 4.0F);
  }
  using graph::ReductionKind;
  for (const auto kind : {ReductionKind::sum, ReductionKind::abs_sum, ReductionKind::square_sum, ReductionKind::mean,
                          ReductionKind::max, ReductionKind::min}) {
    for (const std::int64_t axis : {0, 1, 3}) {
      expect_torch_round_trip(graph::Reduction{kind, axis, axis == 1 ? 0.5F : 1.0F}, {{2, 3, 4, 5}});
    }
  }
  expect_torch_round_trip(graph::MatMul{}, {{3, 4}, {4, 5}});
  expect_torch_round_trip(graph::MatMul{}, {{2, 3, 4}, {2, 4, 5}});
  expect_torch_round_trip(graph::MatMul{}, {{2, 2, 3, 4}, {2, 2, 4, 5}});
}

TEST(TorchRoundTrip, Movements) {
  const Shape image{2, 3, 4, 5};
  expect_torch_round_trip(graph::Concat{.axis = 2}, {image, {2, 3, 2, 5}});
  expect_torch_round_trip(graph::Flatten{.axis = 1, .end_axis = -1}, {image});
  expect_torch_round_trip(graph::Flatten{.axis = 1, .end_axis = 2}, {image});
  expect_torch_round_trip(graph::Flatten{.axis = 0, .end_axis = -1}, {image});
  expect_torch_round_trip(graph::Reshape{.dims = {0, -1, 10}}, {image});
  expect_torch_round_trip(graph::Reshape{.dims = {-1, 10}}, {image});
  expect_torch_round_trip(graph::Reshape{.dims = {12}, .axis = 1, .num_axes = 2}, {image});
  expect_torch_round_trip(graph::Permute{.order = {0, 2}}, {image});
  expect_torch_round_trip(graph::Permute{.order = {3, 0, 1, 2}}, {image});
  expect_torch_round_trip(graph::Tile{.axis = 1, .tiles = 3}, {image});
  expect_torch_round_trip(graph::StridedSlice{{1, 3}, {0, -2}, {2, 100}, {1, 1}}, {image});
  expect_torch_round_trip(graph::Pad{graph::PadKind::constant, {0, 0, 1, 2}, {0, 0, -2, 1}, 0.0F}, {image});
  expect_torch_round_trip(graph::Pad{graph::PadKind::constant, {0, 1, 0, 2}, {0, -1, 3, 1}, 0.5F}, {image});
  expect_torch_round_trip(graph::Pad{graph::PadKind::edge, {0, 0, 1, 2}, {0, 0, 3, 1}}, {image});
  expect_torch_round_trip(graph::Pad{graph::PadKind::reflect, {0, 0, 1, 2}, {0, 0, 3, 1}}, {image});
  graph::Resize resize{.kind = graph::ResizeKind::linear,
                       .coordinates = graph::ResizeCoordinates::align_corners,
                       .axes = {2, 3},
                       .sizes = {7, 9}};
  expect_torch_round_trip(resize, {image});
  resize = {.kind = graph::ResizeKind::nearest, .coordinates = graph::ResizeCoordinates::asymmetric};
  resize.rounding = graph::ResizeRounding::floor;
  resize.axes = {2, 3};
  resize.scales = {2.0F, 2.0F};
  expect_torch_round_trip(resize, {image});
}

/// Networks as Torch has them: written and read again, nothing at all has changed, names included.
TEST(TorchRoundTrip, NetworksOfTorchStayWhatTheyAre) {
  TorchModel model;
  const auto sequential = [&](const std::vector<Ref>& modules) { return model.container("Sequential", modules); };
  const auto relu = [&] { return model.module("ReLU"); };
  const Ref norm = model.module("SpatialBatchNormalization", {{"running_mean", model.tensor({4})},
                                                              {"running_var", model.tensor({4}, 0.5F, 2.0F)},
                                                              {"weight", model.tensor({4})},
                                                              {"bias", model.tensor({4})}});
  const Ref residual = model.container(
      "ConcatTable", {sequential({model.convolution(4, 4, 1), norm, relu()}), model.module("Identity")});
  const Ref inception =
      model.container("Concat", {model.convolution(4, 2, 1), sequential({model.convolution(4, 3, 1), relu()}), relu()},
                      {{"dimension", 2.0}});
  const Ref branches =
      model.container("ConcatTable", {model.module("Tanh"), model.module("Sigmoid"), model.module("Identity")});
  const Ref shared = model.linear(5, 5);
  struct Case {
    Ref root;
    Shape input;
  };
  const Case cases[] = {
      {sequential({model.convolution(3, 4, 3), residual, model.module("CAddTable"), inception,
                   model.module("SpatialAdaptiveAveragePooling", {{"W", 1.0}, {"H", 1.0}}),
                   model.module("View", {{"size", model.longs({9})}}), model.linear(9, 5), model.module("LogSoftMax")}),
       {2, 3, 8, 8}},
      {sequential({branches, model.module("JoinTable", {{"dimension", 2.0}}), model.module("Normalize", {{"p", 2.0}})}),
       {2, 5}},
      {sequential({branches, model.module("SelectTable", {{"index", 2.0}}), model.module("LogSoftMax")}), {5, 3, 2}},
      {branches, {2, 5}},  // several outputs
      {sequential({shared, relu(), shared, model.module("Threshold", {{"threshold", 0.5}, {"val", 2.0}})}), {2, 5}},
      {sequential({model.module("LookupTable", {{"weight", model.tensor({9, 4})}}),
                   model.module("Mean", {{"dimension", 2.0}})}),
       {2, 3}},
      {sequential({model.module("Transpose", {{"permutations", model.table({model.table({2.0, 3.0})})}}),
                   model.module("Replicate", {{"nfeatures", 2.0}, {"dim", 2.0}}), model.module("LogSoftMax")}),
       {2, 3, 4}},
      {model.container("ParallelTable", {model.module("Tanh"), relu()}), {}},
  };
  int number = 0;
  for (const Case& c : cases) {
    SCOPED_TRACE(++number);
    const TorchFiles files;
    const std::map<std::string, Shape> two{{"input_1", {2, 3}}, {"input_2", {4}}};
    Graph once =
        files.import(model.bytes(c.root), c.input.empty() ? two : std::map<std::string, Shape>{{"input", c.input}});
    Graph twice = torch_and_back(files, once, "again.t7");
    twice.name = once.name;
    EXPECT_EQ(transcript(twice), transcript(once)) << graph::print(once) << graph::print(twice);
  }
}

/// x -> a, b; c = a + b; d = a * c: no nest of modules says that a goes to both.
TEST(TorchExport, WhatIsNotSeriesParallelIsAGraphOfNngraph) {
  SmallNetwork network;
  const ValueId x = network.input("x", {2, 3});
  const ValueId a = network.add("a", graph::Unary{graph::UnaryKind::tanh}, {x});
  const ValueId b = network.add("b", graph::Unary{graph::UnaryKind::abs}, {x});
  const ValueId c = network.add("c", graph::Eltwise{}, {a, b});
  graph::Eltwise product;
  product.kind = graph::EltwiseKind::product;
  const ValueId d = network.add("d", product, {a, c});
  const Graph graph = network.finish({d});
  EXPECT_THAT(graph::export_torch(graph), HasSubstr("nn.gModule"));
  expect_torch_round_trip(graph, {random_values({2, 3}, 1)});
  EXPECT_THAT(graph::export_torch(network.finish({c})), testing::Not(HasSubstr("nn.gModule")));
}

TEST(TorchExport, NamesTheFirstLayerThatTorchCannotSay) {
  const Values image = random_values({1, 2, 4, 4}, 1);
  const std::pair<graph::Op, const char*> cases[] = {
      {graph::Lrn{.across_channels = false}, "layer 'y' (Lrn)"},
      {graph::Unary{graph::UnaryKind::erf}, "layer 'y' (Unary)"},
      {graph::ArgMax{.has_axis = true}, "layer 'y' (ArgMax)"},
  };
  for (const auto& [op, place] : cases) {
    const Error error = graph::error_of([&] { (void)graph::export_torch(graph_of(op, {image}, Arrival::as_given)); });
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_THAT(error.where(), HasSubstr(place));
  }
}

TEST(TorchExport, EightBitWeightsBecomeWhatTheyStandFor) {
  const TorchFiles files;
  TorchModel model;
  const Model quantized =
      Model::load_torch(files.write("net.t7", model.bytes(model.linear(70, 6))), {{"input", {2, 70}}}).quantize();
  ASSERT_TRUE(quantized.quantized());
  const std::filesystem::path file = files.write("q.t7", "");
  quantized.save_torch(file);
  const Model back = Model::load(file);
  const Values x = random_values({2, 70}, 3);
  const Tensor y = back.predict(Tensor(x.shape, x.numbers)),
               expected = quantized.dequantize().predict(Tensor(x.shape, x.numbers));
  for (std::int64_t i = 0; i < y.size(); ++i) EXPECT_FLOAT_EQ(y.data()[i], expected.data()[i]);
}

}  // namespace
}  // namespace octavo::test
