// SPDX-License-Identifier: Apache-2.0
// Writes the seeds of the ONNX fuzzer into a folder: a small model for each operator, and one that folds shapes.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "graph/export/onnx_writer.h"

namespace {

using octavo::graph::OnnxWriter;
using octavo::graph::Shape;

constexpr const char* kOperators[] = {"Abs",
                                      "Add",
                                      "ArgMax",
                                      "Attention",
                                      "AveragePool",
                                      "BatchNormalization",
                                      "Cast",
                                      "CenterCropPad",
                                      "Clip",
                                      "Compress",
                                      "Concat",
                                      "Conv",
                                      "ConvInteger",
                                      "ConvTranspose",
                                      "DepthToSpace",
                                      "DequantizeLinear",
                                      "Div",
                                      "Dropout",
                                      "DynamicQuantizeLinear",
                                      "Einsum",
                                      "Equal",
                                      "Expand",
                                      "EyeLike",
                                      "Flatten",
                                      "Gather",
                                      "GatherElements",
                                      "GatherND",
                                      "Gelu",
                                      "Gemm",
                                      "GlobalAveragePool",
                                      "GlobalLpPool",
                                      "GroupNormalization",
                                      "Hardmax",
                                      "InstanceNormalization",
                                      "LRN",
                                      "LayerNormalization",
                                      "LogSoftmax",
                                      "LpNormalization",
                                      "LpPool",
                                      "MatMul",
                                      "MatMulInteger",
                                      "Max",
                                      "MaxPool",
                                      "MaxRoiPool",
                                      "Mean",
                                      "MeanVarianceNormalization",
                                      "Mod",
                                      "NonMaxSuppression",
                                      "NonZero",
                                      "OneHot",
                                      "PRelu",
                                      "Pad",
                                      "Pow",
                                      "QLinearAveragePool",
                                      "QLinearConv",
                                      "QLinearMatMul",
                                      "QLinearSoftmax",
                                      "QuantizeLinear",
                                      "RMSNormalization",
                                      "ReduceL2",
                                      "ReduceLogSumExp",
                                      "ReduceMax",
                                      "ReduceMean",
                                      "Relu",
                                      "Reshape",
                                      "Resize",
                                      "RoiAlign",
                                      "ScatterElements",
                                      "ScatterND",
                                      "Slice",
                                      "Softmax",
                                      "SpaceToDepth",
                                      "Split",
                                      "Squeeze",
                                      "Sum",
                                      "SwiGLU",
                                      "Tile",
                                      "TopK",
                                      "Transpose",
                                      "Trilu",
                                      "Unsqueeze",
                                      "Upsample",
                                      "Where"};

constexpr const char* kOfOpenValues[] = {
    "ArgMax",  "Concat",  "ConstantOfShape", "Expand",    "Flatten",   "Gather",   "GatherND",        "Gemm",  "MatMul",
    "NonZero", "Pad",     "Range",           "ReduceMax", "Reshape",   "RoiAlign", "ScatterElements", "Shape", "Size",
    "Slice",   "Softmax", "Split",           "TopK",      "Transpose", "Unsqueeze"};

std::string floats(OnnxWriter& writer, const std::string& name, const Shape& shape) {
  std::size_t count = 1;
  for (const std::int64_t dim : shape) count *= static_cast<std::size_t>(dim);
  return writer.floats(name, shape, std::vector<float>(count, 0.5F));
}

/// One node of the operator on an image, with operands and attributes that most operators can do something with.
std::string seed(const std::string& type) {
  OnnxWriter writer({});
  writer.input("x", {1, 4, 4, 4});
  std::vector<std::string> inputs{"x"};
  if (type.find("Conv") != std::string::npos) inputs.push_back(floats(writer, "w", {4, 4, 3, 3}));
  if (type == "Reshape" || type == "Expand" || type == "Tile" || type == "Slice" || type == "Pad") {
    inputs.push_back(writer.integers("i", {1, 4, 4, 4}));
    inputs.push_back(writer.integers("j", {1, 4, 4, 4}));
  } else {
    for (const char* name : {"a", "b", "c", "d"}) inputs.push_back(floats(writer, name, {4}));
  }
  writer.node(type, type, inputs, {"y"})
      .set("kernel_shape", std::vector<std::int64_t>{2, 2})
      .set("strides", std::vector<std::int64_t>{2, 2})
      .set("pads", std::vector<std::int64_t>{1, 0, 1, 0})
      .set("axes", std::vector<std::int64_t>{1})
      .set("perm", std::vector<std::int64_t>{0, 2, 3, 1})
      .set("axis", std::int64_t{1})
      .set("to", std::int64_t{7})
      .set("blocksize", std::int64_t{2})
      .set("num_groups", std::int64_t{2})
      .set("mode", "linear")
      .set("epsilon", 1e-5F);
  writer.output("y", {});
  return writer.finish("seed");
}

std::string folding() {
  OnnxWriter writer({});
  writer.input("x", {2, 4, 4, 4});
  writer.node("Shape", "s", {"x"}, {"s"});
  writer.node("Gather", "g", {"s", writer.integers("zero", {0})}, {"g"}).set("axis", std::int64_t{0});
  writer.node("Mul", "m", {"g", writer.integers("two", {2})}, {"m"});
  writer.node("Concat", "c", {"m", writer.integers("rest", {-1})}, {"c"}).set("axis", std::int64_t{0});
  writer.node("Reshape", "y", {"x", "c"}, {"y"});
  writer.output("y", {});
  return writer.finish("folding");
}

/// One node of the operator on as many boxes as suppression leaves.
std::string open(const std::string& type) {
  OnnxWriter writer({});
  writer.input("boxes", {1, 6, 4});
  writer.input("scores", {1, 2, 6});
  writer.node(
      "NonMaxSuppression", "kept",
      {"boxes", "scores", writer.integers("most", {4}), floats(writer, "overlap", {}), floats(writer, "least", {})},
      {"kept"});
  writer.node("Gather", "column", {"kept", writer.integers("two", {2})}, {"column"}).set("axis", std::int64_t{1});
  writer.node("Squeeze", "which", {"column", writer.integers("last", {1})}, {"which"});
  writer.node("Gather", "left", {"boxes", "which"}, {"left"}).set("axis", std::int64_t{1});
  std::vector<std::string> inputs{"left"};
  if (type == "RoiAlign") {
    writer.input("image", {1, 3, 8, 8});
    writer.node("Squeeze", "rois", {"left", writer.integers("first", {0})}, {"rois"});
    inputs = {"image", "rois", "which"};
  } else if (type == "TopK" || type.find("Slice") != std::string::npos || type.find("shape") != std::string::npos) {
    for (const std::int64_t number : {1, 3, 1})
      inputs.push_back(writer.integers("i" + std::to_string(inputs.size()), {number}));
  } else {
    inputs.push_back(type.starts_with("Gather") || type == "Compress" ? "which" : floats(writer, "four", {4, 4}));
  }
  writer.node(type, type, inputs, {"y"})
      .set("axes", std::vector<std::int64_t>{1})
      .set("axis", std::int64_t{1})
      .set("perm", std::vector<std::int64_t>{1, 0, 2})
      .set("to", std::int64_t{7})
      .set("kernel_shape", std::vector<std::int64_t>{2});
  writer.output("y", {});
  return writer.finish("open");
}

/// A node that holds the graph of a model, twice over.
std::string holding(const std::string& type, const char* attribute) {
  OnnxWriter inner({}), outer({});
  for (const char* name : {"i", "on", "value"}) {
    if (type == "Loop") inner.input(name, {});
  }
  inner.node("Add", "next", {type == "Loop" ? "value" : "x", floats(inner, "one", {4})}, {"next"});
  if (type == "Loop") inner.output("on", {});
  inner.output("next", {});
  outer.input("x", {4});
  outer.node(type, "y", {outer.integers("known", {3}), "", "x"}, {"y"}).set("num_scan_inputs", std::int64_t{1});
  outer.output("y", {});
  octavo::graph::onnx::ModelProto model, body;
  model.ParseFromString(outer.finish("holding"));
  body.ParseFromString(inner.finish("body"));
  auto& node = *model.mutable_graph()->mutable_node(0);
  if (type == "If") {
    node.clear_input();
    node.add_input("x");
  }
  for (const std::string name : {attribute, "else_branch"}) {
    auto& own = *node.add_attribute();
    own.set_name(name);
    *own.mutable_g() = body.graph();
  }
  return model.SerializeAsString();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: octavo_fuzz_onnx_seeds FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  for (const std::string type : kOperators) std::ofstream(folder / type, std::ios::binary) << seed(type);
  for (const std::string type : kOfOpenValues) std::ofstream(folder / ("open_" + type), std::ios::binary) << open(type);
  std::ofstream(folder / "folding", std::ios::binary) << folding();
  std::ofstream(folder / "If", std::ios::binary) << holding("If", "then_branch");
  for (const std::string type : {"Loop", "Scan"})
    std::ofstream(folder / type, std::ios::binary) << holding(type, "body");
  return 0;
}
