// SPDX-License-Identifier: Apache-2.0
// Model: load, quantize, save, predict; what it says of itself.
#include "octavo/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "tests/runtime/expect_error.h"
#include "tests/runtime/sample_model.h"
#include "tests/runtime/temporary_folder.h"

namespace octavo {
namespace {

using test::expect_error;
using test::sample_graph;
using test::sample_input;
using test::to_model;

const Model& sample() {
  static const Model model = to_model(sample_graph());
  return model;
}

double decibels(const Tensor& exact, const Tensor& other) {
  double signal = 0, noise = 0;
  for (std::int64_t i = 0; i < exact.size(); ++i) {
    signal += exact.data()[i] * exact.data()[i];
    noise += std::pow(exact.data()[i] - other.data()[i], 2);
  }
  return 10 * std::log10(signal / noise);
}

TEST(Model, SaysWhatItIs) {
  EXPECT_EQ(sample().name(), "sample");
  EXPECT_EQ(sample().input_names(), std::vector<std::string>{"data"});
  EXPECT_EQ(sample().input_shapes(), (std::vector<Shape>{{1, 3, 12, 12}}));
  EXPECT_EQ(sample().output_names(), std::vector<std::string>{"prob"});
  EXPECT_EQ(sample().logit_names(), std::vector<std::string>{"fc"});
  EXPECT_EQ(sample().layer_names(), (std::vector<std::string>{"conv1", "relu1", "pool1", "conv2", "fc", "prob"}));
  EXPECT_EQ(sample().parameter_count(), 540 + 20 + 360 + 6480 + 10);
  EXPECT_FALSE(sample().quantized());
  EXPECT_FALSE(sample().image_input().has_value());
  EXPECT_TRUE(sample().labels().empty());
}

TEST(Model, WithoutSoftmaxTheOutputIsTheLogits) {
  graph::Graph graph = sample_graph();
  graph.outputs = {graph.nodes[5].outputs[0]};
  graph.remove_dead();
  EXPECT_EQ(to_model(graph).logit_names(), std::vector<std::string>{"fc"});
}

TEST(Model, QuantizingTellsWhatAndWhy) {
  QuantizeOptions options;
  options.keep_float = {"conv2"};
  options.layer_windows["fc"].channels = 256;
  const Model quantized = sample().quantize(options);
  EXPECT_TRUE(quantized.quantized());
  const auto layers = quantized.quantization();
  ASSERT_EQ(layers.size(), 3U);
  EXPECT_EQ(layers[0].layer, "conv1");
  EXPECT_EQ(layers[0].op, "Convolution");
  EXPECT_EQ(layers[0].weights, 540);
  EXPECT_TRUE(layers[0].quantized);
  EXPECT_FALSE(layers[1].quantized);
  EXPECT_NE(layers[1].reason.find("request"), std::string::npos);
  EXPECT_TRUE(layers[2].quantized);
  EXPECT_NE(layers[2].reason.find("256"), std::string::npos) << layers[2].reason;
}

TEST(Model, BeforeQuantizingEveryLayerWithNumbersIsListedAsFloat) {
  const auto layers = sample().quantization();
  ASSERT_EQ(layers.size(), 3U);
  for (const auto& layer : layers) {
    EXPECT_FALSE(layer.quantized);
    EXPECT_FALSE(layer.reason.empty());
  }
  EXPECT_EQ(layers[0].weights, 540);  // as after quantizing: without biases
}

TEST(Model, UnknownLayersAndWindowsAreErrors) {
  QuantizeOptions options;
  options.keep_float = {"conv9"};
  expect_error(ErrorKind::invalid_argument, "conv9", [&] { (void)sample().quantize(options); });
  expect_error(ErrorKind::invalid_argument, "7", [] { (void)sample().quantize(test::windows_of(7)); });
}

TEST(Model, QuantizedAnswersAreCloseToFloat) {
  const CompileOptions logits = test::returning({"fc"});
  const Tensor exact = sample().predict(sample_input(), logits);
  EXPECT_GT(decibels(exact, sample().quantize().predict(sample_input(), logits)), 30.0);
}

TEST(Model, QuantizingAgainChangesNothing) {
  const Model once = sample().quantize(), twice = once.quantize();
  EXPECT_EQ(once.print("quantized"), twice.print("quantized"));
  const Tensor a = once.predict(sample_input()), b = twice.predict(sample_input());
  EXPECT_TRUE(std::ranges::equal(a.values(), b.values()));
}

TEST(Model, DequantizedIsTheFloatNetworkOfTheStoredNumbers) {
  const Model quantized = sample().quantize();
  const Model real = quantized.dequantize();
  EXPECT_FALSE(real.quantized());
  EXPECT_EQ(real.parameter_count(), quantized.parameter_count());
  for (const auto& layer : real.quantization()) EXPECT_FALSE(layer.quantized);
  const CompileOptions logits = test::returning({"fc"});
  const Tensor exact = sample().predict(sample_input(), logits), stored = real.predict(sample_input(), logits),
               integer = quantized.predict(sample_input(), logits);
  EXPECT_GT(decibels(exact, stored), 30.0);    // the weights' rounding
  EXPECT_GT(decibels(stored, integer), 30.0);  // the activations'
  // Its weights are integers already: rounding them again finds the same ones.
  EXPECT_GT(decibels(stored, real.quantize().predict(sample_input(), logits)), 30.0);
}

TEST(Model, SavedAndLoadedItPredictsTheSameBits) {
  const test::TemporaryFolder folder;
  for (const Model& model : {sample(), sample().quantize(), sample().quantize(test::windows_of(0))}) {
    const Model labelled = model.with_labels({"a", "b"}).with_image_input({});
    labelled.save(folder / "m.octavo");
    const Model back = Model::load(folder / "m.octavo");
    const Tensor a = model.predict(sample_input()), b = back.predict(sample_input());
    EXPECT_TRUE(std::ranges::equal(a.values(), b.values()));
    EXPECT_EQ(back.quantized(), model.quantized());
    EXPECT_EQ(back.labels(), labelled.labels());
    EXPECT_TRUE(back.image_input().has_value());
    EXPECT_EQ(back.print("canonical"), model.print("canonical"));
    ASSERT_EQ(back.quantization().size(), model.quantization().size());
    for (std::size_t i = 0; i < back.quantization().size(); ++i) {
      EXPECT_EQ(back.quantization()[i].reason, model.quantization()[i].reason);
    }
  }
}

TEST(Model, QuantizedFilesAreSmall) {
  const test::TemporaryFolder folder;
  sample().save(folder / "f.octavo");
  sample().quantize().save(folder / "q.octavo");
  const auto floats = std::filesystem::file_size(folder / "f.octavo"),
             bytes = std::filesystem::file_size(folder / "q.octavo");
  EXPECT_GT(floats - bytes, (540 + 360 + 6480) * 11 / 4);
}

TEST(Model, EveryStagePrints) {
  const Model quantized = sample().quantize();
  EXPECT_NE(sample().print().find("relu1"), std::string::npos);
  EXPECT_EQ(sample().print("canonical").find("# relu1"), std::string::npos);
  EXPECT_NE(quantized.print("inserted").find("IntegerConvolution"), std::string::npos);
  EXPECT_NE(quantized.print("fused").find("FusedConvolution"), std::string::npos);
  EXPECT_EQ(quantized.print("imported"), quantized.print("quantized"));  // the stages before are gone
  expect_error(ErrorKind::invalid_argument, "no stage", [] { (void)sample().print("cooked"); });
}

TEST(Model, PredictsAnyBatch) {
  const Model quantized = sample().quantize();
  const Tensor both = quantized.predict(sample_input({2, 3, 12, 12}));
  ASSERT_EQ(both.shape(), (Shape{2, 10}));
  const Tensor all = sample_input({2, 3, 12, 12});
  const auto second = all.values().subspan(432);
  const Tensor one = quantized.predict(Tensor({1, 3, 12, 12}, {second.begin(), second.end()}));
  for (std::int64_t i = 0; i < 10; ++i) EXPECT_NEAR(both.data()[10 + i], one.data()[i], 1e-6);
}

TEST(Model, ABatchOfZeroMeansTheFiles) {
  const Program program = sample().compile({}, {{0, 3, 12, 12}});
  EXPECT_EQ(program.input_shapes(), (std::vector<Shape>{{1, 3, 12, 12}}));
  expect_error(ErrorKind::invalid_argument, "2 input shapes", [] { (void)sample().compile({}, {{1}, {2}}); });
}

TEST(Model, ThreadsMayPredictOnOneModel) {
  const Model model = sample().quantize();
  const Tensor expected = model.predict(sample_input(), test::one_thread());
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        const Tensor got = model.predict(sample_input(), test::one_thread());
        if (!std::ranges::equal(got.values(), expected.values())) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Model, FilesThatAreNoModelsAreNamed) {
  const test::TemporaryFolder folder;
  const auto load = [&](const test::Bytes& bytes) { (void)Model::load(folder.put("m", bytes)); };
  const std::string prototxt = "name: \"x\"\nlayer { name: \"data\" type: \"Input\" }\n";
  expect_error(ErrorKind::invalid_argument, "--prototxt", [&] { load({prototxt.begin(), prototxt.end()}); });
  expect_error(ErrorKind::unsupported, ".octavo files", [&] { load({'P', 'K', 3, 4, 0, 0}); });
  expect_error(ErrorKind::malformed, "empty", [&] { load({}); });
  expect_error(ErrorKind::io, "cannot open", [&] { (void)Model::load(folder / "absent"); });
  // An ONNX file of which the rest was not copied; only its end says what it holds.
  const Model whole =
      Model::load_caffe_untrained(std::filesystem::path(OCTAVO_SOURCE_DIR) / "tools/symbols/deploy.prototxt");
  whole.save_onnx(folder / "whole.onnx");
  const test::Bytes onnx = test::read_bytes(folder / "whole.onnx");
  for (const std::size_t percent : {1U, 10U, 50U, 90U, 99U}) {
    const auto end = onnx.begin() + static_cast<std::ptrdiff_t>(onnx.size() * percent / 100);
    expect_error(ErrorKind::malformed, "cut short", [&] { load({onnx.begin(), end}); });
  }
  expect_error(ErrorKind::malformed, "cut off", [&] { load({0x89, 'O', 'C', 'T', 'A', 'V', 'O', '\n'}); });
}

TEST(Model, RealCaffeModelsSurviveQuantizingAndSaving) {
  const std::filesystem::path data = std::filesystem::path(OCTAVO_SHARED_DATA) / "caffe/squeezenet1.1";
  if (!std::filesystem::exists(data)) GTEST_SKIP() << "no real models at " << data;
  const test::TemporaryFolder folder;
  const Model real = Model::load_caffe(data / "deploy.prototxt", data / "squeezenet1.1.caffemodel");
  EXPECT_EQ(real.parameter_count(), 1235496);
  const Model quantized = real.quantize();
  quantized.save(folder / "q.octavo");
  EXPECT_GT(std::filesystem::file_size(data / "squeezenet1.1.caffemodel"),
            std::filesystem::file_size(folder / "q.octavo") * 37 / 10);
  const Model back = Model::load(folder / "q.octavo");
  const Tensor input = sample_input(back.input_shapes().at(0));
  const Tensor a = quantized.predict(input), b = back.predict(input);
  EXPECT_TRUE(std::ranges::equal(a.values(), b.values()));
}

}  // namespace
}  // namespace octavo
