// SPDX-License-Identifier: Apache-2.0
// What the verifier refuses: broken structure first, then attributes and blobs, op by op.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string verdict(const Graph& graph) {
  return error_of([&] { verify(graph); });
}

/// What verify() says of one layer with so many inputs, each [1,8,4,4].
std::string verdict_of(const Op& op, std::size_t inputs = 1, std::size_t outputs = 1) {
  Net net;
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < inputs; ++i) values.push_back(net.input("data" + std::to_string(i), {1, 8, 4, 4}));
  return verdict(net.done(net.add_many("layer", op, values, outputs)));
}

Graph chain() {
  Net net;
  const ValueId x = net.input("data", {1, 8});
  const ValueId a = net.add("a", relu(), {x});
  return net.done({net.add("b", relu(), {a})});
}

TEST(Verify, AcceptsASoundGraph) { EXPECT_EQ(verdict(chain()), ""); }

TEST(Verify, RefusesCyclesAndUseBeforeProduction) {
  Graph cycle = chain();
  cycle.nodes[1].inputs = cycle.nodes[2].outputs;
  EXPECT_THAT(verdict(cycle), AllOf(HasSubstr("layer 'a' (Unary)"), HasSubstr("'b' is not made by any layer before")));
  Graph own_tail = chain();
  own_tail.nodes[1].inputs = own_tail.nodes[1].outputs;
  EXPECT_THAT(verdict(own_tail), HasSubstr("is not made by any layer before"));
  Graph disordered = chain();
  std::swap(disordered.nodes[1], disordered.nodes[2]);
  EXPECT_THAT(verdict(disordered), HasSubstr("layer 'b'"));
}

TEST(Verify, RefusesDuplicateAndEmptyNames) {
  Graph graph = chain();
  graph.nodes[2].name = "a";
  EXPECT_THAT(verdict(graph), HasSubstr("two layers have the name 'a'"));
  graph = chain();
  graph.values[2].name = "a";
  EXPECT_THAT(verdict(graph), HasSubstr("two values have the name 'a'"));
  graph = chain();
  graph.nodes[1].name.clear();
  EXPECT_THAT(verdict(graph), HasSubstr("a layer of type Unary has no name"));
}

TEST(Verify, RefusesValuesThatDoNotExistOrAreMadeTwice) {
  Graph graph = chain();
  graph.nodes[1].inputs = {99};
  EXPECT_THAT(verdict(graph), HasSubstr("input value 99 does not exist"));
  graph = chain();
  graph.nodes[1].outputs = {99};
  EXPECT_THAT(verdict(graph), HasSubstr("output value 99 does not exist"));
  graph = chain();
  graph.nodes[2].outputs = graph.nodes[1].outputs;
  EXPECT_THAT(verdict(graph), HasSubstr("'a' is made by two layers"));
  graph = chain();
  graph.outputs = {99};
  EXPECT_THAT(verdict(graph), HasSubstr("output value 99 is not made"));
  graph.outputs.clear();
  EXPECT_THAT(verdict(graph), HasSubstr("no output"));
}

TEST(Verify, RefusesShapesThatDoNotFollow) {
  Graph graph = chain();
  infer_shapes(graph);
  EXPECT_EQ(verdict(graph), "");
  graph.values[1].shape = {1, 9};
  EXPECT_THAT(verdict(graph), AllOf(HasSubstr("layer 'a'"), HasSubstr("'a' has the shape [1,9] instead of [1,8]")));
}

TEST(Verify, CountsInputsAndOutputs) {
  EXPECT_THAT(verdict_of(relu(), 2), HasSubstr("2 inputs, expected 1"));
  EXPECT_THAT(verdict_of(relu(), 1, 2), HasSubstr("2 outputs, expected one"));
  EXPECT_THAT(verdict_of(Eltwise{}, 1), HasSubstr("1 inputs, expected 2 or more"));
  EXPECT_THAT(verdict_of(Concat{}, 0), HasSubstr("0 inputs, expected 1 or more"));
  EXPECT_THAT(verdict_of(Crop{}, 1), HasSubstr("1 inputs, expected 2"));
  EXPECT_THAT(verdict_of(Input{.shape = {1}}, 1), HasSubstr("1 inputs, expected 0"));
  EXPECT_THAT(verdict_of(Identity{}, 1, 0), HasSubstr("0 outputs, expected at least one"));
  EXPECT_THAT(verdict_of(Slice{.axis = 1, .points = {2, 4}}, 1, 2), HasSubstr("make 3 parts, but there are 2 outputs"));
  EXPECT_THAT(verdict_of(Slice{.axis = 1, .points = {4, 4}}, 1, 3), HasSubstr("4 follows 4"));
  Convolution conv = convolution(8, 8, 1);
  conv.add_residual = true;
  EXPECT_THAT(verdict_of(conv, 1), HasSubstr("1 inputs, expected 2"));
  EXPECT_EQ(verdict_of(conv, 2), "");
}

