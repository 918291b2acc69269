// SPDX-License-Identifier: Apache-2.0
// BigDL's own answers: the networks in tests/runtime/bigdl were built, run and saved by BigDL 0.8.0, each with what it
// computes of an input that a formula gives; quantized ones as BigDL quantized them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "octavo/octavo.h"

namespace octavo::test {
namespace {

namespace fs = std::filesystem;

const fs::path kNetworks = fs::path(OCTAVO_SOURCE_DIR) / "tests/runtime/bigdl";
const fs::path kShared = fs::path(OCTAVO_SHARED_DATA) / "bigdl";

/// The numbers that BigDL was given for its n-th input.
Tensor formula(const Shape& shape, int which) {
  Tensor tensor(shape);
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    tensor.data()[i] = static_cast<float>((i * 7919 + which * 131) % 1000) / 500.0F - 1.0F;
  }
  return tensor;
}

std::vector<float> outputs_of(const Model& model) {
  std::vector<Tensor> inputs;
  for (const Shape& shape : model.input_shapes()) inputs.push_back(formula(shape, static_cast<int>(inputs.size())));
  std::vector<float> all;
  CompileOptions options;
  options.threads = 1;
  for (const Tensor& output : model.compile(options).predict(inputs)) {
    all.insert(all.end(), output.values().begin(), output.values().end());
  }
  return all;
}

std::vector<float> read_numbers(const fs::path& file) {
  std::ifstream input(file);
  std::vector<float> numbers;
  for (float number = 0; input >> number;) numbers.push_back(number);
  return numbers;
}

/// The greatest difference, as a share of the range of what is expected.
float difference(const std::vector<float>& found, const std::vector<float>& expected) {
  if (found.size() != expected.size() || expected.empty()) return INFINITY;
  const auto [low, high] = std::ranges::minmax(expected);
  float worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i) worst = std::max(worst, std::fabs(found[i] - expected[i]));
  return worst / std::max(high - low, 1e-30F);
}

struct Network {
  const char* name;
  std::map<std::string, Shape> inputs;
  float tolerance;
};

void PrintTo(const Network& network, std::ostream* out) { *out << network.name; }

class BigdlNetworks : public testing::TestWithParam<Network> {};

TEST_P(BigdlNetworks, ComputeWhatBigdlComputes) {
  const Network& network = GetParam();
  const fs::path file = kNetworks / (std::string(network.name) + ".model");
  const Model model = Model::load(file, {.input_shapes = network.inputs});
  EXPECT_LT(difference(outputs_of(model), read_numbers(kNetworks / (std::string(network.name) + ".txt"))),
            network.tolerance)
      << model.print();
}

// Quantized networks differ by what activations are rounded to: BigDL has 7 bits of them and 7 of weights.
INSTANTIATE_TEST_SUITE_P(All, BigdlNetworks,
                         testing::Values(Network{"pictures", {{"input", {1, 4, 13, 11}}}, 1e-5F},
                                         Network{"pictures_quantized", {{"input", {1, 4, 13, 11}}}, 2e-2F},
                                         Network{"channels_last", {{"input", {1, 11, 13, 4}}}, 1e-5F},
                                         Network{"channels_last_quantized", {{"input", {1, 11, 13, 4}}}, 2e-2F},
                                         Network{"branches", {{"picture", {1, 3, 6, 5}}, {"row", {1, 5}}}, 1e-5F},
                                         Network{"functions", {{"input", {2, 4, 5, 6}}}, 1e-5F},
                                         Network{"shapes", {{"input", {2, 8, 5}}}, 1e-5F},
                                         Network{"text", {{"input", {2, 13, 6}}}, 1e-5F},
                                         Network{"text_quantized", {{"input", {2, 13, 6}}}, 2e-2F},
                                         Network{"ssd", {{"picture", {1, 3, 8, 8}}}, 1e-5F},
                                         Network{"keras", {}, 1e-5F}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Bigdl, LenetOfRelease05AnswersAsBigdl) {
  const fs::path file = kShared / "lenet/bigdl_lenet.model";
  if (!fs::exists(file)) GTEST_SKIP() << file << " is absent";
  const std::vector<float> expected{-1.5776609F, -1.537621F, -1.6868027F, -1.6991783F, -1.5572883F};
  EXPECT_LT(difference(outputs_of(Model::load(file)), expected), 1e-5F);
}

TEST(Bigdl, ANetworkWithAWeightFileAnswersAsBigdl) {
  const fs::path file = kShared / "textcnn/model.bigdl";
  if (!fs::exists(file)) GTEST_SKIP() << file << " is absent";
  const std::vector<float> expected{-39.347958F, -53.98619F,  -84.79894F,  -50.74753F,  -49.26407F,
                                    -26.58834F,  -55.442436F, -29.564274F, -50.47896F,  -15.098415F,
                                    -51.628197F, -28.48359F,  0.0F,        -49.193115F, -178.63914F};
  const Model model = Model::load_bigdl(file, kShared / "textcnn/model.bin", {{"input", {1, 500, 300}}});
  EXPECT_LT(difference(outputs_of(model), expected), 1e-5F);
  EXPECT_THROW((void)Model::load_bigdl(file, {}, {{"input", {1, 500, 300}}}), Error);
}

}  // namespace
}  // namespace octavo::test
