// SPDX-License-Identifier: Apache-2.0
// Integer layers as steps: bit for bit what the scalar reference gives image by image, and close to the fp32 layer.
#include <gtest/gtest.h>

#include <cmath>

#include "graph/axes.h"
#include "graph/compiler.h"
#include "jit/reference.h"
#include "tests/runtime/reference_ops.h"

namespace octavo::test {
namespace {

/// [N][C][H][W] to [N][H][W][C], or back.
std::vector<float> transposed(const std::vector<float>& x, std::int64_t images, std::int64_t rows,
                              std::int64_t columns) {
  std::vector<float> y(x.size());
  for (std::int64_t n = 0; n < images; ++n)
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t c = 0; c < columns; ++c)
        y[static_cast<std::size_t>((n * columns + c) * rows + r)] =
            x[static_cast<std::size_t>((n * rows + r) * columns + c)];
  return y;
}

double decibels(const std::vector<float>& expected, const std::vector<float>& actual) {
  double signal = 0, noise = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    signal += std::pow(static_cast<double>(expected[i]), 2);
    noise += std::pow(static_cast<double>(expected[i]) - actual[i], 2);
  }
  return 10 * std::log10(signal / noise);
}

struct Case {
  const char* name;
  std::int64_t images, ins, outs, height, width, kernel, stride, pad, dilation, groups, window;
  bool nonnegative, residual;
  jit::ActivationKind activation;
};
constexpr auto kNone = jit::ActivationKind::none;
constexpr auto kRelu = jit::ActivationKind::relu;
constexpr auto kPrelu = jit::ActivationKind::prelu;
const Case kCases[] = {
    {"first layer", 2, 3, 64, 17, 19, 3, 1, 1, 1, 1, 64, false, false, kRelu},
    {"3x3", 2, 64, 96, 14, 14, 3, 1, 1, 1, 1, 64, true, false, kRelu},
    {"3x3, many channels", 3, 160, 64, 7, 7, 3, 1, 1, 1, 1, 64, true, true, kRelu},
    {"strided 5x5 with tails", 2, 20, 50, 15, 11, 5, 2, 2, 1, 1, 16, false, false, kNone},
    {"dilated", 1, 32, 33, 16, 16, 3, 1, 2, 2, 1, 32, true, false, kPrelu},
    {"grouped", 2, 48, 64, 9, 9, 3, 1, 1, 1, 2, 64, true, false, kRelu},
    {"depthwise", 2, 40, 40, 12, 12, 3, 1, 1, 1, 40, 64, true, false, kRelu},
    {"1x1", 3, 72, 130, 9, 7, 1, 1, 0, 1, 1, 64, true, false, kRelu},
    {"1x1 with residual", 2, 64, 32, 8, 8, 1, 1, 0, 1, 1, 0, false, true, kRelu},
    {"strided 1x1", 2, 64, 32, 9, 9, 1, 2, 0, 1, 1, 64, true, false, kNone},
};

graph::Convolution convolution_of(const Case& c) {
  graph::Convolution conv;
  conv.out_channels = c.outs;
  conv.groups = c.groups;
  conv.kernel = {c.kernel, c.kernel};
  conv.stride = {c.stride, c.stride};
  conv.dilation = {c.dilation, c.dilation};
  conv.pad_begin = conv.pad_end = {c.pad, c.pad};
  conv.weights = random_blob({c.outs, c.ins / c.groups, c.kernel, c.kernel}, 1);
  conv.bias = random_blob({c.outs}, 2);
  conv.add_residual = c.residual;
  conv.activation.kind = c.activation;
  if (c.activation == kPrelu) conv.activation.slopes = random_blob({c.outs}, 3);
  return conv;
}

/// The graph with its one layer quantized and fused.
Graph quantized(const graph::Op& op, const std::vector<Values>& inputs, bool nonnegative,
                const graph::QuantizationWindow& window) {
  SmallNetwork network;
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const ValueId x = network.input("x" + std::to_string(i), inputs[i].shape);
    values.push_back(network.add(
        "r" + std::to_string(i),
        graph::Unary{.kind = nonnegative ? graph::UnaryKind::relu : graph::UnaryKind::power, .beta = 1, .gamma = 1},
        {x}));
  }
  const ValueId y = network.add("y", op, values);
  graph::QuantizationRules rules;
  rules.convolution_window = rules.linear_window = window;
  Graph graph = graph::quantize_weights(network.finish({y}), rules);
  graph = graph::fuse_quantization(graph::insert_quantization(std::move(graph)));
  graph::infer_shapes(graph);
  return graph;
}

