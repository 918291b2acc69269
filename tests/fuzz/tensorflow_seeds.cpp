// SPDX-License-Identifier: Apache-2.0
// Writes the seeds of the TensorFlow fuzzer into a folder: a small graph for each operator, in binary and in text, and
// SavedModels of both ways to restore variables.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "graph/export/tensorflow_writer.h"
#include "tests/fuzz/next_file.h"
#include "tests/graph/tensorflow_saved_models.h"

namespace {

using octavo::graph::TensorflowNodeWriter;
using octavo::graph::TensorflowWriter;
namespace tensorflow = octavo::graph::tensorflow;

constexpr const char* kOperators[] = {"Abs",
                                      "AddN",
                                      "AddV2",
                                      "All",
                                      "ArgMax",
                                      "AvgPool",
                                      "BatchMatMul",
                                      "BiasAdd",
                                      "BroadcastTo",
                                      "Cast",
                                      "ClipByValue",
                                      "ConcatV2",
                                      "Conv2D",
                                      "Cumsum",
                                      "CombinedNonMaxSuppression",
                                      "CropAndResize",
                                      "DepthToSpace",
                                      "Dequantize",
                                      "Einsum",
                                      "ExpandDims",
                                      "FakeQuantWithMinMaxArgs",
                                      "Fill",
                                      "FloorDiv",
                                      "FusedBatchNorm",
                                      "GatherNd",
                                      "GatherV2",
                                      "LRN",
                                      "LeakyRelu",
                                      "LinSpace",
                                      "ListDiff",
                                      "LogSoftmax",
                                      "MatMul",
                                      "MaxPool",
                                      "Mean",
                                      "Merge",
                                      "MirrorPad",
                                      "Mul",
                                      "NonMaxSuppressionV3",
                                      "NonMaxSuppressionV5",
                                      "OneHot",
                                      "Pack",
                                      "Pad",
                                      "PadV2",
                                      "Range",
                                      "Reshape",
                                      "ResizeBilinear",
                                      "ReverseV2",
                                      "Select",
                                      "Shape",
                                      "Slice",
                                      "Softmax",
                                      "SpaceToBatchND",
                                      "SpaceToDepth",
                                      "Split",
                                      "SplitV",
                                      "Squeeze",
                                      "StridedSlice",
                                      "Sum",
                                      "Switch",
                                      "Tile",
                                      "TopKV2",
                                      "Transpose",
                                      "Unpack",
                                      "Where",
                                      "BatchToSpaceND",
                                      "DepthwiseConv2dNative",
                                      "Conv2DBackpropInput"};

constexpr const char* kOfIntegers[] = {"Dequantize",         "QuantizeDownAndShrinkRange",
                                       "QuantizedAvgPool",   "QuantizedBiasAdd",
                                       "QuantizedConcat",    "QuantizedConv2D",
                                       "QuantizedMatMul",    "QuantizedMaxPool",
                                       "QuantizedRelu",      "QuantizedRelu6",
                                       "QuantizedReshape",   "Requantize",
                                       "RequantizationRange"};

/// An operator on integers and the ends of their ranges.
std::string of_integers(const std::string& type) {
  TensorflowWriter writer({});
  writer.node("Placeholder", "x", {}).set("dtype", tensorflow::DT_FLOAT).set_shape("shape", {1, 4, 4, 2});
  const std::string low = writer.floats("low", {}, std::vector<float>{-1.0F}),
                    high = writer.floats("high", {}, std::vector<float>{1.0F});
  const std::string weights = writer.floats("w", {2, 2, 2, 2}, std::vector<float>(16, 0.5F));
  const std::string list = writer.integers("list", {1, 2, 2, 8}), number = writer.integer("number", 3);
  for (const auto& [name, input] : {std::pair<std::string, std::string>{"q", "x"}, {"v", weights}}) {
    writer.node("QuantizeV2", name, {input, low, high})
        .set("T", tensorflow::DT_QUINT8)
        .set("mode", std::string_view("MIN_FIRST"));
  }
  const std::vector<std::vector<std::string>> choices{{"q", "q:1", "q:2"},
                                                      {"q", "v", "q:1", "q:2", "v:1", "v:2"},
                                                      {"q", list, "q:1", "q:2"},
                                                      {"q", "q:1", "q:2", low, high},
                                                      {number, "q", "q", "q:1", low, "q:2", high}};
  for (std::size_t i = 0; i < choices.size(); ++i) {
    writer.node(type, "y" + std::to_string(i), choices[i])
        .set("T", tensorflow::DT_QUINT8)
        .set("Tinput", tensorflow::DT_QUINT8)
        .set("Tfilter", tensorflow::DT_QUINT8)
        .set("out_type", tensorflow::DT_QINT32)
        .set("padding", std::string_view("SAME"))
        .set("strides", std::vector<std::int64_t>{1, 1, 1, 1})
        .set("ksize", std::vector<std::int64_t>{1, 2, 2, 1})
        .set("N", std::int64_t{2});
  }
  return writer.finish();
}

std::string graph_of(const std::string& type, bool text) {
  TensorflowWriter writer({});
  writer.node("Placeholder", "x", {}).set("dtype", tensorflow::DT_FLOAT).set_shape("shape", {1, 4, 4, 2});
  const std::string weights = writer.floats("w", {2, 2, 2, 2}, std::vector<float>(16, 0.5F));
  const std::string list = writer.integers("list", {1, 2, 2, 1}), pairs = writer.pairs("pairs", {0, 1, 1, 0});
  const std::string number = writer.integer("number", 1);
  const std::vector<std::vector<std::string>> choices{{"x"},
                                                      {"x", weights},
                                                      {"x", number},
                                                      {"x", list},
                                                      {"x", list, list},
                                                      {"x", list, pairs},
                                                      {"x", "x", number},
                                                      {list, weights, "x"},
                                                      {number, "x"},
                                                      {weights, number, number}};
  for (std::size_t i = 0; i < choices.size(); ++i) {
    TensorflowNodeWriter node = writer.node(type, "y" + std::to_string(i), choices[i]);
    node.set("T", tensorflow::DT_FLOAT)
        .set("padding", std::string_view("SAME"))
        .set("strides", std::vector<std::int64_t>{1, 1, 1, 1})
        .set("ksize", std::vector<std::int64_t>{1, 2, 2, 1})
        .set("block_size", std::int64_t{2})
        .set("num_split", std::int64_t{2});
  }
  const std::string binary = writer.finish();
  if (!text) return binary;
  tensorflow::GraphDef graph;
  graph.ParseFromString(binary);
  return graph.DebugString();
}

/// Boxes that are suppressed, cropped and picked.
std::string detector() {
  TensorflowWriter writer({});
  writer.node("Placeholder", "x", {}).set("dtype", tensorflow::DT_FLOAT).set_shape("shape", {1, 4, 4, 2});
  writer.node("Placeholder", "boxes", {}).set("dtype", tensorflow::DT_FLOAT).set_shape("shape", {4, 4});
  writer.node("Placeholder", "scores", {}).set("dtype", tensorflow::DT_FLOAT).set_shape("shape", {4});
  const std::string most = writer.integer("most", 3), low = writer.floats("low", {}, std::vector<float>{0.5F});
  const std::string none = writer.floats("none", {}, std::vector<float>{0.0F}), size = writer.integers("size", {2, 3});
  writer.node("NonMaxSuppressionV5", "kept", {"boxes", "scores", most, low, low, none});
  writer.node("GatherV2", "rows", {"boxes", "kept", writer.integer("axis", 0)});
  writer.node("Where", "places", {"scores"});
  writer.node("GatherNd", "found", std::vector<std::string>{"scores", "places"});
  writer.node("AddV2", "more", {"found", low});
  writer.node("CropAndResize", "crops", {"x", "boxes", writer.integers("pictures", {0, 0, 0, 0}), size});
  writer.node("Reshape", "each", {"boxes", writer.integers("four", {1, 4, 1, 4})});
  writer.node("Reshape", "classes", {"scores", writer.integers("three", {1, 4, 1})});
  writer.node("CombinedNonMaxSuppression", "all", {"each", "classes", most, most, low, low});
  return writer.finish();
}

std::string file_at(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_saved_model(const std::filesystem::path& folder, bool snappy) {
  octavo::graph::TensorflowSavedModel model({"w"});
  model.handle("w");
  if (snappy) {
    model.restored_by_nodes("save", {{"w", "key"}});
  } else {
    model.restored_by_function({{"w", "key"}});
  }
  const auto saved = model.save({{"key", "w", 2, 2, {1, 2, 3, 4}}}, snappy);
  const std::string index = file_at(saved / "variables/variables.index"), next(octavo::fuzz::kNextFile);
  const std::string name = snappy ? "snappy" : "plain";
  std::ofstream(folder / ("saved_" + name), std::ios::binary)
      << 'S' << file_at(saved / "saved_model.pb") << next << index << next
      << file_at(saved / "variables/variables.data-00000-of-00001");
  std::ofstream(folder / ("table_" + name), std::ios::binary) << 'T' << index;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  for (const char* type : kOperators) {
    std::ofstream(folder / type, std::ios::binary) << graph_of(type, false);
  }
  for (const std::string type : kOfIntegers) {
    std::ofstream(folder / ("of_integers_" + type), std::ios::binary) << of_integers(type);
  }
  std::ofstream(folder / "detector", std::ios::binary) << detector();
  std::ofstream(folder / "text", std::ios::binary) << graph_of("Conv2D", true);
  for (const bool snappy : {false, true}) write_saved_model(folder, snappy);
  return 0;
}
