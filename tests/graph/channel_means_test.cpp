// SPDX-License-Identifier: Apache-2.0
#include "graph/channel_means.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "graph/compiler.h"
#include "graph/correct_bias.h"
#include "graph/round_weights.h"
#include "tests/graph/evaluator.h"
#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsNan;

double density(double z) { return std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi); }
double below(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

/// The closed form of max(x, 0) for a normal x.
NormalMoments rectified(double mean, double deviation) {
  if (deviation == 0.0) return {std::max(mean, 0.0), 0.0};
  const double z = mean / deviation;
  const double first = mean * below(z) + deviation * density(z);
  const double second = (mean * mean + deviation * deviation) * below(z) + mean * deviation * density(z);
  return {first, second - first * first};
}

BatchNorm trained_norm(std::int64_t channels, std::uint32_t seed) {
  return {.mean = random_blob({channels}, seed),
          .variance = random_blob({channels}, seed + 1, 0.2F, 2.0F),
          .epsilon = 0.0F};
}

TEST(MomentsOf, FollowTheClosedFormsOfFunctionsWithKinks) {
  for (const double mean : {-7.0, -1.3, 0.0, 0.04, 2.0, 5.9, 40.0})
    for (const double deviation : {0.0, 0.01, 0.7, 3.0}) {
      const NormalMoments x{mean, deviation * deviation};
      const double near = 1e-3 * deviation + 1e-12;
      const NormalMoments up = rectified(mean, deviation), down = rectified(-mean, deviation);
      const NormalMoments relu_of_x = moments_of(relu(), x);
      EXPECT_NEAR(relu_of_x.mean, up.mean, near) << mean << " +- " << deviation;
      EXPECT_NEAR(std::sqrt(relu_of_x.variance), std::sqrt(std::max(0.0, up.variance)), 2 * near + 1e-6);
      EXPECT_NEAR(moments_of(relu(0.25F), x).mean, up.mean - 0.25 * down.mean, near);
      EXPECT_NEAR(moments_of({.kind = UnaryKind::relu6}, x).mean, up.mean - rectified(mean - 6, deviation).mean, near);
    }
}

TEST(MomentsOf, AreUnknownWhereTheVarianceOrTheFunctionIs) {
  EXPECT_THAT(moments_of(relu(), {1.0, std::nan("")}).mean, IsNan());
  EXPECT_THAT(moments_of({.kind = UnaryKind::log, .alpha = -1.0F, .gamma = 1.0F}, {0.0, 1.0}).mean, IsNan());
}

TEST(ChannelMeans, FollowFromBatchNormToTheLayersThatRead) {
  Net net;
  const ValueId x = net.input("data", {1, 2, 4, 4});
  const ValueId norm = net.add("norm", trained_norm(2, 1), {x});
  const Scale scale{.factor = make_blob({2}, {1.0F, 2.0F}), .offset = make_blob({2}, {3.0F, -1.0F})};
  const ValueId scaled = net.add("scale", scale, {norm});
  const ValueId active = net.add("relu", relu(), {scaled});
  const ValueId padded = net.add("pad", Pad{.begins = {0, 0, 1, 0}, .ends = {0, 0, 1, 2}}, {active});
  const ValueId dropped = net.add("dropout", Identity{}, {padded});
  const ValueId a = net.add("conv", convolution(2, 3, 1), {dropped});
  const ValueId doubled = net.add("sum", Eltwise{.coefficients = {1.0F, 3.0F}}, {scaled, scaled});
  const ValueId again = net.add("relu again", relu(), {doubled});
  const ValueId b = net.add("reader of sums", convolution(2, 3, 1), {again});
  const ValueId largest = net.add("max", Pool{.kernel = {4, 4}}, {active});
  const ValueId average = net.add("average", Pool{.kind = PoolKind::average, .kernel = {4, 4}}, {active});
  const ValueId both = net.add("both", Concat{}, {largest, average});
  const ValueId c = net.add("reader of both", convolution(4, 3, 1), {both});
  const std::vector<ValueId> parts = net.add_many("part", Slice{}, {both}, 2);
  const ValueId flat = net.add("flat", Flatten{}, {parts[1]});
  const ValueId flat_map = net.add("flat map", Flatten{}, {active});
  const ValueId d = net.add("fc", linear(2, 3), {flat}), e = net.add("map fc", linear(32, 3), {flat_map});
  const Graph graph = net.done({a, b, c, d, e});

  const ChannelMeans means = channel_means(graph);
  const double first = rectified(3, 1).mean, second = rectified(-1, 2).mean;
  const auto near = [](double mean) { return DoubleNear(mean, 2e-3); };
  EXPECT_THAT(means.at("pad"), ElementsAre(near(first), near(second)));
  EXPECT_THAT(means.at("dropout"), ElementsAre(near(first), near(second)));
  EXPECT_THAT(means.at("relu again"),
              ElementsAre(near(rectified(12, std::sqrt(10)).mean), near(rectified(-4, 2 * std::sqrt(10)).mean)));
  EXPECT_THAT(means.at("both"), ElementsAre(IsNan(), IsNan(), near(first), near(second)));
  EXPECT_THAT(means.at("flat"), ElementsAre(near(first), near(second)));
  EXPECT_THAT(means.at("flat map"), ElementsAre(near(first), near(second)));  // runs of 16 features
  EXPECT_EQ(means.count("scale"), 0U) << "no layer multiplies it";
  const Graph canonical = canonicalize(graph);
  for (const char* reader : {"conv", "reader of sums", "reader of both", "fc", "map fc"}) {
    const std::string& read = canonical.values[canonical.find_node(reader)->inputs[0]].name;
    EXPECT_EQ(means.count(read), 1U) << reader << " reads " << read;
  }
}

TEST(ChannelMeans, NothingIsKnownOfWhatNobodyTrained) {
  const auto means_behind = [](const Op& op) {
    Net net;
    const ValueId a = net.add("op", op, {net.input("data", {1, 2, 4, 4})});
    return channel_means(net.done({net.add("conv", convolution(2, 3, 1), {a})}));
  };
  EXPECT_EQ(means_behind(trained_norm(2, 1)).size(), 1U);
  EXPECT_TRUE(means_behind(BatchNorm{.mean = constant({2}, 0), .variance = constant({2}, 1)}).empty());
  EXPECT_TRUE(means_behind(relu()).empty());
  EXPECT_TRUE(means_behind(Softmax{}).empty());
}

TEST(CorrectedBias, PropertyItMakesUpForTheErrorsTimesTheMeans) {
  struct Case {
    Shape weights;
    std::int64_t groups, means;
  };
  std::uint32_t seed = 1;
  for (const auto& [shape, groups, count] :
       {Case{{5, 70, 3, 3}, 1, 70}, Case{{6, 1, 3, 3}, 6, 6}, Case{{6, 4, 1, 1}, 2, 8}, Case{{3, 48}, 1, 3}}) {
    const BlobPtr weights = random_blob(shape, ++seed), bias = random_blob({shape[0]}, ++seed);
    const BlobPtr rounded = round_weights(*weights, std::min<std::int64_t>(shape[1], 16), ScaleFormat::bf16_up);
    const BlobPtr random_means = random_blob({count}, ++seed, 0.0F, 5.0F);
    std::vector<double> means(random_means->f32.values.begin(), random_means->f32.values.end());
    means[1] = std::nan("");
    const BlobPtr corrected = corrected_bias(*weights, *rounded, bias, groups, means);
    const BlobPtr from_none = corrected_bias(*weights, *rounded, nullptr, groups, means);
    ASSERT_TRUE(corrected && from_none);
    const std::vector<float> real = to_float(*rounded);
    const std::int64_t each = element_count(shape) / shape[0], taps = each / shape[1];
    for (std::int64_t out = 0; out < shape[0]; ++out) {
      double gained = 0.0;
      for (std::int64_t i = 0; i < each; ++i) {
        const auto at = static_cast<std::size_t>(out * each + i);
        const std::int64_t channel = out / (shape[0] / groups) * shape[1] + i / taps;
        const double mean = means[static_cast<std::size_t>(channel * count / (shape[1] * groups))];
        if (!std::isnan(mean))
          gained += mean * (static_cast<double>(real[at]) - static_cast<double>(weights->f32.values[at]));
      }
      const auto o = static_cast<std::size_t>(out);
      EXPECT_NEAR(corrected->f32.values[o], static_cast<double>(bias->f32.values[o]) - gained, 1e-6);
      EXPECT_NEAR(from_none->f32.values[o], -gained, 1e-6);
    }
    EXPECT_EQ(corrected_bias(*weights, *rounded, bias, groups, std::vector<double>(means.size(), std::nan(""))),
              nullptr);
    EXPECT_EQ(corrected_bias(*weights, *rounded, bias, groups, std::vector<double>(1000003, 1.0)), nullptr);
  }
}

/// Inputs that a BatchNorm's statistics are true of, a channel as long as its row.
std::map<std::string, Numbers> normal_inputs(const BatchNorm& norm, const Shape& shape) {
  std::mt19937 generator(7);
  std::normal_distribution<double> normal;
  Numbers numbers{shape, std::vector<double>(static_cast<std::size_t>(element_count(shape)))};
  const std::size_t pixels = numbers.values.size() / static_cast<std::size_t>(shape[1]);
  for (std::size_t i = 0; i < numbers.values.size(); ++i) {
    const auto mean = static_cast<double>(norm.mean->f32.values[i / pixels]);
    numbers.values[i] =
        mean + std::sqrt(static_cast<double>(norm.variance->f32.values[i / pixels])) * normal(generator);
  }
  return {{"data", numbers}};
}

TEST(CorrectedBias, PropertyMeansOfAChannelComeBackWhereTheStatisticsAreTrue) {
  constexpr std::int64_t kChannels = 40, kOuts = 12;
  const BatchNorm norm = trained_norm(kChannels, 11);
  Net net;
  const Shape shape{1, kChannels, 40, 40};
  const ValueId x = net.add("norm", norm, {net.input("data", shape)});
  const Scale scale{.factor = random_blob({kChannels}, 3, 0.5F, 3.0F),
                    .offset = random_blob({kChannels}, 4, -1.0F, 4.0F)};
  const ValueId active = net.add("relu6", Unary{.kind = UnaryKind::relu6}, {net.add("scale", scale, {x})});
  const Graph imported = net.done({net.add("conv", convolution(kChannels, kOuts, 1, 5), {active})});

  const auto inputs = normal_inputs(norm, shape);
  const auto real = evaluate(imported, inputs).at("conv");
  QuantizationRules rules;
  const auto worst_mean = [&](const ChannelMeans& means, bool corrected) {
    rules.input_means = means;
    std::vector<QuantizationDecision> decisions;
    const Graph quantized = quantize_weights(canonicalize(imported), rules, &decisions);
    EXPECT_EQ(decisions.back().bias_corrected, corrected);
    const Numbers rounded = evaluate(quantized, inputs).at("conv");
    double worst = 0.0;
    const std::size_t pixels = real.values.size() / kOuts;
    for (std::size_t out = 0; out < kOuts; ++out) {
      double sum = 0.0;
      for (std::size_t i = out * pixels; i < (out + 1) * pixels; ++i) sum += rounded.values[i] - real.values[i];
      worst = std::max(worst, std::abs(sum) / static_cast<double>(pixels));
    }
    return worst;
  };
  const double before = worst_mean({}, false), after = worst_mean(channel_means(imported), true);
  EXPECT_LT(after, before / 8) << before;
}

}  // namespace
}  // namespace octavo::graph::test
