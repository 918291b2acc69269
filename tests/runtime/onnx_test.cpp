// SPDX-License-Identifier: Apache-2.0
// ONNX from end to end: what is exported comes back as the same network and computes the same; transformers run with
// their Linear layers in 8 bits; quantized files mean what they say.
#include "graph/export/onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>

#include "graph/compiler.h"
#include "graph/import/onnx.h"
#include "octavo/c.h"
#include "octavo/octavo.h"
#include "tests/graph/onnx_files.h"
#include "tests/runtime/round_trip.h"

namespace octavo::test {
namespace {

using graph::OnnxFiles;
using graph::OnnxModel;
using testing::HasSubstr;

/// A file is mapped as long as its graph lives: each has a name of its own.
Graph there_and_back(const OnnxFiles& files, const Graph& graph, const std::string& name = "net.onnx") {
  return graph::import_onnx(files.write(name, graph::export_onnx(graph)));
}

void expect_onnx_round_trip(const graph::Op& op, const std::vector<Shape>& shapes, float low = -2.0F,
                            float high = 2.0F) {
  const OnnxFiles files;
  const auto round = [&](const Graph& graph, const std::string& name) {
    return there_and_back(files, graph, name + ".onnx");
  };
  test::expect_round_trip(round, op, shapes, low, high);
}

graph::Convolution convolution() {
  graph::Convolution op;
  op.out_channels = 6;
  op.groups = 2;
  op.kernel = {3, 2};
  op.stride = {2, 1};
  op.dilation = {1, 2};
  op.pad_begin = {1, 0};
  op.pad_end = {0, 2};
  op.weights = random_blob({6, 2, 3, 2}, 5);
  op.bias = random_blob({6}, 6);
  return op;
}

TEST(OnnxRoundTrip, LayersWithWeights) {
  const Shape image{2, 4, 9, 8};
  graph::Convolution conv = convolution();
  expect_onnx_round_trip(conv, {image});
  conv.activation = {.kind = jit::ActivationKind::leaky_relu, .slope = 0.1F};
  expect_onnx_round_trip(conv, {image});
  conv.activation = {.kind = jit::ActivationKind::prelu, .slopes = random_blob({6}, 7)};
  expect_onnx_round_trip(conv, {image});
  conv.activation = {.kind = jit::ActivationKind::relu6};
  conv.add_residual = true;
  expect_onnx_round_trip(conv, {image, {2, 6, 4, 8}});
  graph::Deconvolution up{.out_channels = 6, .groups = 2, .kernel = {3, 3}, .stride = {2, 2}, .pad_begin = {1, 1}};
  up.weights = random_blob({4, 3, 3, 3}, 8);
  up.bias = random_blob({6}, 9);
  expect_onnx_round_trip(up, {image});
  for (const std::int64_t axis : {1, 2, -1}) {
    graph::Linear linear{.out_features = 5, .axis = axis};
    linear.weights = random_blob({5, axis == 1 ? 288 : axis == 2 ? 72 : 8}, 10);
    linear.bias = random_blob({5}, 11);
    expect_onnx_round_trip(linear, {image});
  }
  expect_onnx_round_trip(graph::Embed{random_blob({7, 3}, 12), random_blob({3}, 13)}, {{2, 4}}, 0.0F, 6.9F);
}

TEST(OnnxRoundTrip, PoolsAndNormalization) {
  const Shape image{2, 5, 9, 8};
  for (const auto kind : {graph::PoolKind::max, graph::PoolKind::average}) {
    expect_onnx_round_trip(graph::Pool{.kind = kind, .global = true}, {image});
    for (const bool ceil : {false, true}) {
      for (const bool padding : {false, true}) {
        graph::Pool pool{.kind = kind, .kernel = {3, 2}, .stride = {3, 2}, .pad_begin = {1, 0}, .pad_end = {1, 1}};
        pool.ceil_mode = ceil;
        pool.include_padding = padding;
        expect_onnx_round_trip(pool, {image});
      }
    }
  }
  expect_onnx_round_trip(graph::Lrn{.size = 3, .alpha = 0.3F, .beta = 0.6F, .k = 1.5F}, {image});
  for (const bool across : {false, true}) {
    expect_onnx_round_trip(graph::Normalize{across, 1e-3F, random_blob({across ? 1 : 5}, 8)}, {image});
  }
  expect_onnx_round_trip(graph::BatchNorm{random_blob({5}, 1), random_blob({5}, 2, 0.5F, 2.0F), 1e-3F}, {image});
  expect_onnx_round_trip(graph::PRelu{random_blob({5}, 3)}, {image});
  expect_onnx_round_trip(graph::Softmax{2}, {image});
  expect_onnx_round_trip(graph::LayerNorm{-1, true, 1e-4F, random_blob({8}, 4), random_blob({8}, 5)}, {image});
  expect_onnx_round_trip(graph::LayerNorm{-2, false, 1e-4F, random_blob({72}, 4), nullptr}, {image});
  for (const std::int64_t axis : {1, 2, -1}) {
    const Shape part{image[static_cast<std::size_t>(axis < 0 ? axis + 4 : axis)]};
    expect_onnx_round_trip(graph::Scale{.axis = axis, .factor = random_blob(part, 6), .offset = random_blob(part, 7)},
                           {image});
    expect_onnx_round_trip(graph::Scale{.axis = axis}, {image, part});
  }
}

TEST(OnnxRoundTrip, Functions) {
  for (int kind = 0; kind <= static_cast<int>(graph::UnaryKind::atanh); ++kind) {
    const graph::Unary op{static_cast<graph::UnaryKind>(kind), 0.75F, 1.5F, 1.25F};
    expect_onnx_round_trip(op, {{2, 3, 4, 5}}, 1.01F, 2.0F);
    expect_onnx_round_trip(op, {{7}}, 0.0F, 0.5F);
  }
  for (int kind = 0; kind <= static_cast<int>(graph::BinaryKind::logical_xor); ++kind) {
    expect_onnx_round_trip(graph::Binary{static_cast<graph::BinaryKind>(kind)}, {{2, 3, 4}, {3, 1}}, 0.1F, 4.0F);
  }
  expect_onnx_round_trip(graph::Select{}, {{3, 1}, {3, 4}, {4}});
  for (const auto kind : {graph::EltwiseKind::sum, graph::EltwiseKind::product, graph::EltwiseKind::max}) {
    graph::Eltwise op;
    op.kind = kind;
    expect_onnx_round_trip(op, {{2, 3}, {2, 3}});
    expect_onnx_round_trip(op, {{2, 3}, {2, 3}, {2, 3}});
    op.activation.kind = jit::ActivationKind::relu;
    expect_onnx_round_trip(op, {{2, 3}, {2, 3}});
  }
  graph::Eltwise weighted;
  weighted.coefficients = {1.0F, -0.5F};
  expect_onnx_round_trip(weighted, {{2, 3}, {2, 3}});
  for (int kind = 0; kind <= static_cast<int>(graph::ReductionKind::log_sum_exp); ++kind) {
    for (const std::int64_t axis : {0, 1, 2}) {
      expect_onnx_round_trip(graph::Reduction{static_cast<graph::ReductionKind>(kind), axis, axis == 1 ? 0.5F : 1.0F},
                             {{2, 3, 4, 5}});
    }
  }
  for (const bool value : {false, true}) {
    expect_onnx_round_trip(
        graph::ArgMax{.has_axis = true, .out_max_value = value, .first = true, .axis = 1, .top_k = 3}, {{2, 7, 3}});
  }
  for (const bool first : {false, true}) {
    expect_onnx_round_trip(graph::ArgMax{.has_axis = true, .first = first, .axis = 1}, {{2, 7, 3}});
  }
  expect_onnx_round_trip(graph::MatMul{}, {{2, 3, 4}, {2, 4, 5}});
}

TEST(OnnxRoundTrip, Movements) {
  const Shape image{2, 3, 4, 5};
  expect_onnx_round_trip(graph::Concat{.axis = 2}, {image, {2, 3, 2, 5}});
  expect_onnx_round_trip(graph::Flatten{.axis = 1, .end_axis = -1}, {image});
  expect_onnx_round_trip(graph::Flatten{.axis = 1, .end_axis = 2}, {image});
  expect_onnx_round_trip(graph::Reshape{.dims = {0, -1, 10}}, {image});
  expect_onnx_round_trip(graph::Reshape{.dims = {12}, .axis = 1, .num_axes = 2}, {image});
  expect_onnx_round_trip(graph::Permute{.order = {0, 2}}, {image});
  expect_onnx_round_trip(graph::Crop{.axis = 2, .offsets = {1, 2}}, {image, {1, 1, 2, 3}});
  expect_onnx_round_trip(graph::Tile{.axis = 1, .tiles = 3}, {image});
  expect_onnx_round_trip(graph::Gather{.axis = 2}, {image, {3, 2}}, 0.0F, 1.9F);
  expect_onnx_round_trip(graph::StridedSlice{{1, 3}, {0, -1}, {2, -100}, {1, -2}}, {image});
  for (int kind = 0; kind < 4; ++kind) {
    expect_onnx_round_trip(graph::Pad{static_cast<graph::PadKind>(kind), {0, 1, 0, 2}, {0, 0, 3, 1}, 0.5F}, {image});
  }
  graph::Resize resize{.kind = graph::ResizeKind::linear, .axes = {2, 3}, .sizes = {7, 9}};
  expect_onnx_round_trip(resize, {image});
  resize = {.kind = graph::ResizeKind::nearest,
            .coordinates = graph::ResizeCoordinates::asymmetric,
            .axes = {2, 3},
            .scales = {2.0F, 3.0F}};
  resize.rounding = graph::ResizeRounding::floor;
  expect_onnx_round_trip(resize, {image});
  resize = {.kind = graph::ResizeKind::cubic, .cubic = -0.5F, .exclude_outside = true, .axes = {3}, .scales = {1.5F}};
  expect_onnx_round_trip(resize, {image});
}

TEST(OnnxRoundTrip, Regions) {
  graph::NonMaxSuppression thinning{.max_per_class = 4, .iou_threshold = 0.3F};
  expect_onnx_round_trip(thinning, {{2, 9, 4}, {2, 3, 9}});
  thinning.center_size = thinning.has_score_threshold = true;
  thinning.score_threshold = 0.25F;
  expect_onnx_round_trip(thinning, {{2, 9, 4}, {2, 3, 9}});
  for (const bool maximum : {false, true}) {
    graph::RoiAlign op{.pooled_h = 2, .pooled_w = 3, .sampling_ratio = 2, .spatial_scale = 0.5F};
    op.maximum = maximum;
    op.half_pixel = !maximum;
    expect_onnx_round_trip(op, {{2, 3, 7, 6}, {4, 4}, {4}}, 0.0F, 1.99F);
  }
}

/// Places and ranks, known and computed by the network, against their definitions.
TEST(OnnxModels, PickNumbersByPlaceAndRank) {
  const OnnxFiles files;
  const Values x{{2, 3}, {5, 9, 1, 7, 7, 2}};
  int made = 0;
  const auto expect = [&](OnnxModel& model, const std::vector<Values>& inputs, const std::vector<float>& expected) {
    const std::string bytes = model.finish("y").SerializeAsString();
    const Graph graph = graph::import_onnx(files.write(std::to_string(made++) + ".onnx", bytes));
    EXPECT_EQ(run(graph, inputs).numbers, expected) << graph::print(graph);
  };
  OnnxModel elements;
  elements.input("x", {2, 3});
  elements.input("i", {2, 2});
  elements.node("GatherElements", {"x", "i"}, "y", [](auto n) { n.set("axis", std::int64_t{1}); });
  expect(elements, {x, {{2, 2}, {0, -1, 2, 1}}}, {5, 1, 2, 7});
  OnnxModel known;
  known.input("x", {2, 3});
  known.node("GatherND", {"x", known.integers("i", {-1})}, "y");
  expect(known, {x}, {7, 7, 2});
  OnnxModel computed;
  computed.input("x", {2, 3});
  computed.input("i", {2, 2});
  computed.node("GatherND", {"x", "i"}, "y");
  expect(computed, {x, {{2, 2}, {1, -1, 0, 1}}}, {2, 9});
  OnnxModel least;
  least.input("x", {2, 3});
  least.writer().node("TopK", "y", {"x", least.integers("k", {2})}, {"values", "y"}).set("largest", std::int64_t{0});
  expect(least, {x}, {2, 0, 2, 0});
  OnnxModel scattered;
  scattered.input("x", {2, 3});
  scattered.node("ScatterND", {"x", scattered.integers("i", {1}), scattered.floats("u", {3}, {1, 2, 3})}, "y",
                 [](auto n) { n.set("reduction", std::string_view("add")); });
  expect(scattered, {x}, {5, 9, 1, 8, 9, 5});
  OnnxModel hot;
  hot.input("x", {2});
  hot.node("OneHot", {"x", hot.integers("depth", {3}), hot.floats("values", {2}, {0, 4})}, "y");
  expect(hot, {{{2}, {1, -1}}}, {0, 4, 0, 0, 0, 4});
  OnnxModel hardest;
  hardest.input("x", {2, 3});
  hardest.node("Hardmax", {"x"}, "y");
  expect(hardest, {x}, {0, 1, 0, 1, 0, 0});
}

TEST(OnnxExport, NamesTheFirstLayerThatOnnxCannotSay) {
  const Values image = random_values({1, 2, 4, 4}, 1);
  const std::pair<Graph, const char*> cases[] = {
      {graph_of(graph::Lrn{.across_channels = false}, {image}, Arrival::as_given), "layer 'y' (Lrn)"},
      {graph_of(graph::PriorBox{.min_sizes = {2}}, {image, image}, Arrival::as_given), "layer 'y' (PriorBox)"},
      // ONNX would want as many ones as that.
      {graph_of(graph::LayerNorm{}, {{{1 << 30}, {}}}, Arrival::as_given), "layer 'y' (LayerNorm)"},
  };
  for (const auto& [graph, place] : cases) {
    try {
      (void)graph::export_onnx(graph);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::unsupported);
      EXPECT_THAT(error.where(), HasSubstr(place));
    }
  }
}

/// Convolutions of several windows, Linear on rows and behind further dimensions.
TEST(OnnxExport, EightBitWeightsComeBackBitForBit) {
  SmallNetwork network;
  graph::Convolution conv = convolution(), wide;
  wide.out_channels = 5;
  wide.kernel = {3, 3};
  wide.weights = random_blob({5, 100, 3, 3}, 21);
  graph::Linear rows{.out_features = 7, .axis = -1}, flat{.out_features = 9, .axis = 1};
  rows.weights = random_blob({7, 300}, 22);
  rows.bias = random_blob({7}, 23);
  flat.weights = random_blob({9, 28}, 24);
  const ValueId x = network.input("x", {2, 4, 9, 8}), z = network.input("z", {2, 100, 5, 5});
  const ValueId a = network.add("conv", conv, {x}), b = network.add("wide", wide, {z});
  const ValueId sequence = network.input("sequence", {2, 4, 300});
  graph::Convolution whole = wide;  // one scale an output channel
  whole.weights = random_blob({5, 100, 3, 3}, 25);
  const ValueId e = network.add("whole", whole, {z});
  const ValueId c = network.add("rows", rows, {sequence}), d = network.add("flat", flat, {c});
  Graph graph = graph::canonicalize(network.finish({a, b, d, e}));
  graph::QuantizationRules rules;
  rules.layer_windows["whole"] = {.channels = 0};
  graph = graph::quantize_weights(std::move(graph), rules);
  graph::infer_shapes(graph);
  graph::Graph back = there_and_back(OnnxFiles(), graph);
  back = graph::canonicalize(std::move(back));
  back.name = graph.name;
  for (const graph::Node& node : graph.nodes) {
    const graph::Node* other = back.find_node(node.name);
    ASSERT_NE(other, nullptr) << node.name << "\n" << graph::print(back);
    EXPECT_EQ(transcript(other->op), transcript(node.op)) << node.name;
  }
}

// ---- transformers -------------------------------------------------------------------------------------------------

/// One encoder block as exporters write it: normalization and GELU as arithmetic or as operators, heads by Reshape and
/// Transpose.
struct Encoder {
  static constexpr std::int64_t kTokens = 12, kWidth = 64, kHeads = 4;
  OnnxModel model;
  unsigned seed = 100;

