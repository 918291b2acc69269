// SPDX-License-Identifier: Apache-2.0
// BigDL out and in again: what is exported comes back as the same network and computes the same, its 8-bit weights to
// the bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <string_view>

#include "graph/export/bigdl.h"
#include "graph/export/bigdl_writer.h"
#include "graph/import/bigdl.h"
#include "octavo/octavo.h"
#include "tests/graph/caffe_files.h"
#include "tests/runtime/round_trip.h"

namespace octavo::test {
namespace {

using testing::HasSubstr;

class BigdlRoundTrip : public testing::Test {
 protected:
  /// A file is mapped as long as its graph lives: each has a name of its own.
  [[nodiscard]] Graph there_and_back(const Graph& graph, const std::string& name) const {
    return graph::import_bigdl(files_.write(name + std::to_string(++count_) + ".bigdl", graph::export_bigdl(graph)));
  }
  void expect(const graph::Op& op, const std::vector<Shape>& shapes, float low = -2.0F, float high = 2.0F) const {
    expect_round_trip([&](const Graph& graph, const std::string& name) { return there_and_back(graph, name); }, op,
                      shapes, low, high);
  }

  graph::CaffeFiles files_;
  mutable int count_ = 0;
};

/// What one module makes of x, which octavo itself writes otherwise.
Values made_by(std::string_view type, const std::function<void(graph::BigdlModuleWriter)>& fields, const Values& x) {
  graph::BigdlWriter writer({});
  writer.module("Input", "x", {});
  writer.input("x");
  fields(writer.module(type, "y", {"x"}));
  writer.output("y");
  const graph::CaffeFiles files;
  return run(graph::import_bigdl(files.write("net.bigdl", writer.finish("net")),
                                 {.weight_file = {}, .input_shapes = {{"x", x.shape}}}),
             {x});
}

TEST(BigdlModules, NormalizeByAnyNorm) {
  const Values x = random_values({2, 3, 4, 5}, 3);
  const Values y = made_by(
      "Normalize", [](auto module) { module.set("p", 3.0).set("eps", 1e-10); }, x);
  double sum = 0;
  for (std::size_t channel = 0; channel < 3; ++channel) sum += std::pow(std::fabs(x.numbers[20 * channel + 7]), 3);
  EXPECT_NEAR(y.numbers[7], x.numbers[7] / std::cbrt(sum), 1e-5);
}

TEST(BigdlModules, HardSigmoidAndTablesThatCountFromOne) {
  const Values y = made_by("HardSigmoid", [](auto) {}, {{1, 4}, {-3, -1, 0.5F, 4}});
  EXPECT_THAT(y.numbers, testing::Pointwise(testing::FloatNear(1e-6F), {0.0F, 0.3F, 0.6F, 1.0F}));
  const std::vector<float> rows{1, 2, 3, 4, 5, 6};
  const auto table = [&](auto module) {
    module.set("nIndex", std::int64_t{3}).set("nOutput", std::int64_t{2}).parameter({3, 2}, rows);
  };
  EXPECT_THAT(made_by("LookupTable", table, {{1, 2}, {3, 1}}).numbers, testing::ElementsAre(5, 6, 1, 2));
}

TEST_F(BigdlRoundTrip, LayersWithWeights) {
  const Shape image{2, 4, 9, 8};
  graph::Convolution conv{.out_channels = 6, .groups = 2, .kernel = {3, 2}, .stride = {2, 1}};
  conv.pad_begin = {1, 0};
  conv.pad_end = {0, 2};
  conv.weights = random_blob({6, 2, 3, 2}, 5);
  conv.bias = random_blob({6}, 6);
  expect(conv, {image});
  conv.pad_end = conv.pad_begin = {1, 1};
  conv.bias = nullptr;
  expect(conv, {image});
  conv.activation = {.kind = jit::ActivationKind::prelu, .slopes = random_blob({6}, 7)};
  expect(conv, {image});
  conv.activation = {.kind = jit::ActivationKind::relu6};
  conv.add_residual = true;
  expect(conv, {image, {2, 6, 5, 9}});
  graph::Convolution dilated{.out_channels = 6, .kernel = {3, 2}, .dilation = {1, 2}, .pad_begin = {1, 0}};
  dilated.pad_end = {1, 1};
  dilated.weights = random_blob({6, 4, 3, 2}, 5);
  dilated.bias = random_blob({6}, 6);
  expect(dilated, {image});
  graph::Deconvolution up{.out_channels = 6, .groups = 2, .kernel = {3, 3}, .stride = {2, 2}, .pad_begin = {1, 1}};
  up.weights = random_blob({4, 3, 3, 3}, 8);
  up.bias = random_blob({6}, 9);
  expect(up, {image});
  for (const std::int64_t axis : {1, 2, -1}) {
    graph::Linear linear{.out_features = 5, .axis = axis};
    linear.weights = random_blob({5, axis == 1 ? 288 : axis == 2 ? 72 : 8}, 10);
    linear.bias = random_blob({5}, 11);
    expect(linear, {image});
  }
  expect(graph::Embed{random_blob({7, 3}, 12), random_blob({3}, 13)}, {{2, 4}}, 0.0F, 6.9F);
}

TEST_F(BigdlRoundTrip, PoolsAndNormalization) {
  const Shape image{2, 5, 9, 8};
  for (const auto kind : {graph::PoolKind::max, graph::PoolKind::average}) {
    expect(graph::Pool{.kind = kind, .global = true}, {image});
    expect(graph::Pool{.kind = kind, .kernel = {2, 3}, .stride = {2, 2}, .pad_begin = {0, 0}, .pad_end = {1, 1}},
           {image});  // as SAME pads
    for (const bool ceil : {false, true}) {
      graph::Pool pool{.kind = kind, .kernel = {3, 2}, .stride = {2, 2}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
      pool.ceil_mode = ceil;
      expect(pool, {image});
      pool.include_padding = false;
      expect(pool, {image});
    }
  }
  expect(graph::Lrn{.size = 3, .alpha = 0.3F, .beta = 0.6F, .k = 1.5F}, {image});
  expect(graph::Lrn{.across_channels = false, .size = 3, .alpha = 0.3F, .beta = 0.6F}, {image});
  expect(graph::Normalize{false, 1e-3F, random_blob({5}, 8)}, {image});
  expect(graph::Normalize{false, 1e-3F, random_blob({1}, 8)}, {image});
  expect(graph::BatchNorm{random_blob({5}, 1), random_blob({5}, 2, 0.5F, 2.0F), 1e-3F}, {image});
  expect(graph::BatchNorm{random_blob({5}, 1), random_blob({5}, 2, 0.5F, 2.0F), 1e-3F}, {{3, 5}});
  expect(graph::PRelu{random_blob({5}, 3)}, {image});
  expect(graph::PRelu{random_blob({1}, 3)}, {{2, 5, 7}});
  expect(graph::Softmax{1}, {image});
  expect(graph::Softmax{1}, {{3, 4}});
  expect(graph::Softmax{2}, {{2, 3, 4}});
  for (const std::int64_t axis : {1, 2, -1}) {
    const Shape part{image[static_cast<std::size_t>(axis < 0 ? axis + 4 : axis)]};
    expect(graph::Scale{.axis = axis, .factor = random_blob(part, 6), .offset = random_blob(part, 7)}, {image});
    expect(graph::Scale{.axis = axis, .factor = random_blob(part, 6)}, {image});
    expect(graph::Scale{.axis = axis, .offset = random_blob(part, 6)}, {image});
  }
}

TEST_F(BigdlRoundTrip, Functions) {
  using Kind = graph::UnaryKind;
  for (const auto kind : {Kind::relu, Kind::relu6, Kind::sigmoid, Kind::tanh, Kind::elu, Kind::abs, Kind::power,
                          Kind::threshold, Kind::clip, Kind::hard_sigmoid, Kind::hard_swish, Kind::swish,
                          Kind::softplus, Kind::softsign, Kind::thresholded_relu}) {
    expect(graph::Unary{kind, 0.75F, 1.5F, 1.25F}, {{2, 3, 4, 5}}, 0.1F, 2.0F);
  }
  expect(graph::Unary{Kind::relu}, {{2, 3}});
  expect(graph::Unary{Kind::shrink, 0.5F, 0.5F}, {{2, 3}});
  expect(graph::Unary{Kind::shrink, 0.5F}, {{2, 3}});
  for (const auto kind : {Kind::exp, Kind::log}) {
    expect(graph::Unary{kind, -1.0F, 0.5F, 1.5F}, {{2, 3}}, 0.1F, 2.0F);
    expect(graph::Unary{kind, -1.0F, 0.0F, 1.0F}, {{2, 3}}, 0.1F, 2.0F);
  }
  using Two = graph::BinaryKind;
  for (const auto kind : {Two::add, Two::subtract, Two::multiply, Two::divide, Two::minimum, Two::maximum}) {
    expect(graph::Binary{kind}, {{2, 3, 4}, {2, 3, 4}}, 0.1F, 4.0F);
  }
  for (const auto kind : {graph::EltwiseKind::sum, graph::EltwiseKind::product, graph::EltwiseKind::max}) {
    expect(graph::Eltwise{.kind = kind}, {{2, 3}, {2, 3}, {2, 3}});
    expect(graph::Eltwise{.kind = kind, .activation = {.kind = jit::ActivationKind::relu}}, {{2, 3}, {2, 3}});
  }
  for (const auto& weights : {std::vector{1.0F, -0.5F}, {1.0F, -1.0F}, {0.5F, 0.5F}}) {
    expect(graph::Eltwise{.coefficients = weights}, {{2, 3}, {2, 3}});
  }
  using Sum = graph::ReductionKind;
  for (const auto kind : {Sum::sum, Sum::abs_sum, Sum::square_sum, Sum::mean, Sum::max, Sum::min}) {
    for (const std::int64_t axis : {1, 2, 3}) {
      expect(graph::Reduction{kind, axis, axis == 1 ? 0.5F : 1.0F}, {{2, 3, 4, 5}});
    }
  }
  expect(graph::MatMul{}, {{2, 3, 4}, {2, 4, 5}});
}

TEST_F(BigdlRoundTrip, Movements) {
  const Shape image{2, 3, 4, 5};
  expect(graph::Concat{.axis = 2}, {image, {2, 3, 2, 5}});
  expect(graph::Flatten{.axis = 1, .end_axis = -1}, {image});
  expect(graph::Flatten{.axis = 0, .end_axis = 1}, {image});
  expect(graph::Reshape{.dims = {0, -1, 10}}, {image});
  expect(graph::Reshape{.dims = {0, 6, 10}}, {image});
  expect(graph::Reshape{.dims = {6, 20}}, {image});
  expect(graph::Reshape{.dims = {12}, .axis = 1, .num_axes = 2}, {image});
  expect(graph::Permute{.order = {0, 2}}, {image});
  expect(graph::Permute{.order = {3, 1, 0, 2}}, {image});
  expect(graph::Crop{.axis = 2, .offsets = {1, 2}}, {image, {1, 1, 2, 3}});
  expect(graph::Tile{.axis = 1, .tiles = 3}, {image});
  expect(graph::StridedSlice{{1, 3}, {0, -1}, {2, -100}, {1, -1}}, {image});
  expect(graph::Pad{graph::PadKind::constant, {0, 1, 0, 2}, {0, 0, 3, 1}, 0.5F}, {image});
  expect(graph::Pad{graph::PadKind::constant, {0, 0, 1, -1}, {0, 0, -2, 2}, 0.0F}, {image});
  expect(graph::Pad{graph::PadKind::constant, {0, -1, 2}, {0, 1, 0}, 0.0F}, {{2, 3, 4}});
  graph::Resize resize{.kind = graph::ResizeKind::linear, .axes = {2, 3}, .sizes = {7, 9}};
  for (const auto how : {graph::ResizeCoordinates::align_corners, graph::ResizeCoordinates::asymmetric}) {
    resize.coordinates = how;
    expect(resize, {image});
  }
  resize = {.kind = graph::ResizeKind::nearest,
            .coordinates = graph::ResizeCoordinates::asymmetric,
            .rounding = graph::ResizeRounding::floor,
            .axes = {2, 3},
            .scales = {2.0F, 3.0F}};
  expect(resize, {image});
}

TEST_F(BigdlRoundTrip, Detectors) {
  const graph::PriorBox priors{.min_sizes = {2, 5},
                               .max_sizes = {4, 7},
                               .aspect_ratios = {2, 0.5F},
                               .variances = {0.1F, 0.1F, 0.2F, 0.2F},
                               .clip = true,
                               .truncate_sizes = true,
                               .image_h = 32,
                               .image_w = 40,
                               .step_h = 8,
                               .step_w = 8};
  expect(priors, {{1, 2, 4, 5}, {1, 3, 32, 40}});
  graph::DetectionOutput detections{.classes = 3, .code = graph::BoxCode::center_size};
  detections.nms_top_k = 6;
  detections.keep_top_k = 5;
  expect(detections, {{1, 8}, {1, 6}, {1, 2, 8}}, 0.1F, 0.9F);
}

/// A network that BigDL saved is the same network after a round.
TEST_F(BigdlRoundTrip, BigdlsOwnNetworksStayWhatTheyAre) {
  const auto folder = std::filesystem::path(OCTAVO_SOURCE_DIR) / "tests/runtime/bigdl";
  const std::map<std::string, std::map<std::string, Shape>> networks{
      {"pictures", {{"input", {1, 4, 13, 11}}}},
      {"pictures_quantized", {{"input", {1, 4, 13, 11}}}},
      {"channels_last", {{"input", {1, 11, 13, 4}}}},
      {"channels_last_quantized", {{"input", {1, 11, 13, 4}}}},
      {"branches", {{"picture", {1, 3, 6, 5}}, {"row", {1, 5}}}},
      {"text", {{"input", {2, 13, 6}}}},
      {"text_quantized", {{"input", {2, 13, 6}}}},
      {"functions", {{"input", {2, 4, 5, 6}}}},
      {"ssd", {{"picture", {1, 3, 8, 8}}}},
      {"shapes", {{"input", {2, 8, 5}}}},
      {"keras", {}},
  };
  for (const auto& [name, shapes] : networks) {
    graph::Graph original =
        graph::import_bigdl(folder / (name + ".model"), {.weight_file = {}, .input_shapes = shapes});
    graph::Graph once = there_and_back(original, name);
    graph::Graph twice = there_and_back(once, name);
    EXPECT_EQ(structure(twice), structure(once)) << name;
    // Crops become narrower modules, and the parts of a table come later: the same network in another order.
    if (name == "branches" || name == "shapes" || name.starts_with("channels_last")) continue;
    EXPECT_EQ(structure(graph::canonicalize(once)), structure(graph::canonicalize(original))) << name;
  }
}

TEST_F(BigdlRoundTrip, EightBitWeightsStayToTheBit) {
  SmallNetwork network;
  const ValueId x = network.input("x", {1, 8, 6, 6});
  graph::Convolution conv{.out_channels = 4, .groups = 2, .kernel = {3, 3}};
  conv.weights = random_blob({4, 4, 3, 3}, 1);
  conv.bias = random_blob({4}, 2);
  const ValueId c = network.add("conv", conv, {x});
  graph::Linear linear{.out_features = 3};
  linear.weights = random_blob({3, 64}, 3);
  linear.bias = random_blob({3}, 4);
  const Graph graph = network.finish({network.add("fc", linear, {c})});
  const auto path = files_.write("float.bigdl", graph::export_bigdl(graph));
  QuantizeOptions all_channels;
  all_channels.window = Window{.channels = 0};
  const Model whole = Model::load(path).quantize(all_channels);
  const auto saved = files_.write("quantized.bigdl", "");
  whole.save_bigdl(saved);
  const Model read = Model::load(saved);
  EXPECT_TRUE(read.quantized());
  const Tensor input({1, 8, 6, 6}, random_values({1, 8, 6, 6}, 9).numbers);
  CompileOptions options;
  options.threads = 1;
  const Tensor expected = whole.predict(input, options), found = read.predict(input, options);
  EXPECT_TRUE(std::ranges::equal(found.values(), expected.values()));
  // Windows of 64 channels could be more than BigDL has scales for.
  try {
    Model::load(path).quantize().save_bigdl(files_.write("narrow.bigdl", ""));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_THAT(error.what(), HasSubstr("layer 'conv'"));
    EXPECT_THAT(error.hint(), HasSubstr("--window all"));
  }
}

TEST_F(BigdlRoundTrip, NamesTheFirstNodeThatBigdlCannotSay) {
  const Values image = random_values({1, 2, 4, 4}, 1);
  const std::pair<Graph, const char*> cases[] = {
      {graph_of(graph::LayerNorm{.axis = -1}, {image}, Arrival::as_given), "layer 'y' (LayerNorm)"},
      {graph_of(graph::Unary{graph::UnaryKind::erf}, {image}, Arrival::as_given), "layer 'y' (Unary)"},
  };
  for (const auto& [graph, place] : cases) {
    try {
      (void)graph::export_bigdl(graph);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::unsupported);
      EXPECT_EQ(error.where(), place);
    }
  }
}

}  // namespace
}  // namespace octavo::test
