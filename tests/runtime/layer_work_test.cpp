// SPDX-License-Identifier: Apache-2.0
// LayerInfo::work: what a program says its 8-bit layers have to compute.
#include <gtest/gtest.h>

#include "graph/compiler.h"
#include "tests/runtime/small_network.h"

namespace octavo::test {
namespace {

Program program_of(const graph::Op& op, const Shape& input, bool quantize) {
  SmallNetwork network;
  const ValueId x = network.input("x", input);
  const ValueId positive = network.add("relu", graph::Unary{.kind = graph::UnaryKind::relu}, {x});
  Graph graph = network.finish({network.add("layer", op, {positive})});
  if (quantize) {
    graph = graph::quantize_weights(std::move(graph), {});
    graph = graph::fuse_quantization(graph::insert_quantization(std::move(graph)));
    graph::infer_shapes(graph);
  }
  CompileOptions options;
  options.threads = 1;
  return runtime::build_program(graph, options, std::make_shared<jit::KernelCache>());
}

std::optional<LayerWork> work_of(const Program& program) {
  for (const LayerInfo& layer : program.layers()) {
    if (layer.name == "layer") return layer.work;
    EXPECT_FALSE(layer.work) << layer.name;
  }
  return std::nullopt;
}

graph::Convolution convolution(std::int64_t kernel, std::int64_t stride, std::int64_t groups) {
  graph::Convolution conv;
  conv.out_channels = 24;
  conv.groups = groups;
  conv.kernel = {kernel, kernel};
  conv.stride = {stride, stride};
  conv.pad_begin = conv.pad_end = {kernel / 2, kernel / 2};
  conv.weights = random_blob({24, 16 / groups, kernel, kernel}, 1);
  conv.activation.kind = jit::ActivationKind::relu;
  return conv;
}

TEST(LayerWork, OfAConvolutionIsItsGeometryAndItsProducts) {
  const auto work = work_of(program_of(convolution(3, 2, 2), {2, 16, 9, 11}, true));
  ASSERT_TRUE(work);
  EXPECT_EQ(work->images, 2);
  EXPECT_EQ(work->in_channels, 16);
  EXPECT_EQ(work->out_channels, 24);
  EXPECT_EQ(work->groups, 2);
  EXPECT_EQ(work->in_h, 9);
  EXPECT_EQ(work->in_w, 11);
  EXPECT_EQ(work->out_h, 5);
  EXPECT_EQ(work->out_w, 6);
  EXPECT_EQ(work->kernel_h, 3);
  EXPECT_EQ(work->stride_w, 2);
  EXPECT_EQ(work->pad_top, 1);
  EXPECT_TRUE(work->nonnegative_input);
  EXPECT_TRUE(work->relu);
  EXPECT_FALSE(work->bias);
  EXPECT_EQ(work->multiply_accumulates(), 2 * 5 * 6 * 24 * 8 * 9);
}

TEST(LayerWork, OfAPointwiseConvolutionKeepsItsImages) {
  const auto work = work_of(program_of(convolution(1, 1, 1), {3, 16, 7, 5}, true));
  ASSERT_TRUE(work);
  EXPECT_EQ(work->images, 3);
  EXPECT_EQ(work->in_h, 7);
  EXPECT_EQ(work->out_w, 5);
  EXPECT_EQ(work->multiply_accumulates(), 3 * 35 * 24 * 16);
}

TEST(LayerWork, OfALinearIsOnePixelAnImageForEachRow) {
  graph::Linear linear;
  linear.out_features = 10;
  linear.weights = random_blob({10, 48}, 1);
  linear.bias = random_blob({10}, 2);
  const auto work = work_of(program_of(linear, {5, 48}, true));
  ASSERT_TRUE(work);
  EXPECT_EQ(work->images, 5);
  EXPECT_EQ(work->in_channels, 48);
  EXPECT_EQ(work->in_w, 1);
  EXPECT_EQ(work->out_w, 1);
  EXPECT_TRUE(work->bias);
  EXPECT_EQ(work->multiply_accumulates(), 5 * 48 * 10);
}

TEST(LayerWork, IsOf8BitLayersOnly) { EXPECT_FALSE(work_of(program_of(convolution(3, 1, 1), {1, 16, 8, 8}, false))); }

}  // namespace
}  // namespace octavo::test