  std::string weights(const std::string& name, const Shape& shape, float spread) {
    return model.floats(name, shape, random_values(shape, seed++, -spread, spread).numbers);
  }
  std::string linear(const std::string& name, const std::string& x, std::int64_t in, std::int64_t out) {
    const float spread = std::sqrt(3.0F / static_cast<float>(in));
    const std::string product = model.node("MatMul", {x, weights(name + ".w", {in, out}, spread)}, name + ".product");
    return model.node("Add", {weights(name + ".b", {out}, 0.1F), product}, name);
  }
  std::string heads(const std::string& name, const std::string& x, const std::vector<std::int64_t>& order) {
    const std::string split =
        model.node("Reshape", {x, model.integers(name + ".dims", {0, 0, kHeads, kWidth / kHeads})}, name + ".split");
    return model.node("Transpose", {split}, name + ".heads", [&](auto n) { n.set("perm", order); });
  }
  std::string gelu(const std::string& x) {
    const std::string scaled = model.node("Div", {x, model.floats("root2", {}, {std::sqrt(2.0F)})}, "gelu.scaled");
    const std::string raised =
        model.node("Add", {model.node("Erf", {scaled}, "gelu.erf"), model.floats("one", {}, {1.0F})}, "gelu.raised");
    return model.node("Mul", {model.node("Mul", {x, raised}, "gelu.product"), model.floats("half", {}, {0.5F})},
                      "gelu");
  }
  graph::onnx::ModelProto finish() {
    const std::vector<std::int64_t> forward{0, 2, 1, 3};
    model.input("x", {1, kTokens, kWidth});
    const std::string norm =
        model.node("LayerNormalization", {"x", weights("g", {kWidth}, 1.0F), weights("o", {kWidth}, 0.1F)}, "norm");
    const std::string q = heads("q", linear("query", norm, kWidth, kWidth), forward);
    const std::string k = heads("k", linear("key", norm, kWidth, kWidth), {0, 2, 3, 1});
    const std::string v = heads("v", linear("value", norm, kWidth, kWidth), forward);
    const std::string scores =
        model.node("Mul", {model.node("MatMul", {q, k}, "qk"), model.floats("scale", {}, {0.25F})}, "scores");
    const std::string mixed = model.node("MatMul", {model.node("Softmax", {scores}, "attention"), v}, "mixed");
    const std::string joined = model.node("Transpose", {mixed}, "joined", [&](auto n) { n.set("perm", forward); });
    const std::string flat = model.node("Reshape", {joined, model.integers("flat.dims", {0, 0, kWidth})}, "flat");
    const std::string first = model.node("Add", {linear("projection", flat, kWidth, kWidth), "x"}, "first");
    const std::string hidden = gelu(linear("wide", first, kWidth, 4 * kWidth));
    model.node("Add", {linear("narrow", hidden, 4 * kWidth, kWidth), first}, "y");
    return model.finish("y");
  }
};

double decibels(const Tensor& expected, const Tensor& actual) {
  double signal = 0, noise = 0;
  for (std::int64_t i = 0; i < expected.size(); ++i) {
    signal += std::pow(static_cast<double>(expected.data()[i]), 2);
    noise += std::pow(static_cast<double>(expected.data()[i]) - actual.data()[i], 2);
  }
  return 10 * std::log10(signal / noise);
}

TEST(OnnxTransformer, RunsWithItsLinearLayersInEightBits) {
  const OnnxFiles files;
  const Model model = Model::load_onnx(files.write("encoder.onnx", Encoder().finish().SerializeAsString()));
  const Model quantized = model.quantize();
  int eight_bit = 0;
  for (const LayerQuantization& layer : quantized.quantization()) {
    if (layer.op == "Linear") {
      EXPECT_TRUE(layer.quantized) << layer.layer;
    }
    eight_bit += layer.quantized ? 1 : 0;
  }
  EXPECT_EQ(eight_bit, 6);
  const Values x = random_values({1, Encoder::kTokens, Encoder::kWidth}, 1);
  const Tensor input(x.shape, x.numbers);
  EXPECT_GT(decibels(model.predict(input), quantized.predict(input)), 30.0);
  // Any batch: nothing of the file's 1 is baked in.
  const Values several = random_values({3, Encoder::kTokens, Encoder::kWidth}, 1);
  EXPECT_EQ(model.predict(Tensor(several.shape, several.numbers)).shape(), several.shape);
}

// ---- quantized files ----------------------------------------------------------------------------------------------

/// Integers of 8 bits as the operators define them.
/// Two heads of queries share one of keys; two keys come before the first query; a window looks back over two keys; the
/// mask hides the last key from all, and every key from the last query, whose answer is 0.
TEST(OnnxTransformer, AttentionSeesWhatMaskAndWindowLeave) {
  constexpr int kQueries = 3, kKeys = 5, kSize = 4, kHeads = 2, kBack = 2;
  const Values q = random_values({1, kHeads, kQueries, kSize}, 1);
  const Values k = random_values({1, 1, 3, kSize}, 2), v = random_values({1, 1, 3, kSize}, 3);
  const Values past_k = random_values({1, 1, 2, kSize}, 4), past_v = random_values({1, 1, 2, kSize}, 5);
  const float hidden = -std::numeric_limits<float>::infinity();
  std::vector<float> mask(kQueries * 4, 0.25F);  // of four keys: the fifth is hidden
  std::fill(mask.end() - 4, mask.end(), hidden);
  OnnxModel model;
  for (const auto& [name, value] : {std::pair{"q", &q}, {"k", &k}, {"v", &v}, {"pk", &past_k}, {"pv", &past_v}}) {
    model.input(name, value->shape);
  }
  model.node("Attention", {"q", "k", "v", model.floats("mask", {kQueries, 4}, mask), "pk", "pv"}, "y", [](auto n) {
    n.set("is_causal", std::int64_t{1}).set("left_window_size", std::int64_t{kBack}).set("softcap", 2.0F);
  });
  const OnnxFiles files;
  const Graph graph = graph::import_onnx(files.write("net.onnx", model.finish("y", 28).SerializeAsString()));
  const std::vector<float> y = run(graph, {q, k, v, past_k, past_v}).numbers;
  const auto row = [](const Values& past, const Values& now, int key) {
    return key < 2 ? past.numbers.data() + key * kSize : now.numbers.data() + (key - 2) * kSize;
  };
  for (int i = 0; i < kHeads * kQueries; ++i) {
    const int query = i % kQueries;
    std::vector<double> sum(kSize, 0.0);
    double weights = 0;
    for (int key = 0; key < kKeys - 1 && query != kQueries - 1; ++key) {
      if (key > query + 2 || query + 2 - key > kBack) continue;
      double score = 0;
      for (int c = 0; c < kSize; ++c) {
        score += static_cast<double>(q.numbers[static_cast<std::size_t>(i * kSize + c)]) * row(past_k, k, key)[c] / 2;
      }
      const double weight = std::exp(2 * std::tanh(score / 2));
      weights += weight;
      for (int c = 0; c < kSize; ++c) sum[static_cast<std::size_t>(c)] += weight * row(past_v, v, key)[c];
    }
    for (int c = 0; c < kSize; ++c) {
      const double expected = weights == 0 ? 0 : sum[static_cast<std::size_t>(c)] / weights;
      EXPECT_NEAR(y[static_cast<std::size_t>(i * kSize + c)], expected, 1e-5) << "query " << i;
    }
  }
}

TEST(QuantizedConstant, DynamicQuantizationAndAnIntegerProductAreExact) {
  OnnxModel model;
  graph::OnnxWriter& writer = model.writer();
  std::vector<std::int8_t> w(6 * 4);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<std::int8_t>(static_cast<int>(i * 29 % 200) - 100);
  model.input("x", {3, 6});
  writer.node("DynamicQuantizeLinear", "dq", {"x"}, {"q", "scale", "zero"});
  model.node("MatMulInteger", {"q", model.bytes("w", {6, 4}, w), "zero"}, "sums");
  model.node("Cast", {"sums"}, "real", [](auto n) { n.set("to", std::int64_t{1}); });
  model.node("Mul", {"real", "scale"}, "y");
  const Model loaded = Model::load_onnx(OnnxFiles().write("q.onnx", model.finish("y").SerializeAsString()));
  const Values x = random_values({3, 6}, 1, -1.0F, 3.0F);
  const Tensor y = loaded.predict(Tensor(x.shape, x.numbers));
  const auto [low, high] = std::minmax_element(x.numbers.begin(), x.numbers.end());
  const float scale = (std::max(*high, 0.0F) - std::min(*low, 0.0F)) / 255.0F;
  const float zero = std::nearbyint(-std::min(*low, 0.0F) / scale);
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t column = 0; column < 4; ++column) {
      float sum = 0;
      for (std::size_t k = 0; k < 6; ++k) {
        const float q = std::clamp(std::nearbyint(x.numbers[row * 6 + k] / scale) + zero, 0.0F, 255.0F);
        sum += (q - zero) * static_cast<float>(w[k * 4 + column]);
      }
      EXPECT_FLOAT_EQ(y.data()[row * 4 + column], sum * scale);
    }
  }
}

