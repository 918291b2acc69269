// SPDX-License-Identifier: Apache-2.0
// The network and the pictures that the repository carries (tools/symbols): right before and after quantization.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "octavo/image.h"
#include "octavo/model.h"

namespace octavo {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(OCTAVO_SOURCE_DIR) / "tools" / "symbols";
constexpr std::int64_t kBatch = 50;  // of one class: the folder's pictures

Model load() { return Model::load_caffe(kFolder / "deploy.prototxt", kFolder / "symbols.caffemodel"); }

std::vector<std::string> read_labels() {
  std::ifstream file(kFolder / "labels.txt");
  std::vector<std::string> labels;
  for (std::string line; std::getline(file, line);) labels.push_back(line);
  return labels;
}

/// The pictures of a class as one batch, as deploy.prototxt says that they go in: BGR, mean 128.
Tensor read_class(const std::string& label) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder / "pictures" / label)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  ImageInput input;
  input.mean = {128.0F};
  Tensor batch({static_cast<std::int64_t>(files.size()), 3, 32, 32});
  float* to = batch.data();
  for (const auto& file : files) {
    const Tensor one = to_input(read_picture(file), input, {1, 3, 32, 32});
    to = std::copy_n(one.data(), one.size(), to);
  }
  return batch;
}

/// How many of the embedded pictures a model names right.
std::int64_t count_right(const Model& model) {
  const std::vector<std::string> labels = read_labels();
  const Program program = model.compile({}, {{kBatch, 3, 32, 32}});
  const auto classes = static_cast<std::int64_t>(labels.size());
  std::int64_t right = 0;
  for (std::int64_t label = 0; label < classes; ++label) {
    const Tensor answers = program.predict(read_class(labels[static_cast<std::size_t>(label)]));
    EXPECT_EQ(answers.shape(), (Shape{kBatch, classes}));
    for (std::int64_t i = 0; i < kBatch; ++i) {
      const float* row = answers.data() + i * classes;
      right += std::max_element(row, row + classes) - row == label ? 1 : 0;
    }
  }
  return right;
}

TEST(DefaultNetwork, HasTheAccuracyThatItsTrainingReported) {
  std::int64_t reported = 0;
  std::ifstream(kFolder / "accuracy.txt") >> reported;  // pictures named right by PyTorch
  ASSERT_GT(reported, 0);
  EXPECT_GE(reported, 470) << "of 500: worse than a default network should be";
  EXPECT_LT(reported, 500) << "too easy to show what quantization costs";
  EXPECT_NEAR(static_cast<double>(count_right(load())), static_cast<double>(reported), 1.0);
}

TEST(DefaultNetwork, LosesAtMostHalfAPointToQuantization) {
  const Model model = load(), quantized = model.quantize();
  ASSERT_TRUE(quantized.quantized());
  EXPECT_GE(static_cast<double>(count_right(quantized)), static_cast<double>(count_right(model)) - 0.005 * 500);
}

TEST(DefaultNetwork, CarriesItsTopologyInTheCaffemodelToo) {
  const Model alone = Model::load(kFolder / "symbols.caffemodel"), both = load();
  EXPECT_EQ(alone.print(), both.print());
  EXPECT_EQ(alone.parameter_count(), both.parameter_count());
}

}  // namespace
}  // namespace octavo
