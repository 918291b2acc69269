// SPDX-License-Identifier: Apache-2.0
// Real networks on real pictures: the integer network's scores stay close to the fp32 network's, on any thread count.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "octavo/octavo.h"

namespace octavo::test {
namespace {

const std::filesystem::path kData = OCTAVO_SHARED_DATA;

struct ZooNetwork {
  const char* name;
  const char* prototxt;
  const char* caffemodel;
  const char* scores;  ///< the value before the softmax
  ImageInput input;
  double least_decibels;  ///< a few under what the numerics are known to give
};

ZooNetwork network(const char* name, const char* prototxt, const char* caffemodel, const char* scores) {
  return {name, prototxt, caffemodel, scores, {}, 0.0};
}

std::vector<ZooNetwork> networks() {
  ZooNetwork googlenet = network("GoogLeNet", "caffe/googlenet/deploy.prototxt", "caffe/googlenet/googlenet.caffemodel",
                                 "loss3/classifier");
  ZooNetwork squeezenet = network("SqueezeNet", "caffe/squeezenet1.1/deploy.prototxt",
                                  "caffe/squeezenet1.1/squeezenet1.1.caffemodel", "pool10");
  for (ZooNetwork* each : {&googlenet, &squeezenet}) {
    each->input.resize_h = each->input.resize_w = 256;
    each->input.mean = {104, 117, 123};
  }
  googlenet.least_decibels = 30.0;
  squeezenet.least_decibels = 27.0;
  return {googlenet, squeezenet};
}

std::vector<Tensor> pictures(const ZooNetwork& network, const Shape& shape, std::size_t count) {
  std::ifstream list(kData / "images/imagenet500.txt");
  std::vector<Tensor> inputs;
  std::string name, index;
  while (inputs.size() < count && list >> name >> index)
    inputs.push_back(to_input(read_picture(kData / "images/imagenet500" / name), network.input, shape));
  return inputs;
}

TEST(Networks, IntegerScoresStayCloseToFp32) {
  if (!std::filesystem::exists(kData / "caffe")) GTEST_SKIP() << "needs the real models under " << kData;
  for (const ZooNetwork& each : networks()) {
    const Model model = Model::load_caffe(kData / each.prototxt, kData / each.caffemodel);
    Shape shape = model.input_shapes()[0];
    shape[0] = 1;
    CompileOptions options;
    options.threads = 1;
    options.outputs = {each.scores};
    const Program fp32 = model.compile(options, {shape}), int8 = model.quantize().compile(options, {shape});
    options.threads = 3;
    const Program int8_on_three = model.quantize().compile(options, {shape});
    double signal = 0, noise = 0, noise_on_three = 0;
    const std::vector<Tensor> inputs = pictures(each, shape, 8);
    ASSERT_FALSE(inputs.empty());
    for (const Tensor& input : inputs) {
      const Tensor expected = fp32.predict(input), actual = int8.predict(input),
                   on_three = int8_on_three.predict(input);
      for (std::int64_t i = 0; i < expected.size(); ++i) {
        signal += std::pow(static_cast<double>(expected.data()[i]), 2);
        noise += std::pow(static_cast<double>(expected.data()[i]) - actual.data()[i], 2);
        noise_on_three += std::pow(static_cast<double>(expected.data()[i]) - on_three.data()[i], 2);
      }
    }
    const double decibels = 10 * std::log10(signal / noise);
    RecordProperty(each.name, std::to_string(decibels));
    EXPECT_GT(decibels, each.least_decibels) << each.name;
    EXPECT_GT(10 * std::log10(signal / noise_on_three), each.least_decibels) << each.name;
  }
}

}  // namespace
}  // namespace octavo::test