TEST(Verify, ChecksConvolutions) {
  const auto broken = [](auto change) {
    Convolution conv = convolution(8, 4, 3);
    change(conv);
    return verdict_of(conv);
  };
  EXPECT_EQ(broken([](Convolution&) {}), "");
  EXPECT_THAT(broken([](Convolution& c) { c.stride[1] = 0; }), HasSubstr("stride is 0"));
  EXPECT_THAT(broken([](Convolution& c) { c.dilation[0] = -1; }), HasSubstr("dilation is -1"));
  EXPECT_THAT(broken([](Convolution& c) { c.pad_begin[0] = -1; }), HasSubstr("padding is -1"));
  EXPECT_THAT(broken([](Convolution& c) { c.pad_end[0] = std::int64_t{1} << 40; }), HasSubstr("padding is 1099"));
  EXPECT_THAT(broken([](Convolution& c) { c.groups = 0; }), HasSubstr("groups is 0"));
  EXPECT_THAT(broken([](Convolution& c) { c.groups = 3; }), HasSubstr("4 output channels cannot be in 3 groups"));
  EXPECT_THAT(broken([](Convolution& c) { c.kernel[0] = 5; }), HasSubstr("weights [4,8,3,3] do not fit"));
  EXPECT_THAT(broken([](Convolution& c) { c.out_channels = 5; }), HasSubstr("do not fit 5 output channels"));
  EXPECT_THAT(broken([](Convolution& c) { c.weights = nullptr; }), HasSubstr("weights are missing"));
  EXPECT_THAT(broken([](Convolution& c) { c.bias = constant({3}, 0); }), HasSubstr("3 biases, expected 4"));
  EXPECT_THAT(broken([](Convolution& c) { c.activation.kind = jit::ActivationKind::prelu; }),
              HasSubstr("slopes are missing"));
  EXPECT_THAT(broken([](Convolution& c) { c.activation.kind = static_cast<jit::ActivationKind>(77); }),
              HasSubstr("unknown activation 77"));
}

BlobPtr broken_blob(Shape shape, std::size_t numbers) {
  auto blob = std::make_shared<Blob>();
  blob->shape = std::move(shape);
  blob->f32 = Data<float>(std::vector<float>(numbers));
  return blob;
}

TEST(Verify, ChecksThatBlobsHoldWhatTheirShapesSay) {
  const auto with_weights = [](BlobPtr blob) {
    Convolution conv = convolution(8, 4, 3);
    conv.weights = std::move(blob);
    return verdict_of(conv);
  };
  EXPECT_THAT(with_weights(broken_blob({4, 8, 3, 3}, 287)), HasSubstr("need 288 numbers, not 287"));
  EXPECT_THAT(with_weights(broken_blob({4, 8, 3, 3}, 0)), HasSubstr("need 288 numbers, not 0"));
  EXPECT_THAT(with_weights(broken_blob({4, -8, 3, 3}, 0)), HasSubstr("have the shape [4,-8,3,3]"));
  EXPECT_THAT(with_weights(broken_blob({4, 0, 3, 3}, 0)), HasSubstr("have the shape [4,0,3,3]"));
  EXPECT_THAT(with_weights(broken_blob(Shape(4, std::int64_t{1} << 20), 0)), HasSubstr("too many elements"));
  EXPECT_THAT(with_weights(broken_blob(Shape(9, 1), 1)), HasSubstr("9 dimensions"));
  EXPECT_THAT(with_weights(broken_blob({}, 1)), HasSubstr("weights [] do not fit"));
}

Linear quantized_linear() {
  Blob blob;
  blob.shape = {2, 48};
  blob.q = Data<std::int8_t>(std::vector<std::int8_t>(96, 1));
  blob.scales = Data<float>({1, 2, 3, 4});
  blob.window = 32;
  Linear op = linear(48, 2);
  op.weights = std::make_shared<Blob>(blob);
  op.window.channels = 32;
  return op;
}

TEST(Verify, ChecksQuantizedWeights) {
  const auto broken = [](auto change) {
    Linear op = quantized_linear();
    auto blob = std::make_shared<Blob>(*op.weights);
    change(op, *blob);
    op.weights = blob;
    Net net;
    return verdict(net.done({net.add("fc", op, {net.input("data", {1, 48})})}));
  };
  EXPECT_EQ(broken([](Linear&, Blob&) {}), "");
  EXPECT_THAT(broken([](Linear&, Blob& b) { b.window = 16; }), HasSubstr("windows of 16 channels, activations of 32"));
  EXPECT_THAT(broken([](Linear&, Blob& b) { b.window = 0; }), HasSubstr("windows of 0 channels"));
  EXPECT_THAT(broken([](Linear& op, Blob&) { op.window.channels = 0; }), HasSubstr("activations of 48"));
  EXPECT_THAT(broken([](Linear& op, Blob&) { op.window.channels = -4; }), HasSubstr("window channels is -4"));
  EXPECT_THAT(broken([](Linear&, Blob& b) {
                b.scales = Data<float>({1, 2, 3});
              }),
              HasSubstr("3 weight scales, expected 4"));
  EXPECT_THAT(broken([](Linear&, Blob& b) {
                b.scales = Data<float>({1, 2, 3, -1});
              }),
              HasSubstr("negative or not finite"));
  EXPECT_THAT(broken([](Linear&, Blob& b) { b.scales = Data<float>({1, 2, 3, NAN}); }), HasSubstr("not finite"));
  EXPECT_THAT(broken([](Linear&, Blob& b) { b.q = Data<std::int8_t>(std::vector<std::int8_t>(95)); }),
              HasSubstr("need 96 numbers, not 95"));
}