/// The layer by the scalar reference, on the plan that a program of one thread gets.
std::vector<float> by_reference(const jit::ConvSpec& spec, std::int64_t images, const graph::BlobPtr& weights,
                                const graph::BlobPtr& bias, const graph::BlobPtr& slopes, const std::vector<float>& x,
                                const float* residual) {
  const jit::WindowedWeights windowed{weights->q.values, weights->scales.values, bias->f32.values,
                                      slopes ? slopes->f32.values : std::span<const float>{}};
  const jit::Plan plan = jit::make_plan(spec, jit::Machine::detect(), 1);
  const std::int64_t in = spec.in_h * spec.in_w * spec.in_channels, out = spec.out_h * spec.out_w * spec.out_channels;
  std::vector<float> y(static_cast<std::size_t>(images * out));
  for (std::int64_t n = 0; n < images; ++n)
    jit::reference_layer(spec, plan, windowed, x.data() + n * in, residual == nullptr ? nullptr : residual + n * out,
                         y.data() + n * out);
  return y;
}

TEST(FusedConvolution, EqualsTheScalarReferenceBitForBitAndTheFloatLayerClosely) {
  for (const Case& c : kCases) {
    const graph::Convolution conv = convolution_of(c);
    std::vector<Values> inputs{random_values({c.images, c.ins, c.height, c.width}, 7, c.nonnegative ? 0.0F : -1.0F)};
    if (c.residual) {
      graph::Convolution alone = conv;
      alone.add_residual = false;
      const Graph shaped = graph_of(alone, inputs, Arrival::as_given);
      inputs.push_back(random_values(shaped.values[shaped.outputs[0]].shape, 8, c.nonnegative ? 0.0F : -1.0F));
    }
    const Graph graph = quantized(conv, inputs, c.nonnegative, {.channels = c.window});
    const auto& fused = std::get<graph::FusedConvolution>(graph.nodes.back().op);
    EXPECT_EQ(fused.nonnegative, c.nonnegative) << c.name;
    const Shape& out = graph.values[graph.outputs[0]].shape;

    jit::ConvSpec spec;
    spec.in_channels = c.ins;
    spec.out_channels = c.outs;
    spec.groups = c.groups;
    spec.in_h = c.height;
    spec.in_w = c.width;
    spec.out_h = out[2];
    spec.out_w = out[3];
    spec.kernel_h = spec.kernel_w = c.kernel;
    spec.stride_h = spec.stride_w = c.stride;
    spec.dilation_h = spec.dilation_w = c.dilation;
    spec.pad_top = spec.pad_left = c.pad;
    spec.window = fused.conv.window;
    spec.nonnegative_input = c.nonnegative;
    spec.epilogue = {true, c.residual, c.activation, 0.0F};
    spec.isa = default_isa();
    std::int64_t images = c.images;
    if (spec.pointwise()) {  // one row of all pixels of all images
      spec.in_w = spec.out_w = c.images * c.height * c.width;
      spec.in_h = spec.out_h = 1;
      images = 1;
    }
    const std::vector<float> x = transposed(inputs[0].numbers, c.images, c.ins, c.height * c.width);
    std::vector<float> residual;
    if (c.residual) residual = transposed(inputs[1].numbers, c.images, c.outs, out[2] * out[3]);
    const std::vector<float> nhwc = by_reference(spec, images, fused.conv.weights, conv.bias, conv.activation.slopes, x,
                                                 c.residual ? residual.data() : nullptr);
    const Values expected{out, transposed(nhwc, c.images, out[2] * out[3], c.outs)};
    for (const int threads : {1, 2}) {
      // A plan may follow the thread count, and with it the windows; one thread's is the reference's.
      const Values actual = run(graph, inputs, threads, AccuracyBudget::parse("direct"));
      if (threads == 1) {
        expect_near(actual, expected, 0.0F, c.name);
      }
      EXPECT_GT(decibels(reference(conv, inputs, out), actual.numbers), 30.0) << c.name;
    }
  }
}

