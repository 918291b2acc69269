// SPDX-License-Identifier: Apache-2.0
// Caffe out and in again: what is exported comes back as the same network and computes the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "graph/export/caffe.h"
#include "graph/import/caffe.h"
#include "octavo/octavo.h"
#include "tests/graph/caffe_files.h"
#include "tests/runtime/round_trip.h"
#include "tests/runtime/sample_model.h"
#include "tests/runtime/temporary_folder.h"

namespace octavo::test {
namespace {

class CaffeRoundTrip : public testing::Test {
 protected:
  [[nodiscard]] Graph there_and_back(const Graph& graph, const std::string& name) const {
    const graph::CaffeExport files = graph::export_caffe(graph);
    const std::string stem = name + std::to_string(++count_);
    return graph::import_caffe(files_.write(stem + ".prototxt", files.prototxt),
                               files_.write(stem + ".caffemodel", files.caffemodel));
  }
  void expect(const graph::Op& op, const std::vector<Shape>& shapes, float low = -2.0F, float high = 2.0F) const {
    expect_round_trip([&](const Graph& graph, const std::string& name) { return there_and_back(graph, name); }, op,
                      shapes, low, high);
  }

  graph::CaffeFiles files_;
  mutable int count_ = 0;
};

TEST_F(CaffeRoundTrip, LayersWithWeights) {
  const Shape image{2, 4, 9, 8};
  graph::Convolution conv{.out_channels = 6, .groups = 2, .kernel = {3, 2}, .stride = {2, 1}, .dilation = {1, 2}};
  conv.pad_begin = conv.pad_end = {1, 2};
  conv.weights = random_blob({6, 2, 3, 2}, 5);
  conv.bias = random_blob({6}, 6);
  expect(conv, {image});
  conv.bias = nullptr;
  conv.activation = {.kind = jit::ActivationKind::prelu, .slopes = random_blob({6}, 7)};
  expect(conv, {image});
  conv.activation = {.kind = jit::ActivationKind::leaky_relu, .slope = 0.1F};
  conv.add_residual = true;
  expect(conv, {image, {2, 6, 5, 10}});
  graph::Deconvolution up{.out_channels = 6, .groups = 2, .kernel = {3, 3}, .stride = {2, 2}};
  up.weights = random_blob({4, 3, 3, 3}, 8);
  expect(up, {image});
  for (const std::int64_t axis : {1, 2, -1}) {
    graph::Linear linear{.out_features = 5, .axis = axis};
    linear.weights = random_blob({5, axis == 1 ? 288 : axis == 2 ? 72 : 8}, 10);
    linear.bias = random_blob({5}, 11);
    expect(linear, {image});
  }
  expect(graph::Embed{random_blob({7, 3}, 12), random_blob({3}, 13)}, {{2, 4}}, 0.0F, 6.9F);
}

TEST_F(CaffeRoundTrip, PoolsNormalizationAndFunctions) {
  const Shape image{2, 5, 9, 8};
  for (const auto kind : {graph::PoolKind::max, graph::PoolKind::average}) {
    expect(graph::Pool{.kind = kind, .global = true}, {image});
    for (const bool ceil : {false, true}) {
      graph::Pool pool{.kind = kind, .kernel = {3, 2}, .stride = {3, 1}, .pad_begin = {1, 0}, .pad_end = {1, 0}};
      pool.ceil_mode = ceil;
      expect(pool, {image});
    }
  }
  expect(graph::Lrn{.size = 3, .alpha = 0.3F, .beta = 0.6F, .k = 1.5F}, {image});
  expect(graph::Lrn{.across_channels = false, .size = 3, .alpha = 0.3F}, {image});
  for (const bool across : {false, true}) {
    expect(graph::Normalize{across, 1e-3F, random_blob({across ? 1 : 5}, 8)}, {image});
  }
  expect(graph::BatchNorm{random_blob({5}, 1), random_blob({5}, 2, 0.5F, 2.0F), 1e-3F}, {image});
  expect(graph::PRelu{random_blob({5}, 3)}, {image});
  expect(graph::Softmax{2}, {image});
  for (const std::int64_t axis : {1, 2}) {
    const Shape part{image[static_cast<std::size_t>(axis)]};
    expect(graph::Scale{.axis = axis, .factor = random_blob(part, 6), .offset = random_blob(part, 7)}, {image});
    expect(graph::Scale{.axis = axis, .offset = random_blob(part, 7)}, {image});
    expect(graph::Scale{.axis = axis}, {image, part});
  }
  expect(graph::Scale{.axis = 1, .factor = random_blob({5, 9}, 6), .offset = random_blob({5, 9}, 7)}, {image});
  using Kind = graph::UnaryKind;
  for (const auto kind : {Kind::relu, Kind::relu6, Kind::sigmoid, Kind::tanh, Kind::elu, Kind::abs, Kind::power,
                          Kind::exp, Kind::log, Kind::threshold}) {
    expect(graph::Unary{kind, 1.75F, 1.5F, 1.25F}, {{2, 3, 4, 5}}, 0.1F, 2.0F);
  }
  for (const auto kind : {graph::EltwiseKind::sum, graph::EltwiseKind::product, graph::EltwiseKind::max}) {
    expect(graph::Eltwise{.kind = kind, .activation = {.kind = jit::ActivationKind::relu}}, {{2, 3}, {2, 3}});
  }
  expect(graph::Eltwise{.coefficients = {1.0F, -0.5F}}, {{2, 3}, {2, 3}});
  for (const auto kind : {graph::ReductionKind::sum, graph::ReductionKind::abs_sum, graph::ReductionKind::square_sum,
                          graph::ReductionKind::mean}) {
    expect(graph::Reduction{kind, 1, 0.5F}, {{2, 3, 4, 5}});
  }
  expect(graph::ArgMax{.has_axis = true, .axis = 1}, {{2, 7, 3}});
}

TEST_F(CaffeRoundTrip, MovementsAndRegions) {
  const Shape image{2, 3, 4, 5};
  expect(graph::Concat{.axis = 2}, {image, {2, 3, 2, 5}});
  expect(graph::Flatten{.axis = 1, .end_axis = 2}, {image});
  expect(graph::Reshape{.dims = {12}, .axis = 1, .num_axes = 2}, {image});
  expect(graph::Permute{.order = {0, 2, 3, 1}}, {image});
  expect(graph::Crop{.axis = 2, .offsets = {1, 2}}, {image, {1, 1, 2, 3}});
  expect(graph::Tile{.axis = 1, .tiles = 3}, {image});
  graph::Resize resize{.kind = graph::ResizeKind::linear, .coordinates = graph::ResizeCoordinates::align_corners};
  resize.axes = {2, 3};
  resize.sizes = {7, 9};
  expect(resize, {image});
  expect(graph::PriorBox{.min_sizes = {2.5F}, .max_sizes = {4}, .aspect_ratios = {2, 0.5F}, .step_h = 8, .step_w = 8},
         {{1, 2, 4, 5}, {1, 3, 32, 40}});
  graph::DetectionOutput detections{.classes = 3, .code = graph::BoxCode::center_size};
  detections.nms_top_k = 6;
  detections.keep_top_k = 5;
  expect(detections, {{1, 8}, {1, 6}, {1, 2, 8}}, 0.1F, 0.9F);
}

/// The network that comes with the repository: names, numbers and all.
TEST_F(CaffeRoundTrip, ANetworkStaysWhatItIs) {
  const auto folder = std::filesystem::path(OCTAVO_SOURCE_DIR) / "tools/symbols";
  const Graph original = graph::import_caffe(folder / "deploy.prototxt", folder / "symbols.caffemodel");
  EXPECT_EQ(transcript(there_and_back(original, "symbols")), transcript(original));
}

/// BigDL and Torch7 have a LogSoftMax, which a graph holds as x - log(sum(exp(x))).
TEST_F(CaffeRoundTrip, ALogarithmOfASoftmaxIsTwoLayers) {
  SmallNetwork network;
  const ValueId x = network.input("x", {2, 5});
  const ValueId sum = network.add("sum", graph::Reduction{.kind = graph::ReductionKind::log_sum_exp, .axis = 1}, {x});
  const ValueId column = network.add("column", graph::Reshape{.dims = {0, 1}}, {sum});
  const ValueId y = network.add("y", graph::Binary{.kind = graph::BinaryKind::subtract}, {x, column});
  const Graph original = network.finish({y}), back = there_and_back(original, "log_softmax");
  EXPECT_EQ(back.nodes.size(), 3U);
  const Values numbers = random_values({2, 5}, 3, -4.0F, 4.0F);
  expect_near(run(back, {numbers}), run(original, {numbers}), 1e-6F, "log softmax");
}

TEST_F(CaffeRoundTrip, ATopologyThatCannotBeWrittenLeavesTheWeightsThatWereThere) {
  const TemporaryFolder folder;
  const auto weights = folder.put("net.caffemodel", {1, 2, 3});
  const Model model = to_model(sample_graph());
  for (const auto& prototxt : {folder / "no-such-folder" / "net.prototxt", folder.path()}) {
    EXPECT_THROW(model.save_caffe(prototxt, weights), Error);
    EXPECT_EQ(read_bytes(weights), (Bytes{1, 2, 3}));
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST_F(CaffeRoundTrip, NamesTheFirstNodeThatCaffeCannotSay) {
  const Values image = random_values({1, 2, 4, 4}, 1);
  try {
    (void)graph::export_caffe(graph_of(graph::Unary{graph::UnaryKind::gelu}, {image}, Arrival::as_given));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_EQ(error.where(), "layer 'y' (Unary)");
  }
  const Model quantized =
      Model::load_caffe(std::filesystem::path(OCTAVO_SOURCE_DIR) / "tools/symbols/deploy.prototxt",
                        std::filesystem::path(OCTAVO_SOURCE_DIR) / "tools/symbols/symbols.caffemodel")
          .quantize();
  EXPECT_THROW(quantized.save_caffe(files_.write("q.prototxt", ""), files_.write("q.caffemodel", "")), Error);
  const std::filesystem::path same = files_.write("same", "");
  EXPECT_THROW(quantized.dequantize().save_caffe(same, same.parent_path() / "." / "same"), Error) << "one file for two";
}

}  // namespace
}  // namespace octavo::test