TEST(Verify, RefusesQuantizedNumbersWhereFp32Belongs) {
  const BlobPtr quantized = quantized_linear().weights;
  EXPECT_THAT(verdict_of(Embed{.weights = quantized, .bias = nullptr}), HasSubstr("have to be fp32"));
  EXPECT_THAT(verdict_of(PRelu{.slopes = quantized}), HasSubstr("have to be fp32"));
  EXPECT_THAT(verdict_of(Scale{.factor = quantized}), HasSubstr("have to be fp32"));
}

TEST(Verify, ChecksTheOtherOps) {
  const auto beyond = static_cast<int>(UnaryKind::atanh) + 1;
  EXPECT_THAT(verdict_of(Unary{.kind = static_cast<UnaryKind>(beyond)}), HasSubstr("unknown function 43"));
  EXPECT_THAT(verdict_of(PRelu{}), HasSubstr("slopes are missing"));
  EXPECT_THAT(verdict_of(BatchNorm{.mean = constant({8}, 0), .variance = constant({7}, 1)}),
              HasSubstr("7 variances, expected 8"));
  EXPECT_THAT(verdict_of(BatchNorm{.mean = constant({8}, 0), .variance = constant({8}, 1), .epsilon = NAN}),
              HasSubstr("epsilon"));
  EXPECT_THAT(verdict_of(Scale{}), HasSubstr("neither a factor nor an offset"));
  EXPECT_THAT(verdict_of(Scale{.second_is_offset = true}), HasSubstr("second input is missing"));
  EXPECT_THAT(verdict_of(Scale{.factor = constant({8}, 1)}, 2), HasSubstr("the factor is given twice"));
  EXPECT_THAT(verdict_of(Lrn{.size = 4}), HasSubstr("odd"));
  EXPECT_THAT(verdict_of(Pool{.kernel = {0, 1}}), HasSubstr("kernel is 0"));
  EXPECT_THAT(verdict_of(Pool{.kernel = {2, 2}, .pad_end = {0, 2}}), HasSubstr("padding 2 has to be smaller"));
  EXPECT_THAT(verdict_of(Pool{.pad_begin = {1, 0}, .global = true}), HasSubstr("padding 1 has to be smaller"));
  EXPECT_THAT(verdict_of(Eltwise{.kind = EltwiseKind::max, .coefficients = {1, 1}}, 2), HasSubstr("only a sum"));
  EXPECT_THAT(verdict_of(Eltwise{.coefficients = {1, 1, 1}}, 2), HasSubstr("3 coefficients for 2 inputs"));
  EXPECT_THAT(verdict_of(Reshape{.dims = {-1, -1}}), HasSubstr("more than one dimension"));
  EXPECT_THAT(verdict_of(Reshape{.dims = {-2}}), HasSubstr("dimension is -2"));
  EXPECT_THAT(verdict_of(Crop{.offsets = {-1}}, 2), HasSubstr("offset is -1"));
  EXPECT_THAT(verdict_of(Tile{.tiles = 0}), HasSubstr("tiles is 0"));
  EXPECT_THAT(verdict_of(ArgMax{.top_k = 0}), HasSubstr("top_k is 0"));
  EXPECT_THAT(verdict_of(Embed{.weights = constant({8}, 0), .bias = nullptr}), HasSubstr("not [inputs][outputs]"));
  EXPECT_THAT(verdict_of(Linear{}), HasSubstr("out_features is 0"));
  EXPECT_THAT(verdict_of(Input{.shape = {1, -1}}, 0), HasSubstr("input dimension is -1"));
}

TEST(Verify, KeepsEpiloguesOutOfIntegerNodes) {
  Linear op = quantized_linear();
  op.bias = constant({2}, 0);
  EXPECT_THAT(verdict_of(IntegerLinear{op}), HasSubstr("the epilogue belongs to Dequantize"));
  EXPECT_THAT(verdict_of(FusedLinear{.linear = linear(128, 2)}), HasSubstr("weights have to be quantized"));
  EXPECT_THAT(verdict_of(Dequantize{.weights = constant({2, 2}, 0), .bias = nullptr}),
              HasSubstr("have to be quantized"));
}

}  // namespace
}  // namespace octavo::graph::test
