// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "graph/compiler.h"
#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Graph sample() {
  Net net;
  const ValueId x = net.input("data", {1, 3, 8, 8});
  const ValueId a = net.add("conv1", convolution(3, 80, 3), {x});
  const ValueId b = net.add("conv2", convolution(80, 16, 1), {a});
  Deconvolution deconv;
  deconv.out_channels = 4;
  deconv.weights = random_blob({16, 4, 1, 1}, 1);
  const ValueId c = net.add("up", deconv, {b});
  const ValueId d = net.add("scale", Scale{.factor = random_blob({4}, 1)}, {c});
  return net.done({net.add("fc", linear(144, 10), {d})});
}

std::vector<QuantizationDecision> decide(Graph graph, const QuantizationRules& rules = {}) {
  std::vector<QuantizationDecision> decisions;
  verify(quantize_weights(std::move(graph), rules, &decisions));
  return decisions;
}

std::string rule_error(const QuantizationRules& rules) {
  return error_of([&] { return quantize_weights(sample(), rules); });
}

TEST(QuantizeWeights, RoundsConvolutionsAndLinearsInTheirWindows) {
  const Graph graph = quantize_weights(sample(), {});
  verify(graph);
  const auto& conv1 = op_at<Convolution>(graph, "conv1");
  EXPECT_TRUE(conv1.weights->quantized());
  EXPECT_EQ(conv1.weights->window, 3);  // fewer channels than the window: all of them
  EXPECT_EQ(conv1.window.channels, 64);
  const auto& conv2 = op_at<Convolution>(graph, "conv2");
  EXPECT_EQ(conv2.weights->window, 64);
  EXPECT_EQ(conv2.weights->scales.values.size(), 16U * 2);
  const auto& fc = op_at<Linear>(graph, "fc");
  EXPECT_EQ(fc.weights->window, 128);
  EXPECT_EQ(fc.weights->scales.values.size(), 10U * 2);
  EXPECT_FALSE(op_at<Deconvolution>(graph, "up").weights->quantized());
}

TEST(QuantizeWeights, GivesAReasonForEveryLayerWithWeights) {
  const auto decisions = decide(sample(), {.keep_float = {"conv1"}});
  ASSERT_EQ(decisions.size(), 5U);
  const auto expect = [&](std::size_t i, const char* layer, const char* op, bool quantized, const char* reason,
                          std::int64_t weights) {
    EXPECT_EQ(decisions[i].layer, layer);
    EXPECT_EQ(decisions[i].op, op);
    EXPECT_EQ(decisions[i].quantized, quantized);
    EXPECT_EQ(decisions[i].reason, reason);
    EXPECT_EQ(decisions[i].weights, weights);
  };
  expect(0, "conv1", "Convolution", false, "left out by request", 2160);
  expect(1, "conv2", "Convolution", true, "window of 64 channels", 1280);
  expect(2, "up", "Deconvolution", false, "Deconvolution runs in fp32", 64);
  expect(3, "scale", "Scale", false, "a few numbers a channel stay fp32", 4);
  expect(4, "fc", "Linear", true, "window of 128 channels", 1440);
}

TEST(QuantizeWeights, KeepsWindowsOfAllChannelsInFp32ScalesAndOthersIn16Bits) {
  const auto scales_fit_16_bits = [](const Graph& graph) {
    const auto scales = op_at<Convolution>(graph, "conv2").weights->scales.values;
    return std::all_of(scales.begin(), scales.end(),
                       [](float scale) { return (std::bit_cast<std::uint32_t>(scale) & 0xffffU) == 0; });
  };
  const Graph all = quantize_weights(sample(), {.convolution_window = {.channels = 0}});
  EXPECT_EQ(op_at<Convolution>(all, "conv2").weights->window, 80);
  EXPECT_FALSE(scales_fit_16_bits(all));
  const Graph wide = quantize_weights(sample(), {.convolution_window = {.channels = 256}});
  EXPECT_EQ(op_at<Convolution>(wide, "conv2").weights->window, 80);
  EXPECT_TRUE(scales_fit_16_bits(wide));
}

TEST(QuantizeWeights, LetsALayerHaveItsOwnWindow) {
  const auto decisions = decide(sample(), {.layer_windows = {{"conv2", {.channels = 16, .tile_h = 1, .tile_w = 7}},
                                                             {"fc", {.channels = 0, .tile_w = 7}}}});
  EXPECT_EQ(decisions[1].reason, "window of 16 channels, 1x7 pixels");
  EXPECT_EQ(decisions[4].reason, "window of all 144 channels");  // rows of a Linear are windows of their own
}

TEST(QuantizeWeights, LeavesQuantizedLayersAsTheyAre) {
  const Graph once = quantize_weights(sample(), {});
  std::vector<QuantizationDecision> decisions;
  const Graph twice = quantize_weights(once, {.convolution_window = {.channels = 16}}, &decisions);
  EXPECT_EQ(op_at<Convolution>(twice, "conv2").weights, op_at<Convolution>(once, "conv2").weights);
  EXPECT_TRUE(decisions[1].quantized);
  EXPECT_EQ(decisions[1].reason, "stored in 8 bits, window of 64 channels");
  EXPECT_EQ(print(once), print(twice));
}

