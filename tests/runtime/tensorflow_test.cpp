// SPDX-License-Identifier: Apache-2.0
// TensorFlow from end to end: what is exported comes back as the same network and computes the same; third-party
// networks load and give TensorFlow's answers.
#include "graph/export/tensorflow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "graph/compiler.h"
#include "graph/import/tensorflow.h"
#include "octavo/octavo.h"
#include "tests/graph/tensorflow_files.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/round_trip.h"
#include "tests/runtime/small_network.h"

namespace octavo::test {
namespace {

using graph::TensorflowFiles;
using testing::HasSubstr;

/// Functions that TensorFlow has no operator for become some arithmetic, which takes more rounds to settle.
void expect_tensorflow_round_trip(const graph::Op& op, const std::vector<Shape>& shapes, float low = -2.0F,
                                  float high = 2.0F, int rounds = 1) {
  const TensorflowFiles files;
  test::expect_round_trip(
      [&](const Graph& graph, const std::string& name) {
        return graph::import_tensorflow(files.write(name, graph::export_tensorflow(graph)));
      },
      op, shapes, low, high, rounds);
}

TEST(TensorflowRoundTrip, LayersWithWeights) {
  const Shape image{2, 4, 9, 8};
  graph::Convolution conv{.out_channels = 6, .groups = 2, .kernel = {3, 2}, .stride = {2, 1}, .dilation = {1, 2}};
  conv.pad_begin = {1, 0};
  conv.pad_end = {0, 2};
  conv.weights = random_blob({6, 2, 3, 2}, 5);
  expect_tensorflow_round_trip(conv, {image});
  conv.bias = random_blob({6}, 6);
  expect_tensorflow_round_trip(conv, {image});
  conv.activation = {.kind = jit::ActivationKind::leaky_relu, .slope = 0.1F};
  expect_tensorflow_round_trip(conv, {image});
  conv.activation = {.kind = jit::ActivationKind::prelu, .slopes = random_blob({6}, 7)};
  expect_tensorflow_round_trip(conv, {image});
  conv.activation = {.kind = jit::ActivationKind::relu6};
  conv.add_residual = true;
  expect_tensorflow_round_trip(conv, {image, {2, 6, 4, 8}});
  graph::Convolution depthwise{
      .out_channels = 8, .groups = 4, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
  depthwise.weights = random_blob({8, 1, 3, 3}, 5);
  expect_tensorflow_round_trip(depthwise, {image});
  for (const graph::Pair end : {graph::Pair{1, 1}, graph::Pair{0, 0}}) {
    graph::Deconvolution up{.out_channels = 6, .kernel = {3, 3}, .stride = {2, 2}, .pad_begin = {1, 1}, .pad_end = end};
    up.weights = random_blob({4, 6, 3, 3}, 8);
    up.bias = random_blob({6}, 9);
    expect_tensorflow_round_trip(up, {image});
  }
  for (const std::int64_t axis : {1, 2, -1}) {
    graph::Linear linear{.out_features = 5, .axis = axis};
    linear.weights = random_blob({5, axis == 1 ? 288 : axis == 2 ? 72 : 8}, 10);
    linear.bias = random_blob({5}, 11);
    expect_tensorflow_round_trip(linear, {image});
  }
  expect_tensorflow_round_trip(graph::Embed{random_blob({7, 3}, 12), random_blob({3}, 13)}, {{2, 4}}, 0.0F, 6.9F);
}

TEST(TensorflowRoundTrip, PoolsAndNormalization) {
  const Shape image{2, 5, 9, 8};
  for (const auto kind : {graph::PoolKind::max, graph::PoolKind::average}) {
    expect_tensorflow_round_trip(graph::Pool{.kind = kind, .global = true}, {image});
    graph::Pool pool{.kind = kind, .kernel = {3, 3}, .stride = {2, 2}};
    expect_tensorflow_round_trip(pool, {image});
    pool.pad_begin = {1, 0};
    pool.pad_end = {1, 1};
    pool.include_padding = false;
    expect_tensorflow_round_trip(pool, {image});  // what SAME says
  }
  graph::Pool ceiled{.kernel = {3, 2}, .stride = {2, 2}, .pad_begin = {1, 0}, .pad_end = {0, 1}, .ceil_mode = true};
  expect_tensorflow_round_trip(ceiled, {image});
  expect_tensorflow_round_trip(graph::Lrn{.size = 3, .alpha = 0.3F, .beta = 0.6F, .k = 1.5F}, {image});
  for (const bool across : {false, true}) {
    expect_tensorflow_round_trip(graph::Normalize{across, 1e-3F, random_blob({across ? 1 : 5}, 8)}, {image});
  }
  expect_tensorflow_round_trip(graph::BatchNorm{random_blob({5}, 1), random_blob({5}, 2, 0.5F, 2.0F), 1e-3F}, {image});
  expect_tensorflow_round_trip(graph::BatchNorm{random_blob({5}, 1), random_blob({5}, 2, 0.5F, 2.0F), 1e-3F},
                               {{2, 5, 7}});
  expect_tensorflow_round_trip(graph::PRelu{random_blob({5}, 3)}, {image});
  for (const std::int64_t axis : {1, 2, 3}) expect_tensorflow_round_trip(graph::Softmax{axis}, {image});
  expect_tensorflow_round_trip(graph::LayerNorm{-1, true, 1e-4F, random_blob({8}, 4), random_blob({8}, 5)}, {image});
  expect_tensorflow_round_trip(graph::LayerNorm{-2, false, 1e-4F, random_blob({72}, 4), nullptr}, {image});
  for (const std::int64_t axis : {1, 2, -1}) {
    const Shape part{image[static_cast<std::size_t>(axis < 0 ? axis + 4 : axis)]};
    expect_tensorflow_round_trip(
        graph::Scale{.axis = axis, .factor = random_blob(part, 6), .offset = random_blob(part, 7)}, {image});
  }
}

TEST(TensorflowRoundTrip, Functions) {
  using graph::UnaryKind;
  for (int kind = 0; kind <= static_cast<int>(UnaryKind::atanh); ++kind) {
    const graph::Unary op{static_cast<UnaryKind>(kind), 1.0F, 1.5F, 1.25F};
    const bool unsaid = op.kind == UnaryKind::gelu_tanh || op.kind == UnaryKind::celu || op.kind == UnaryKind::shrink ||
                        op.kind == UnaryKind::thresholded_relu || op.kind == UnaryKind::selu;
    if (unsaid) continue;
    expect_tensorflow_round_trip(op, {{2, 3, 4, 5}}, 1.01F, 2.0F, 3);
    expect_tensorflow_round_trip(op, {{7}}, 0.0F, 0.5F, 3);
  }
  for (int kind = 0; kind <= static_cast<int>(graph::BinaryKind::logical_xor); ++kind) {
    expect_tensorflow_round_trip(graph::Binary{static_cast<graph::BinaryKind>(kind)}, {{2, 3, 4}, {3, 1}}, 0.1F, 4.0F,
                                 kind >= static_cast<int>(graph::BinaryKind::logical_and) ? 0 : 3);
  }
  expect_tensorflow_round_trip(graph::Select{}, {{3, 1}, {3, 4}, {4}}, -2.0F, 2.0F, 0);
  for (const auto kind : {graph::EltwiseKind::sum, graph::EltwiseKind::product, graph::EltwiseKind::max}) {
    graph::Eltwise op;
    op.kind = kind;
    expect_tensorflow_round_trip(op, {{2, 3}, {2, 3}});
    expect_tensorflow_round_trip(op, {{2, 3}, {2, 3}, {2, 3}});
    op.activation.kind = jit::ActivationKind::relu;
    expect_tensorflow_round_trip(op, {{2, 3}, {2, 3}});
  }
  graph::Eltwise weighted;
  weighted.coefficients = {1.0F, -0.5F};
  expect_tensorflow_round_trip(weighted, {{2, 3}, {2, 3}});
  for (int kind = 0; kind <= static_cast<int>(graph::ReductionKind::log_sum_exp); ++kind) {
    for (const std::int64_t axis : {0, 1, 2}) {
      expect_tensorflow_round_trip(
          graph::Reduction{static_cast<graph::ReductionKind>(kind), axis, axis == 1 ? 0.5F : 1.0F}, {{2, 3, 4, 5}},
          -2.0F, 2.0F, 3);
    }
  }
  expect_tensorflow_round_trip(graph::ArgMax{.has_axis = true, .first = true, .axis = 1}, {{2, 7, 3}}, -2.0F, 2.0F, 0);
  for (const bool values : {false, true}) {
    expect_tensorflow_round_trip(
        graph::ArgMax{.has_axis = true, .out_max_value = values, .first = true, .axis = -1, .top_k = 3}, {{2, 7}});
  }
  expect_tensorflow_round_trip(graph::MatMul{}, {{2, 3, 4}, {2, 4, 5}});
}

TEST(TensorflowRoundTrip, Movements) {
  const Shape image{2, 3, 4, 5};
  expect_tensorflow_round_trip(graph::Concat{.axis = 2}, {image, {2, 3, 2, 5}});
  expect_tensorflow_round_trip(graph::Flatten{.axis = 1, .end_axis = -1}, {image});
  expect_tensorflow_round_trip(graph::Flatten{.axis = 1, .end_axis = 2}, {image});
  expect_tensorflow_round_trip(graph::Reshape{.dims = {0, -1, 10}}, {image});
  expect_tensorflow_round_trip(graph::Reshape{.dims = {12}, .axis = 1, .num_axes = 2}, {image});
  expect_tensorflow_round_trip(graph::Permute{.order = {0, 2}}, {image});
  expect_tensorflow_round_trip(graph::Crop{.axis = 2, .offsets = {1, 2}}, {image, {1, 1, 2, 3}});
  expect_tensorflow_round_trip(graph::Tile{.axis = 1, .tiles = 3}, {image});
  expect_tensorflow_round_trip(graph::Gather{.axis = 2}, {image, {3, 2}}, 0.0F, 1.9F);
  expect_tensorflow_round_trip(graph::StridedSlice{{1, 3}, {0, -1}, {2, -100}, {1, -2}}, {image});
  for (const auto kind : {graph::PadKind::constant, graph::PadKind::reflect}) {
    expect_tensorflow_round_trip(graph::Pad{kind, {0, 1, 0, 2}, {0, 0, 3, 1}, 0.5F}, {image});
  }
  for (const auto coordinates : {graph::ResizeCoordinates::half_pixel, graph::ResizeCoordinates::align_corners}) {
    expect_tensorflow_round_trip(graph::Resize{.kind = graph::ResizeKind::linear,
                                               .coordinates = coordinates,
                                               .rounding = graph::ResizeRounding::prefer_ceil,
                                               .axes = {2, 3},
                                               .sizes = {7, 9}},
                                 {image});
  }
  expect_tensorflow_round_trip(graph::Resize{.kind = graph::ResizeKind::nearest,
                                             .coordinates = graph::ResizeCoordinates::asymmetric,
                                             .rounding = graph::ResizeRounding::floor,
                                             .axes = {2, 3},
                                             .scales = {2.0F, 3.0F}},
                               {image});
}

/// A network of many kinds keeps its inputs' and outputs' names and order.
TEST(TensorflowRoundTrip, ANetworkComesBackAsItself) {
  SmallNetwork network;
  const ValueId x = network.input("data", {1, 3, 12, 12});
  graph::Convolution conv{.out_channels = 8, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
  conv.weights = random_blob({8, 3, 3, 3}, 1);
  conv.bias = random_blob({8}, 2);
  const ValueId a = network.add("conv", conv, {x});
  const ValueId r = network.add("relu", graph::Unary{.kind = graph::UnaryKind::relu}, {a});
  const ValueId p = network.add("pool", graph::Pool{.kernel = {2, 2}, .stride = {2, 2}}, {r});
  const ValueId c = network.add("join", graph::Concat{.axis = 1}, {p, p});
  graph::Linear linear{.out_features = 10};
  linear.weights = random_blob({10, 576}, 3);
  linear.bias = random_blob({10}, 4);
  const ValueId l = network.add("fc", linear, {c});
  const Graph original = network.finish({network.add("prob", graph::Softmax{1}, {l}), c});
  const TensorflowFiles files;
  const Graph back = graph::import_tensorflow(files.write("net", graph::export_tensorflow(original)));
  EXPECT_EQ(structure(graph::canonicalize(back)), structure(graph::canonicalize(original)));
  EXPECT_EQ(back.values[back.outputs.at(0)].name, "prob");
}

TEST(TensorflowExport, NamesTheFirstLayerThatTensorflowCannotSay) {
  const Values image = random_values({1, 2, 4, 4}, 1);
  const std::pair<Graph, const char*> cases[] = {
      {graph_of(graph::Lrn{.across_channels = false}, {image}, Arrival::as_given), "layer 'y' (Lrn)"},
      {graph_of(graph::PriorBox{.min_sizes = {2}}, {image, image}, Arrival::as_given), "layer 'y' (PriorBox)"},
      {graph_of(graph::Linear{.out_features = 3, .axis = 0, .weights = random_blob({3, 32}, 2)}, {image},
                Arrival::as_given),
       "layer 'y' (Linear)"},
  };
  for (const auto& [graph, place] : cases) {
    try {
      (void)graph::export_tensorflow(graph);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::unsupported);
      EXPECT_THAT(error.what(), HasSubstr(place));
    }
  }
}

/// Whole numbers by a rule, over `divisor`.
std::vector<float> by_rule(int count, int step, int modulus, float divisor) {
  std::vector<float> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(static_cast<float>(i * step % modulus - modulus / 2) / divisor);
  return numbers;
}

/// A graph as TensorFlow's quantize_nodes writes it; TensorFlow 2.21 computes the same, bit for bit.
TEST(TensorflowQuantized, AGraphInEightBitsGivesTensorflowsAnswers) {
  graph::TensorflowModel model;
  const auto& none = [](graph::TensorflowNodeWriter) {};
  using Outputs = std::vector<std::string>;
  /// Integers and the ends of their range.
  const auto triple = [&](const std::string& type, std::vector<std::string> inputs, const std::string& name,
                          const graph::TensorflowModel::Attributes& attributes) {
    model.node(type, inputs, name, attributes);
    return Outputs{name, name + ":1", name + ":2"};
  };
  const std::string all = model.integers("all", {0, 1, 2, 3}), first = model.integers("first", {0}),
                    both = model.integers("both", {0, 1});
  const auto quantized = [&](const std::string& x, const std::string& axes) {
    return triple("QuantizeV2",
                  {x, model.node("Min", {x, axes}, x + "/low"), model.node("Max", {x, axes}, x + "/high")}, x + "/q",
                  [](auto n) { n.set("mode", std::string_view("MIN_FIRST")).set("T", graph::tensorflow::DT_QUINT8); });
  };
  const auto of_two = [&](const std::string& type, const Outputs& a, const Outputs& b, const std::string& name,
                          const graph::TensorflowModel::Attributes& attributes) {
    return triple(type, {a[0], b[0], a[1], a[2], b[1], b[2]}, name, attributes);
  };
  const Outputs x = quantized(model.input("x", {1, 4, 4, 2}), all);
  const Outputs w = quantized(model.floats("w", {3, 3, 2, 3}, by_rule(54, 29, 31, 20)), all);
  const Outputs bias = quantized(model.floats("bias", {3}, by_rule(3, 5, 7, 2)), first);
  const Outputs matrix = quantized(model.floats("matrix", {12, 2}, by_rule(24, 17, 19, 8)), both);
  const Outputs sums = of_two("QuantizedConv2D", x, w, "sums", graph::TensorflowModel::window("SAME"));
  model.node("RequantizationRange", sums, "ends");
  Outputs y = triple("Requantize", {sums[0], sums[1], sums[2], "ends", "ends:1"}, "narrow", none);
  y = of_two("QuantizedBiasAdd", y, bias, "biased", none);
  y = triple("QuantizeDownAndShrinkRange", y, "shrunk", none);
  y = triple("QuantizedRelu", y, "relu", none);
  y = triple("QuantizedMaxPool", y, "pool", [](auto n) {
    n.set("ksize", std::vector<std::int64_t>{1, 2, 2, 1});
    graph::TensorflowModel::window("VALID", {1, 2, 2, 1})(n);
  });
  y = triple("QuantizedReshape", {y[0], model.integers("flat", {1, 12}), y[1], y[2]}, "features", none);
  y = of_two("QuantizedMatMul", y, matrix, "product", none);
  y = triple("QuantizeDownAndShrinkRange", y, "answer", none);
  model.node("Dequantize", y, "real", [](auto n) { n.set("mode", std::string_view("MIN_FIRST")); });
  graph::TensorflowImportOptions options;
  options.channels_first = false;
  const Graph graph = TensorflowFiles().import(model.finish(), options);
  EXPECT_EQ(run(graph, {{{1, 4, 4, 2}, by_rule(32, 37, 23, 4)}}).numbers,
            (std::vector<float>{4.360439777374268F, 5.397631645202637F}));
}

/// All integers of a range of 2 joined to one of 4: every other real number lies just between two integers of the
/// result, and goes where TensorFlow's roundings, one by one in fp32, take it.
TEST(TensorflowQuantized, ConcatMovesIntegersBetweenRangesAsTensorflowRounds) {
  std::vector<float> x, expected;
  const float step = 2.0F / 255.0F, low = std::round(-1.0F / step) * step, inverse = 255.0F / 4.0F;
  for (int k = 0; k < 256; ++k) {
    x.push_back(static_cast<float>(k - 128) / 127.5F);
    const volatile float above = static_cast<float>(k) * step;  // rounded by itself
    const volatile float real = low + above;
    expected.push_back(std::clamp(std::round(real * inverse) - std::round(-2.0F * inverse), 0.0F, 255.0F));
  }
  expected.push_back(128.0F);  // the other part, whose range stays
  for (const bool known : {true, false}) {
    graph::TensorflowModel model;
    const auto end = [&](const std::string& name, float value) {
      return known ? model.floats(name, {1}, {value}) : model.input(name, {1});
    };
    const auto quantized = [&](const std::string& name, std::int64_t size, float least, float most) {
      model.node("QuantizeV2", {model.input(name, {size}), end(name + "/low", least), end(name + "/high", most)},
                 name + "/q",
                 [](auto n) { n.set("mode", std::string_view("MIN_FIRST")).set("T", graph::tensorflow::DT_QUINT8); });
      return name + "/q";
    };
    const std::string a = quantized("a", 256, -1.0F, 1.0F), b = quantized("b", 1, -2.0F, 2.0F);
    model.node("QuantizedConcat", {model.integer("axis", 0), a, b, a + ":1", b + ":1", a + ":2", b + ":2"}, "joined");
    std::vector<test::Values> inputs{{{256}, x}};
    if (!known) inputs.insert(inputs.end(), {{{1}, {-1.0F}}, {{1}, {1.0F}}});
    inputs.push_back({{1}, {0.0F}});
    if (!known) inputs.insert(inputs.end(), {{{1}, {-2.0F}}, {{1}, {2.0F}}});
    EXPECT_EQ(run(TensorflowFiles().import(model.finish(), {}), inputs).numbers, expected) << known;
  }
}

/// Five boxes: the second lies in the first, the third in the fourth, and the fifth is hardly one.
std::vector<float> five_boxes() { return {0, 0, 1, 1, 0, 0, 1, 0.9F, 2, 2, 3, 3, 2, 2, 3, 3.5F, 5, 5, 6, 6}; }
const std::vector<float> kFiveScores{0.9F, 0.8F, 0.7F, 0.95F, 0.1F};

/// What a network of one node (and what follows from it) makes of boxes and scores, its output being `output`.
std::vector<float> found_in(graph::TensorflowModel& model, const std::string& output,
                            const std::vector<Values>& inputs) {
  graph::TensorflowImportOptions options;
  options.outputs = {output};
  options.channels_first = false;
  return run(TensorflowFiles().import(model.finish(), options), inputs).numbers;
}

TEST(TensorflowDetection, SuppressionKeepsTheBestBoxesInTheirOrder) {
  const std::vector<Values> inputs{{{5, 4}, five_boxes()}, {{5}, kFiveScores}};
  const auto answer = [&](bool padded, const std::string& output) {
    graph::TensorflowModel model;
    const std::string boxes = model.input("boxes", {5, 4}), scores = model.input("scores", {5});
    model.node("NonMaxSuppressionV5",
               {boxes, scores, model.integer("most", 6), model.floats("overlap", {}, {0.5F}),
                model.floats("least", {}, {0.2F}), model.floats("weakening", {}, {0.0F})},
               "kept", [&](auto n) { n.set("pad_to_max_output_size", padded); });
    model.node("GatherV2", {boxes, "kept", model.integer("axis", 0)}, "rows");
    model.node("Mul", {"rows", model.floats("two", {}, {2.0F})}, "larger");
    model.node("Reshape", {"larger", model.integers("pairs", {-1, 2, 2})}, "corners");
    model.node("Mean", {"rows", model.integers("first", {0})}, "mean");
    return found_in(model, output, inputs);
  };
  using Numbers = std::vector<float>;
  EXPECT_EQ(answer(true, "kept"), (Numbers{3, 0, 0, 0, 0, 0}));
  EXPECT_EQ(answer(true, "kept:1"), (Numbers{0.95F, 0.9F, 0, 0, 0, 0}));
  // Without padding there is room for as many as there are boxes; the rest is -1.
  EXPECT_EQ(answer(false, "kept"), (Numbers{3, 0, -1, -1, -1}));
  EXPECT_EQ(answer(false, "kept:1"), (Numbers{0.95F, 0.9F, -1, -1, -1}));
  EXPECT_EQ(answer(false, "kept:2"), (Numbers{2}));
  Numbers corners{4, 4, 6, 7, 0, 0, 2, 2};
  corners.resize(20, -1.0F);
  EXPECT_EQ(answer(false, "corners"), corners);
  expect_error(ErrorKind::unsupported, "only a run tells", [&] { (void)answer(false, "mean"); });
}

TEST(TensorflowDetection, CombinedSuppressionRanksTheBoxesOfAllClasses) {
  std::vector<float> scores;  // of the second class, the second box and the last
  for (std::size_t i = 0; i < 5; ++i) {
    scores.push_back(kFiveScores[i]);
    scores.push_back(i == 1 ? 0.99F : i == 4 ? 0.3F : 0.0F);
  }
  const std::vector<Values> inputs{{{1, 5, 1, 4}, five_boxes()}, {{1, 5, 2}, scores}};
  const auto answer = [&](std::int64_t total, const std::string& output) {
    graph::TensorflowModel model;
    model.node("CombinedNonMaxSuppression",
               {model.input("boxes", {1, 5, 1, 4}), model.input("scores", {1, 5, 2}), model.integer("most", 2),
                model.integer("total", total), model.floats("overlap", {}, {0.5F}), model.floats("least", {}, {0.2F})},
               "found", [](auto n) { n.set("clip_boxes", false); });
    return found_in(model, output, inputs);
  };
  using Numbers = std::vector<float>;
  EXPECT_EQ(answer(3, "found"), (Numbers{0, 0, 1, 0.9F, 2, 2, 3, 3.5F, 0, 0, 1, 1}));
  EXPECT_EQ(answer(3, "found:2"), (Numbers{1, 0, 0}));
  EXPECT_EQ(answer(6, "found:1"), (Numbers{0.99F, 0.95F, 0.9F, 0.3F, 0, 0}));
  EXPECT_EQ(answer(6, "found:3"), (Numbers{4}));
}

TEST(TensorflowDetection, CropsAreTakenBetweenPixels) {
  const Values x = random_values({2, 6, 5, 3}, 3), boxes = random_values({4, 4}, 4, -0.3F, 1.3F);
  const std::vector<std::int64_t> pictures{0, 1, 1, 0};
  for (const std::vector<std::int64_t>& size : {std::vector<std::int64_t>{4, 3}, std::vector<std::int64_t>{1, 7}}) {
    graph::TensorflowModel model;
    model.node("CropAndResize",
               {model.input("x", {2, 6, 5, 3}), model.input("boxes", {4, 4}), model.integers("pictures", pictures),
                model.integers("size", size)},
               "crops", [](auto n) { n.set("extrapolation_value", 0.5F); });
    Values expected{{4, size[0], size[1], 3}, {}};
    const auto place = [&](std::size_t box, std::size_t side, std::int64_t i) {
      const float low = boxes.numbers[4 * box + side], high = boxes.numbers[4 * box + 2 + side];
      const auto last = static_cast<float>(x.shape[1 + side] - 1);
      if (size[side] == 1) return 0.5F * (low + high) * last;
      return low * last + static_cast<float>(i) * (high - low) * last / static_cast<float>(size[side] - 1);
    };
    for (std::size_t box = 0; box < 4; ++box) {
      for (std::int64_t i = 0; i < size[0] * size[1]; ++i) {
        const float row = place(box, 0, i / size[1]), column = place(box, 1, i % size[1]);
        const bool inside = row >= 0 && row <= 5 && column >= 0 && column <= 4;
        for (std::int64_t c = 0; c < 3; ++c) {
          float sum = inside ? 0.0F : 0.5F;
          for (std::int64_t h = 0; inside && h < 6; ++h) {
            for (std::int64_t w = 0; w < 5; ++w) {
              const float near = std::max(1 - std::fabs(row - static_cast<float>(h)), 0.0F) *
                                 std::max(1 - std::fabs(column - static_cast<float>(w)), 0.0F);
              sum += near * x.numbers[static_cast<std::size_t>(((pictures[box] * 6 + h) * 5 + w) * 3 + c)];
            }
          }
          expected.numbers.push_back(sum);
        }
      }
    }
    const std::vector<float> numbers = found_in(model, "crops", {x, boxes});
    expect_near({expected.shape, numbers}, expected, 1e-5F, "crops");
  }
}

TEST(TensorflowDetection, PlacesThatAreFoundArePicked) {
  const std::vector<Values> inputs{{{2, 3}, {1, 0, 2, 0, 3, 0}}};
  const auto answer = [&](const std::string& output) {
    graph::TensorflowModel model;
    model.node("Where", {model.input("x", {2, 3})}, "places");
    model.node("GatherNd", {"x", "places"}, "numbers");
    model.node("GatherNd", {"x", model.pairs("two", {1, 1, 0, 2})}, "known");
    return found_in(model, output, inputs);
  };
  using Numbers = std::vector<float>;
  EXPECT_EQ(answer("places"), (Numbers{0, 0, 0, 2, 1, 1, -1, -1, -1, -1, -1, -1}));
  EXPECT_EQ(answer("numbers"), (Numbers{1, 2, 3, -1, -1, -1}));
  EXPECT_EQ(answer("known"), (Numbers{3, 2}));
}

}  // namespace
}  // namespace octavo::test