TEST(QuantizedConstant, QuantizeAndDequantizeRoundHalfToEvenAndSaturate) {
  OnnxModel model;
  model.input("x", {6});
  const std::string scale = model.floats("s", {}, {0.5F}), zero = model.bytes("z", {}, {3});
  model.node("QuantizeLinear", {"x", scale, zero}, "q");
  model.node("DequantizeLinear", {"q", scale, zero}, "y");
  const Model loaded = Model::load_onnx(OnnxFiles().write("q.onnx", model.finish("y").SerializeAsString()));
  const Tensor y = loaded.predict(Tensor({6}, {0.25F, 0.75F, -0.25F, 1000.0F, -1000.0F, 1.1F}));
  EXPECT_THAT(std::vector<float>(y.data(), y.data() + 6), testing::ElementsAre(0.0F, 1.0F, 0.0F, 62.0F, -65.5F, 1.0F));
}

TEST(OnnxModels, AreToldByTheirContent) {
  const OnnxFiles files;
  const auto path = files.write("no_ending", Encoder().finish().SerializeAsString());
  EXPECT_EQ(Model::load(path).input_names(), std::vector<std::string>{"x"});
}

/// Sums over the letters that the result does not name, by a walk over all of them.
std::vector<float> sum_by_letters(const std::string& a, const std::string& b, const std::string& result,
                                  const std::map<char, std::int64_t>& sizes, const Values& x, const Values& y) {
  const auto place = [&](const std::string& letters, const std::map<char, std::int64_t>& at) {
    std::int64_t index = 0;
    for (const char letter : letters) index = index * sizes.at(letter) + at.at(letter);
    return static_cast<std::size_t>(index);
  };
  std::int64_t count = 1, all = 1;
  for (const char letter : result) count *= sizes.at(letter);
  for (const auto& [letter, size] : sizes) all *= size;
  std::vector<float> sums(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < all; ++i) {
    std::map<char, std::int64_t> at;
    std::int64_t rest = i;
    for (const auto& [letter, size] : sizes) {
      at[letter] = rest % size;
      rest /= size;
    }
    sums[place(result, at)] += x.numbers[place(a, at)] * y.numbers[place(b, at)];
  }
  return sums;
}