TEST(QuantizeWeights, RefusesWishesAboutLayersThatAreStoredIn8Bits) {
  const Graph once = quantize_weights(sample(), {});
  EXPECT_THAT(error_of([&] { return quantize_weights(once, {.keep_float = {"conv1"}}); }),
              AllOf(HasSubstr("layer 'conv1'"), HasSubstr("8 bits already")));
  EXPECT_THAT(error_of([&] {
                return quantize_weights(once, {.layer_windows = {{"conv2", {.channels = 16}}}});
              }),
              AllOf(HasSubstr("layer 'conv2'"), HasSubstr("start from the fp32 model")));
}

TEST(QuantizeWeights, RefusesNamesThatAreNotThereAndListsNearOnes) {
  EXPECT_THAT(rule_error({.keep_float = {"conv3"}}),
              AllOf(HasSubstr("there is no layer 'conv3'"), HasSubstr("did you mean 'conv1', 'conv2'")));
  EXPECT_THAT(rule_error({.keep_float = {"data"}}), AllOf(HasSubstr("layer 'data'"), HasSubstr("no weights")));
  EXPECT_THAT(rule_error({.layer_windows = {{"fc1", {}}}}), AllOf(HasSubstr("'fc1'"), HasSubstr("did you mean 'fc'")));
  EXPECT_THAT(rule_error({.layer_windows = {{"up", {}}}}), AllOf(HasSubstr("'up'"), HasSubstr("takes no window")));
}

TEST(QuantizeWeights, RefusesWindowsThatKernelsDoNotHave) {
  EXPECT_THAT(rule_error({.convolution_window = {.channels = 48}}), HasSubstr("window of 48 channels"));
  EXPECT_THAT(rule_error({.linear_window = {.channels = -1}}), HasSubstr("window of -1 channels"));
  EXPECT_THAT(rule_error({.layer_windows = {{"conv2", {.channels = 1}}}}), HasSubstr("layer 'conv2'"));
  EXPECT_THAT(rule_error({.layer_windows = {{"conv2", {.tile_h = -1}}}}), HasSubstr("-1x0 pixels"));
}

TEST(QuantizeWeights, NamesTheLayerWhoseWeightsAreNotFinite) {
  Convolution conv = convolution(3, 4, 1);
  std::vector<float> weights = to_float(*conv.weights);
  weights[5] = std::numeric_limits<float>::quiet_NaN();
  conv.weights = make_blob(conv.weights->shape, weights);
  Net net;
  const Graph graph = net.done({net.add("conv7", conv, {net.input("data", {1, 3, 2, 2})})});
  EXPECT_THAT(error_of([&] { return quantize_weights(graph, {}); }),
              AllOf(HasSubstr("layer 'conv7' (Convolution)"), HasSubstr("output 1 are not all finite")));
  EXPECT_EQ(error_of([&] { return quantize_weights(graph, {.keep_float = {"conv7"}}); }), "");
}

TEST(QuantizeWeights, NarrowsAWindowThatCouldOverflow32Bits) {
  Net net;
  const ValueId x = net.input("data", {1, 70000});
  const Graph graph = net.done({net.add("fc", linear(70000, 2), {x})});
  const auto decisions = decide(graph, {.linear_window = {.channels = 0}});
  EXPECT_EQ(decisions[0].reason, "window of 256 channels; 70000 products could overflow 32-bit sums");
  EXPECT_EQ(decide(graph)[0].reason, "window of 128 channels");
}

TEST(QuantizeWeights, LeavesAKernelThatNoWindowCanHold) {
  Net net;
  const ValueId x = net.input("data", {1, 300, 17, 17});
  const Graph graph = net.done({net.add("conv", convolution(300, 1, 17), {x})});
  EXPECT_EQ(decide(graph, {.convolution_window = {.channels = 256}})[0].reason,
            "a kernel of 289 taps could overflow 32-bit sums");
  EXPECT_EQ(decide(graph)[0].reason, "window of 64 channels");
}

TEST(QuantizeWeights, KeepsSharedWeightsShared) {
  Net net;
  const Convolution conv = convolution(64, 64, 1);
  const ValueId a = net.add("a", conv, {net.input("data", {1, 64, 2, 2})});
  const Graph graph = quantize_weights(net.done({net.add("b", conv, {a})}), {});
  EXPECT_EQ(op_at<Convolution>(graph, "a").weights, op_at<Convolution>(graph, "b").weights);
}

TEST(QuantizeWeights, IsForGraphsBeforeInsertion) {
  const Graph inserted = insert_quantization(quantize_weights(sample(), {}));
  EXPECT_THAT(error_of([&] { return quantize_weights(inserted, {}); }), HasSubstr("already inserted"));
}

}  // namespace
}  // namespace octavo::graph::test
