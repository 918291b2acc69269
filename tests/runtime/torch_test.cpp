// SPDX-License-Identifier: Apache-2.0
// What modules of Torch7 compute: against plain loops, module by module, and networks that others trained.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "octavo/c.h"
#include "octavo/model.h"
#include "tests/graph/torch_files.h"
#include "tests/runtime/small_network.h"

namespace octavo::test {
namespace {

using graph::TorchFiles;
using graph::TorchModel;
using Ref = TorchModel::Ref;
using testing::HasSubstr;

Values predicted(const TorchModel& model, Ref root, const std::vector<Values>& inputs) {
  const TorchFiles files;
  std::map<std::string, Shape> shapes;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    shapes[inputs.size() == 1 ? "input" : "input_" + std::to_string(i + 1)] = inputs[i].shape;
  }
  const Graph graph = files.import(model.bytes(root), shapes);
  std::vector<Values> read = inputs;  // a last input that only lends its shape is gone
  read.resize(graph.inputs().size());
  return run(graph, read);
}

/// One module without tensors on one value: a new number for each, by its place.
void expect_module(const std::string& type, TorchModel::Fields fields, const Values& x, const Shape& shape,
                   const std::function<double(std::size_t)>& expected) {
  TorchModel model;
  const Ref root = model.module(type, fields);
  Values wanted{shape, {}};
  for (std::int64_t i = 0; i < graph::element_count(shape); ++i) {
    wanted.numbers.push_back(static_cast<float>(expected(static_cast<std::size_t>(i))));
  }
  expect_near(predicted(model, root, {x}), wanted, 1e-5F, type);
}

void expect_function(const std::string& type, TorchModel::Fields fields, const std::function<double(double)>& f,
                     float low = -2.0F, float high = 2.0F) {
  const Values x = random_values({2, 3, 4, 5}, 7, low, high);
  expect_module(type, fields, x, x.shape, [&](std::size_t i) { return f(x.numbers[i]); });
}

TEST(TorchModules, FunctionsOfEachNumber) {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const auto softplus = [](double x) { return std::log1p(std::exp(x)); };
  expect_function("Abs", {}, [](double x) { return std::fabs(x); });
  expect_function("AddConstant", {{"constant_scalar", 0.5}}, [](double x) { return x + 0.5; });
  expect_function("MulConstant", {{"constant_scalar", -3.0}}, [](double x) { return x * -3; });
  expect_function("Clamp", {{"min_val", -0.5}, {"max_val", 1.0}}, [](double x) { return std::clamp(x, -0.5, 1.0); });
  expect_function("HardTanh", {}, [](double x) { return std::clamp(x, -1.0, 1.0); });
  expect_function("cudnn.ClippedReLU", {{"ceiling", 1.5}}, [](double x) { return std::clamp(x, 0.0, 1.5); });
  expect_function("ELU", {{"alpha", 0.7}}, [](double x) { return x > 0 ? x : 0.7 * std::expm1(x); });
  expect_function("Exp", {}, [](double x) { return std::exp(x); });
  expect_function(
      "Log", {}, [](double x) { return std::log(x); }, 0.1F);
  expect_function(
      "Sqrt", {}, [](double x) { return std::sqrt(x); }, 0.0F);
  expect_function("Square", {}, [](double x) { return x * x; });
  expect_function(
      "Power", {{"pow", 1.5}}, [](double x) { return std::pow(x, 1.5); }, 0.1F);
  expect_function("HardShrink", {{"lambda", 0.8}}, [](double x) { return std::fabs(x) > 0.8F ? x : 0; });
  expect_function("SoftShrink", {{"lambda", 0.8}}, [](double x) {
    return x > 0.8F ? x - 0.8F : x < -0.8F ? x + 0.8F : 0;
  });
  expect_function("LeakyReLU", {{"negval", 0.2}}, [](double x) { return x > 0 ? x : 0.2 * x; });
  expect_function("RReLU", {{"lower", 0.1}, {"upper", 0.3}}, [](double x) { return x > 0 ? x : 0.2 * x; });
  expect_function("ReLU", {{"threshold", 0.0}, {"val", 0.0}}, [](double x) { return std::max(x, 0.0); });
  expect_function("cudnn.ReLU", {}, [](double x) { return std::max(x, 0.0); });
  expect_function(
      "ReLU6", {}, [](double x) { return std::clamp(x, 0.0, 6.0); }, -2.0F, 9.0F);
  expect_function("Threshold", {{"threshold", 0.5}, {"val", 0.0}}, [](double x) { return x > 0.5 ? x : 0; });
  expect_function("Threshold", {{"threshold", -0.5}, {"val", 0.0}}, [](double x) { return x > -0.5 ? x : 0; });
  expect_function("Threshold", {{"threshold", -0.5}, {"val", 3.0}}, [](double x) { return x > -0.5 ? x : 3; });
  expect_function("Threshold", {{"threshold", 0.25}, {"val", 0.25}}, [](double x) { return std::max(x, 0.25); });
  expect_function("Sigmoid", {}, sigmoid);
  expect_function("Tanh", {}, [](double x) { return std::tanh(x); });
  expect_function("TanhShrink", {}, [](double x) { return x - std::tanh(x); });
  expect_function("SoftPlus", {{"beta", 2.5}}, [&](double x) { return softplus(2.5 * x) / 2.5; });
  expect_function("SoftSign", {}, [](double x) { return x / (1 + std::fabs(x)); });
  expect_function("LogSigmoid", {}, [&](double x) { return std::log(sigmoid(x)); });
}

TEST(TorchModules, WhatDropoutLeftAtTraining) {
  expect_function("Dropout", {{"p", 0.4}, {"v2", true}}, [](double x) { return x; });
  expect_function("Dropout", {{"p", 0.4}}, [](double x) { return 0.6 * x; });
  expect_function("SpatialDropout", {{"p", 0.4}}, [](double x) { return 0.6 * x; });
}

/// Rows of `count` numbers, `stride` apart: what Softmax and Normalize go over.
std::vector<double> row_at(const Values& x, std::size_t i, std::size_t count, std::size_t stride) {
  const std::size_t first = i / (count * stride) * count * stride + i % stride;
  std::vector<double> row;
  for (std::size_t k = 0; k < count; ++k) row.push_back(x.numbers[first + k * stride]);
  return row;
}

TEST(TorchModules, SoftmaxRunsOverTheChannelsOfBatchesAndSingleSamples) {
  struct Case {
    Shape shape;
    std::size_t count, stride;
  };
  for (const Case& c : {Case{{5}, 5, 1}, Case{{2, 5}, 5, 1}, Case{{5, 2, 3}, 5, 6}, Case{{2, 5, 2, 3}, 5, 6}}) {
    const Values x = random_values(c.shape, 3, -4.0F, 4.0F);
    const auto log_softmax = [&](std::size_t i, double sign) {
      double sum = 0;
      for (const double value : row_at(x, i, c.count, c.stride)) sum += std::exp(sign * value);
      return sign * x.numbers[i] - std::log(sum);
    };
    expect_module("LogSoftMax", {}, x, x.shape, [&](std::size_t i) { return log_softmax(i, 1); });
    expect_module("cudnn.SpatialLogSoftMax", {}, x, x.shape, [&](std::size_t i) { return log_softmax(i, 1); });
    expect_module("SoftMax", {}, x, x.shape, [&](std::size_t i) { return std::exp(log_softmax(i, 1)); });
    expect_module("SoftMin", {}, x, x.shape, [&](std::size_t i) { return std::exp(log_softmax(i, -1)); });
  }
}

TEST(TorchModules, NormalizeByAnyNorm) {
  const Values x = random_values({3, 6}, 5);
  for (const double p : {1.0, 2.0, 3.0, std::numeric_limits<double>::infinity()}) {
    expect_module("Normalize", {{"p", p}, {"eps", 1e-3}}, x, x.shape, [&](std::size_t i) {
      double norm = 0;
      for (const double value : row_at(x, i, 6, 1)) {
        norm = std::isinf(p) ? std::max(norm, std::fabs(value)) : norm + std::pow(std::fabs(value), p);
      }
      norm = std::isinf(p) ? norm + 1e-3 : std::pow(norm + 1e-3, 1 / p);
      return x.numbers[i] / norm;
    });
  }
}

TEST(TorchModules, AdaptivePoolsOfEvenAndOfUnevenParts) {
  const Values x = random_values({2, 3, 7, 10}, 6);
  for (const auto& [rows, columns] : {std::pair{1, 1}, {7, 10}, {3, 5}, {3, 4}, {5, 3}, {14, 2}}) {
    for (const bool maximum : {true, false}) {
      const Shape out{2, 3, rows, columns};
      expect_module(maximum ? "SpatialAdaptiveMaxPooling" : "SpatialAdaptiveAveragePooling",
                    {{"H", static_cast<double>(rows)}, {"W", static_cast<double>(columns)}}, x, out,
                    [&, rows = rows, columns = columns](std::size_t i) {
                      const std::int64_t at = static_cast<std::int64_t>(i), w = at % columns, h = at / columns % rows;
                      const std::int64_t map = at / columns / rows * 70;
                      double most = -1e9, sum = 0;
                      int count = 0;
                      for (std::int64_t y = h * 7 / rows; y < ((h + 1) * 7 + rows - 1) / rows; ++y) {
                        for (std::int64_t z = w * 10 / columns; z < ((w + 1) * 10 + columns - 1) / columns; ++z) {
                          const double value = x.numbers[static_cast<std::size_t>(map + y * 10 + z)];
                          most = std::max(most, value);
                          sum += value;
                          ++count;
                        }
                      }
                      return maximum ? most : sum / count;
                    });
    }
  }
}

TEST(TorchModules, AveragePoolsOfOldFilesAreSums) {
  const Values x = random_values({1, 2, 4, 4}, 8);
  for (const bool divide : {false, true}) {
    TorchModel model;
    const Ref pool = model.module("SpatialAveragePooling", {{"kW", 2.0}, {"kH", 2.0}, {"dW", 2.0}, {"dH", 2.0}});
    if (divide) model.document().set(pool, "divide", true);
    const Values y = predicted(model, pool, {x});
    const float sum = x.numbers[0] + x.numbers[1] + x.numbers[4] + x.numbers[5];
    EXPECT_NEAR(y.numbers[0], divide ? sum / 4 : sum, 1e-6);
  }
}

TEST(TorchModules, DepthwiseConvolutionGivesItsFiltersChannelByChannel) {
  TorchModel model;
  const Ref root = model.module("SpatialDepthWiseConvolution",
                                {{"nInputPlane", 2.0},
                                 {"nOutputPlane", 3.0},
                                 {"kW", 1.0},
                                 {"kH", 1.0},
                                 {"weight", model.tensor({3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6})},
                                 {"bias", model.tensor({3, 2}, std::vector<float>{10, 20, 30, 40, 50, 60})}});
  const Values y = predicted(model, root, {{{1, 2, 1, 1}, {1, -1}}});
  EXPECT_THAT(y.numbers, testing::ElementsAre(11, 33, 55, 18, 36, 54));
}

TEST(TorchModules, ConvolutionMapConnectsSomeChannels) {
  TorchModel model;
  const Ref root =
      model.module("SpatialConvolutionMap", {{"nInputPlane", 3.0},
                                             {"nOutputPlane", 2.0},
                                             {"kW", 1.0},
                                             {"kH", 1.0},
                                             {"connTable", model.tensor({3, 2}, std::vector<float>{1, 1, 3, 2, 2, 2})},
                                             {"weight", model.tensor({3, 1, 1}, std::vector<float>{10, 100, 1000})},
                                             {"bias", model.tensor({2}, std::vector<float>{0.5, 0})}});
  EXPECT_THAT(predicted(model, root, {{{1, 3, 1, 1}, {1, 2, 3}}}).numbers, testing::ElementsAre(10.5, 2300));
}

TEST(TorchModules, FullConvolutionGrowsByAdj) {
  // A kernel of ones at stride 2: each pixel becomes a square; adj adds a row and a column of the bias.
  for (const bool by_size : {false, true}) {
    TorchModel model;
    const Ref root =
        model.module("SpatialFullConvolution", {{"nInputPlane", 1.0},
                                                {"nOutputPlane", 1.0},
                                                {"kW", 2.0},
                                                {"kH", 2.0},
                                                {"dW", 2.0},
                                                {"dH", 2.0},
                                                {"adjW", by_size ? 0.0 : 1.0},
                                                {"adjH", by_size ? 0.0 : 1.0},
                                                {"weight", model.tensor({1, 1, 2, 2}, std::vector<float>{1, 1, 1, 1})},
                                                {"bias", model.tensor({1}, std::vector<float>{0.5F})}});
    std::vector<Values> inputs{{{1, 1, 1, 2}, {3, 4}}};
    if (by_size) inputs.push_back(random_values({1, 7, 3, 5}, 1));
    const Values y = predicted(model, root, inputs);
    EXPECT_EQ(y.shape, (Shape{1, 1, 3, 5}));
    EXPECT_THAT(y.numbers,
                testing::ElementsAre(3.5, 3.5, 4.5, 4.5, 0.5, 3.5, 3.5, 4.5, 4.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5));
  }
}

TEST(TorchModules, TemporalConvolutionSlidesOverFrames) {
  TorchModel model;
  const Ref root =
      model.module("TemporalConvolution", {{"inputFrameSize", 2.0},
                                           {"outputFrameSize", 1.0},
                                           {"kW", 2.0},
                                           {"dW", 1.0},
                                           {"weight", model.tensor({1, 4}, std::vector<float>{1, 10, 100, 1000})},
                                           {"bias", model.tensor({1}, std::vector<float>{0})}});
  const Values y = predicted(model, root, {{{3, 2}, {1, 2, 3, 4, 5, 6}}});
  EXPECT_EQ(y.shape, (Shape{2, 1}));
  EXPECT_THAT(y.numbers, testing::ElementsAre(4321, 6543));
}

TEST(TorchModules, BatchNormalizationOfBothVersions) {
  const Values x = random_values({2, 2}, 9);
  for (const bool old : {false, true}) {
    TorchModel model;
    const float variance = 4.0F, epsilon = 0.5F;
    const Ref root = model.module("BatchNormalization", {{"eps", static_cast<double>(epsilon)},
                                                         {"running_mean", model.tensor({2}, std::vector<float>{1, -1})},
                                                         {"weight", model.tensor({2}, std::vector<float>{2, 3})},
                                                         {"bias", model.tensor({2}, std::vector<float>{5, 6})}});
    const float stored = old ? 1 / std::sqrt(variance + epsilon) : variance;
    model.document().set(root, old ? "running_std" : "running_var",
                         model.tensor({2}, std::vector<float>{stored, stored}));
    const Values y = predicted(model, root, {x});
    const float deviation = std::sqrt(variance + epsilon);
    EXPECT_NEAR(y.numbers[0], (x.numbers[0] - 1) / deviation * 2 + 5, 1e-5);
    EXPECT_NEAR(y.numbers[3], (x.numbers[3] + 1) / deviation * 3 + 6, 1e-5);
  }
}

TEST(TorchModules, ScalesFollowDimensionsOrAreBroadcast) {
  const Values x = random_values({2, 3, 2, 2}, 10);
  const auto at = [](std::size_t i) { return std::array{i / 12, i / 4 % 3, i / 2 % 2, i % 2}; };
  struct Case {
    Shape parameters;
    std::function<std::size_t(std::array<std::size_t, 4>)> which;
  };
  const Case cases[] = {{{1}, [](auto) { return 0; }},
                        {{1, 3, 1, 1}, [](auto p) { return p[1]; }},
                        {{1, 3, 2, 2}, [](auto p) { return (p[1] * 2 + p[2]) * 2 + p[3]; }},
                        {{3, 2, 2}, [](auto p) { return (p[1] * 2 + p[2]) * 2 + p[3]; }},
                        {{1, 1, 2, 1}, [](auto p) { return p[2]; }},
                        {{2, 1, 1, 2}, [](auto p) { return p[0] * 2 + p[3]; }}};
  for (const Case& c : cases) {
    std::vector<float> parameters;
    for (std::int64_t i = 0; i < graph::element_count(c.parameters); ++i)
      parameters.push_back(static_cast<float>(i) + 0.5F);
    TorchModel model;
    const Ref factors = model.tensor(c.parameters, parameters);
    Values product = x, sum = x;
    for (std::size_t i = 0; i < x.numbers.size(); ++i) {
      product.numbers[i] *= parameters[c.which(at(i))];
      sum.numbers[i] += parameters[c.which(at(i))];
    }
    const std::string what = std::to_string(c.parameters.size()) + " dimensions";
    expect_near(predicted(model, model.module("CMul", {{"weight", factors}}), {x}), product, 1e-6F, what);
    expect_near(predicted(model, model.module("CAdd", {{"bias", factors}}), {x}), sum, 1e-6F, what);
  }
}

TEST(TorchModules, DepthConcatCentresSmallerMaps) {
  TorchModel model;
  const auto average = [&](double size) {
    return model.module("SpatialAveragePooling", {{"kW", size}, {"kH", size}, {"divide", true}});
  };
  const Ref root =
      model.container("DepthConcat", {model.module("Identity"), average(2), average(3)}, {{"dimension", 2.0}});
  const Values x{{1, 1, 4, 4}, std::vector<float>(16, 1.0F)};
  const Values y = predicted(model, root, {x});
  ASSERT_EQ(y.shape, (Shape{1, 3, 4, 4}));
  EXPECT_THAT(std::vector<float>(y.numbers.begin() + 16, y.numbers.begin() + 32),
              testing::ElementsAre(1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0));
  EXPECT_THAT(std::vector<float>(y.numbers.begin() + 32, y.numbers.end()),
              testing::ElementsAre(0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0));
}

TEST(TorchModules, LookupTablesCountFromOne) {
  TorchModel model;
  const Ref root =
      model.module("LookupTable", {{"weight", model.tensor({3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6})}});
  EXPECT_THAT(predicted(model, root, {{{2}, {3, 1}}}).numbers, testing::ElementsAre(5, 6, 1, 2));
}

/// A network that others trained gives what an independent computation of it gives.
void expect_network(const char* name, const std::map<std::string, Shape>& shapes, const std::vector<float>& expected) {
  const std::filesystem::path file = std::filesystem::path(OCTAVO_SHARED_DATA) / "torch7" / name;
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file;
  const Model model = Model::load(file, {.input_shapes = shapes});
  Tensor input(model.input_shapes()[0]);
  for (std::int64_t i = 0; i < input.size(); ++i) {
    input.data()[i] = static_cast<float>((i * 7919 + 13) % 2003) / 1001.0F - 1.0F;
  }
  const Tensor y = model.predict(input);
  ASSERT_EQ(y.size(), static_cast<std::int64_t>(expected.size()));
  const auto [low, high] = std::minmax_element(expected.begin(), expected.end());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(y.data()[i], expected[i], 1e-4F * (*high - *low)) << i;
}

TEST(TorchNetworks, AFaceNetOfCudaTensors) {
  expect_network("face.net", {{"input", {1, 1, 32, 32}}}, {-5.918367F, -0.002693213F});
}

TEST(TorchNetworks, AnMlpWhoseInputFollowsFromItsFirstLayer) {
  expect_network("mnist_mlp.t7", {},
                 {-2.735527F, -2.688732F, -3.2091F, -2.790804F, -3.340213F, -1.183181F, -2.318076F, -2.079745F,
                  -3.774187F, -1.729937F});
}

TEST(TorchNetworks, AreLoadedFromCWithTheirShapes) {
  const TorchFiles files;
  TorchModel network;
  const std::string file = files.write("net.t7", network.bytes(network.convolution(3, 4, 3))).string();
  octavo_model* model = nullptr;
  EXPECT_EQ(octavo_model_load(file.c_str(), &model), OCTAVO_INVALID_ARGUMENT);
  EXPECT_THAT(octavo_last_error(), HasSubstr("the shape of 'input' is needed"));
  const std::int64_t dims[] = {1, 3, 6, 5};
  const octavo_named_shape shape{"input", dims, 4};
  ASSERT_EQ(octavo_model_load_shaped(file.c_str(), &shape, 1, &model), OCTAVO_OK) << octavo_last_error();
  std::size_t rank = 0;
  EXPECT_EQ(octavo_model_input_shape(model, 0, &rank)[3], 5);
  octavo_model_free(model);
  EXPECT_EQ(octavo_model_load_shaped(file.c_str(), nullptr, 1, &model), OCTAVO_INVALID_ARGUMENT);
}

TEST(TorchNetworks, AGraphOfTwoInputs) {
  const std::filesystem::path file =
      std::filesystem::path(OCTAVO_SHARED_DATA) / "torch7/types/gmodule_with_linear_identity.t7";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no " << file;
  const Model model = Model::load(file, {.input_shapes = {{"input_1", {1, 1}}, {"input_2", {1, 2}}}});
  EXPECT_EQ(model.input_names(), (std::vector<std::string>{"input_1", "input_2"}));
  EXPECT_EQ(model.layer_names().back(), "CAddTable_1");
  const std::vector<Tensor> inputs{Tensor({1, 1}, {2.0F}), Tensor({1, 2}, {10.0F, 20.0F})};
  const Tensor y = model.compile().predict(inputs).at(0);
  EXPECT_NEAR(y.data()[0], 10 + 0.05159848 - 2 * 0.0248373, 1e-5);
  EXPECT_NEAR(y.data()[1], 20 - 0.25367146 + 2 * 0.17503954, 1e-5);
}

}  // namespace
}  // namespace octavo::test