TEST(OnnxModels, SumByEquations) {
  const OnnxFiles files;
  const std::map<char, std::int64_t> sizes{{'b', 2}, {'h', 3}, {'q', 4}, {'k', 5}, {'d', 6}};
  const auto shape_of = [&](const std::string& letters) {
    Shape shape;
    for (const char letter : letters) shape.push_back(sizes.at(letter));
    return shape;
  };
  int made = 0;
  for (const auto& [a, b, result] : std::vector<std::array<std::string, 3>>{{"bhqd", "bhkd", "bhqk"},
                                                                            {"bhqk", "bkhd", "bqhd"},
                                                                            {"bqd", "dhk", "bqhk"},
                                                                            {"bqhk", "hkd", "bqd"},
                                                                            {"hq", "kd", "dkqh"},
                                                                            {"bqd", "hk", "kq"}}) {
    for (const bool constant : {false, true}) {
      std::map<char, std::int64_t> used;
      for (const char letter : a + b) used[letter] = sizes.at(letter);
      const Values x = random_values(shape_of(a), 1), y = random_values(shape_of(b), 2);
      OnnxModel model;
      model.input("x", x.shape);
      constant ? model.floats("y", y.shape, y.numbers) : model.input("y", y.shape);
      model.node("Einsum", {"x", "y"}, "z",
                 [&](auto n) { n.set("equation", std::string_view(a + "," + b + "->" + result)); });
      const std::string bytes = model.finish("z").SerializeAsString();
      const Graph graph = graph::import_onnx(files.write(std::to_string(made++) + ".onnx", bytes));
      const bool linear = std::any_of(graph.nodes.begin(), graph.nodes.end(),
                                      [](const auto& node) { return std::holds_alternative<graph::Linear>(node.op); });
      const bool many = std::any_of(result.begin(), result.end(), [&](char letter) {  // matrices, one for each of these
        return a.find(letter) != a.npos && b.find(letter) != b.npos;
      });
      const bool whole = std::all_of(b.begin(), b.end(), [&](char letter) {  // nothing is summed beforehand
        return a.find(letter) != a.npos || result.find(letter) != result.npos;
      });
      EXPECT_EQ(linear, constant && whole && !many) << a << ',' << b;
      const std::vector<float> sums = run(graph, constant ? std::vector<Values>{x} : std::vector<Values>{x, y}).numbers;
      const std::vector<float> expected = sum_by_letters(a, b, result, used, x, y);
      ASSERT_EQ(sums.size(), expected.size());
      for (std::size_t i = 0; i < sums.size(); ++i)
        EXPECT_NEAR(sums[i], expected[i], 1e-5F) << a << ',' << b << " at " << i;
    }
  }
}