TEST(FusedLinear, EqualsTheScalarReferenceBitForBitAndTheFloatLayerClosely) {
  for (const std::int64_t rows : {1, 5, 33}) {
    for (const Shape& image : {Shape{300}, Shape{18, 5, 4}, Shape{512, 1, 1}}) {
      Shape shape{rows};
      shape.insert(shape.end(), image.begin(), image.end());
      const std::int64_t columns = graph::element_count(image);
      graph::Linear linear;
      linear.out_features = 70;
      linear.weights = random_blob({70, columns}, 1);
      linear.bias = random_blob({70}, 2);
      linear.activation.kind = kRelu;
      const std::vector<Values> inputs{random_values(shape, 3, 0.0F)};
      const Graph graph = quantized(linear, inputs, true, {.channels = 128});
      const auto& fused = std::get<graph::FusedLinear>(graph.nodes.back().op);
      jit::ConvSpec spec;
      spec.in_channels = columns;
      spec.out_channels = 70;
      spec.in_w = spec.out_w = rows;
      spec.window = fused.linear.window;
      spec.nonnegative_input = true;
      spec.epilogue = {true, false, kRelu, 0.0F};
      spec.isa = default_isa();
      const Values expected{
          {rows, 70}, by_reference(spec, 1, fused.linear.weights, linear.bias, nullptr, inputs[0].numbers, nullptr)};
      const Values actual = run(graph, inputs);
      expect_near(actual, expected, 0.0F, graph::print(graph));
      EXPECT_GT(decibels(reference(linear, inputs, expected.shape), actual.numbers), 30.0);
    }
  }
}

/// The answers for the second of two images, when the first one's numbers are multiplied by `first_image`.
std::vector<float> second_of_two(const graph::Op& op, Shape shape, const graph::QuantizationWindow& window,
                                 float first_image) {
  shape.insert(shape.begin(), 2);
  std::vector<Values> inputs{random_values(shape, 5)};
  const std::size_t half = inputs[0].numbers.size() / 2;
  for (std::size_t i = 0; i < half; ++i) inputs[0].numbers[i] *= first_image;
  const std::vector<float> y = run(quantized(op, inputs, false, window), inputs).numbers;
  return {y.begin() + static_cast<std::ptrdiff_t>(y.size() / 2), y.end()};
}

TEST(IntegerLayers, AWindowOfSeveralPixelsNeverReachesIntoAnotherImage) {
  graph::Convolution pointwise;
  pointwise.out_channels = 32;
  pointwise.weights = random_blob({32, 64, 1, 1}, 1);
  graph::Linear linear;
  linear.out_features = 32;
  linear.weights = random_blob({32, 64}, 1);
  for (const graph::QuantizationWindow& window :
       {graph::QuantizationWindow{.tile_h = 4, .tile_w = 4}, graph::QuantizationWindow{.tile_h = 1, .tile_w = 4},
        graph::QuantizationWindow{.tile_h = 0, .tile_w = 2}}) {
    // 49 pixels: tiles of four would not end where an image does.
    EXPECT_EQ(second_of_two(pointwise, {64, 7, 7}, window, 1000.0F),
              second_of_two(pointwise, {64, 7, 7}, window, 1.0F));
    EXPECT_EQ(second_of_two(linear, {64}, window, 1000.0F), second_of_two(linear, {64}, window, 1.0F));
  }
}

TEST(IntegerLayers, TheTileOfAPointwiseLayerIsARectangleOfItsImage) {
  graph::Convolution pointwise;
  pointwise.out_channels = 32;
  pointwise.weights = random_blob({32, 64, 1, 1}, 1);
  const std::vector<Values> inputs{random_values({1, 64, 4, 4}, 5)};
  const Graph graph = quantized(pointwise, inputs, false, {.tile_h = 4, .tile_w = 1});
  std::vector<Values> louder = inputs;  // in column 0, row 0
  for (std::size_t c = 0; c < 64; ++c) louder[0].numbers[c * 16] *= 100.0F;
  const Values before = run(graph, inputs), after = run(graph, louder);
  for (std::size_t i = 0; i < before.numbers.size(); ++i) {
    if (i % 4 == 0) continue;
    EXPECT_EQ(before.numbers[i], after.numbers[i]) << "pixel " << i % 16;
  }
  EXPECT_NE(before.numbers[4], after.numbers[4]);  // column 0, row 1: of the same window
}

}  // namespace
}  // namespace octavo::test