/// A network is cut off before what octavo does not know, from C++ and from C; an external file is one of its files.
TEST(OnnxModels, EndWhereTheCallerSays) {
  const OnnxFiles files;
  OnnxModel model;
  model.input("x", {1, 4});
  model.node("Relu", {"x"}, "middle");
  model.node("CumSum", {"middle"}, "end");
  auto proto = model.finish("end");
  auto& weights = *proto.mutable_graph()->add_initializer();
  weights.set_name("unused");
  weights.set_data_location(1);  // outside
  auto& location = *weights.add_external_data();
  location.set_key("location");
  location.set_value("numbers.bin");
  const std::filesystem::path path = files.write("cut.onnx", proto.SerializeAsString());
  EXPECT_EQ(Model::files_of(path), (std::vector<std::filesystem::path>{path, path.parent_path() / "numbers.bin"}));
  EXPECT_THROW((void)Model::load(path), Error);
  const Model cut = Model::load(path, {.outputs = {"middle"}});
  EXPECT_EQ(cut.output_names(), std::vector<std::string>{"middle"});
  try {
    (void)Model::load(path, {.outputs = {"midle"}});
    ADD_FAILURE() << "a name that is not there";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid_argument);
    EXPECT_THAT(error.hint(), HasSubstr("'middle'"));
  }
  EXPECT_THROW((void)Model::load(path, {.inputs = {"x"}, .outputs = {"middle"}}), Error);
  const char* const names[] = {"middle"};
  octavo_load_options options{};
  options.outputs = names;
  options.output_count = 1;
  octavo_model* opened = nullptr;
  ASSERT_EQ(octavo_model_load_with(path.c_str(), &options, &opened), OCTAVO_OK) << octavo_last_error();
  EXPECT_STREQ(octavo_model_output_name(opened, 0), "middle");
  octavo_model_free(opened);
  options.tensorflow_order = 1;
  EXPECT_EQ(octavo_model_load_with(path.c_str(), &options, &opened), OCTAVO_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace octavo::test
