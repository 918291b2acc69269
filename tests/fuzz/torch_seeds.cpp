// SPDX-License-Identifier: Apache-2.0
// Writes the seeds of the Torch7 fuzzer into a folder: each module with fields that most can do something with, nests
// of modules, a graph of nngraph, and an ASCII file.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/export/torch.h"
#include "graph/export/torch_document.h"

namespace {

using octavo::graph::Shape;
using octavo::graph::TorchDocument;
using Ref = TorchDocument::Ref;

constexpr const char* kModules[] = {"Abs",
                                    "AddConstant",
                                    "CAdd",
                                    "CMul",
                                    "Clamp",
                                    "Collapse",
                                    "Dropout",
                                    "ELU",
                                    "Exp",
                                    "GatedLinearUnit",
                                    "HardShrink",
                                    "HardTanh",
                                    "InstanceNormalization",
                                    "LeakyReLU",
                                    "Linear",
                                    "Log",
                                    "LogSigmoid",
                                    "LogSoftMax",
                                    "LookupTable",
                                    "Max",
                                    "Mean",
                                    "Mul",
                                    "MulConstant",
                                    "Narrow",
                                    "Normalize",
                                    "PReLU",
                                    "Padding",
                                    "PixelShuffle",
                                    "Power",
                                    "RReLU",
                                    "ReLU",
                                    "Replicate",
                                    "Reshape",
                                    "Select",
                                    "ShaveImage",
                                    "SoftMax",
                                    "SoftPlus",
                                    "SpatialAdaptiveAveragePooling",
                                    "SpatialAveragePooling",
                                    "SpatialBatchNormalization",
                                    "SpatialConvolution",
                                    "SpatialConvolutionMap",
                                    "SpatialCrossMapLRN",
                                    "SpatialDepthWiseConvolution",
                                    "SpatialDilatedConvolution",
                                    "SpatialFullConvolution",
                                    "SpatialMaxPooling",
                                    "SpatialReflectionPadding",
                                    "SpatialSubSampling",
                                    "SpatialUpSamplingBilinear",
                                    "SpatialZeroPadding",
                                    "Squeeze",
                                    "Sum",
                                    "TanhShrink",
                                    "TemporalConvolution",
                                    "Threshold",
                                    "Transpose",
                                    "Unsqueeze",
                                    "View"};
constexpr const char* kTables[] = {"CAddTable", "CDivTable", "CMinTable",   "DotProduct",  "FlattenTable",
                                   "JoinTable", "MM",        "NarrowTable", "SelectTable", "ZipTable"};

/// A network in the making; numbers live as long as it.
struct Seed {
  TorchDocument document;
  std::vector<float> numbers = std::vector<float>(4 * 4 * 3 * 3, 0.5F);

  Ref tensor(const Shape& shape) {
    std::size_t count = 1;
    for (const std::int64_t dim : shape) count *= static_cast<std::size_t>(dim);
    return document.tensor(shape, std::span(numbers).first(count));
  }
  Ref module(const std::string& type) {
    const Ref ref = document.object("nn." + type);
    for (const char* one : {"dW", "dH", "dimension", "index", "dim", "pos", "pad_l", "pad_t", "padW", "padH", "size",
                            "constant_scalar", "offset", "length", "adjW", "pad", "p"}) {
      document.set(ref, one, 1.0);
    }
    for (const char* two : {"kW", "kH", "upscaleFactor", "nfeatures", "scale_factor", "pow", "W", "H", "dilationW",
                            "dilationH", "nInputDim", "numInputDims"}) {
      document.set(ref, two, 2.0);
    }
    for (const char* four : {"nInputPlane", "nOutputPlane", "inputFrameSize", "outputFrameSize"})
      document.set(ref, four, 4.0);
    if (type == "View" || type == "Reshape") document.set(ref, "size", document.longs({144}));
    const bool matrix = type == "Linear" || type == "LookupTable";
    const bool vector =
        type == "PReLU" || type.find("Norm") != std::string::npos || type == "SpatialSubSampling" || type == "CMul";
    document.set(ref, "weight", tensor(matrix ? Shape{4, 4} : vector ? Shape{4} : Shape{4, 4, 2, 2}));
    document.set(ref, "bias", tensor({4}));
    document.set(ref, "running_mean", tensor({4}));
    document.set(ref, "running_var", tensor({4}));
    document.set(ref, "connTable", tensor({16, 2}));
    const Ref pair = document.table(), swaps = document.table();
    document.append(pair, 1.0);
    document.append(pair, 2.0);
    document.append(swaps, pair);
    document.set(ref, "permutations", swaps);
    return ref;
  }
  Ref container(const std::string& type, const std::vector<Ref>& modules) {
    const Ref ref = module(type), list = document.table();
    for (const Ref inner : modules) document.append(list, inner);
    document.set(ref, "modules", list);
    return ref;
  }
};

/// x -> a, b; c = a + b; a * c, which is no nest.
std::string graph_of_nngraph() {
  using namespace octavo::graph;
  Graph graph;
  const ValueId x = graph.add_value("x"), a = graph.add_value("a"), b = graph.add_value("b"), c = graph.add_value("c"),
                d = graph.add_value("d");
  graph.add_node("x", Input{{2, 4}}, {}, {x});
  graph.add_node("a", Unary{UnaryKind::tanh}, {x}, {a});
  graph.add_node("b", Unary{UnaryKind::abs}, {x}, {b});
  graph.add_node("c", Eltwise{}, {a, b}, {c});
  graph.add_node("d", Eltwise{.kind = EltwiseKind::product, .coefficients = {}, .activation = {}}, {a, c}, {d});
  graph.outputs = {d};
  infer_shapes(graph);
  return export_torch(graph);
}

constexpr std::string_view kAscii =
    "4\n1\n3\nV 1\n9\nnn.Linear\n3\n2\n1\n2\n6\nweight\n4\n3\n3\nV 1\n18\ntorch.DoubleTensor\n2\n1 2\n2 1\n1\n4\n4\n"
    "3\nV 1\n19\ntorch.DoubleStorage\n2\n1 -0.5\n";

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: octavo_fuzz_torch_seeds FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  // The first byte chooses the input: a batch of pictures, a picture, rows, two tables of rows.
  const auto write = [&](const std::string& name, char input, std::string_view bytes) {
    std::ofstream(folder / name, std::ios::binary) << input << bytes;
  };
  for (const std::string type : kModules) {
    Seed seed;
    const Ref root = seed.container("Sequential", {seed.module(type)});
    write(type, type == "Linear" || type == "Normalize" || type == "LookupTable" ? '\2' : '\0',
          seed.document.write(root));
  }
  for (const std::string type : kTables) {
    Seed seed;
    const Ref branches =
        seed.container("ConcatTable", {seed.module("ReLU"), seed.module("Linear"), seed.module("Identity")});
    write(type, '\2', seed.document.write(seed.container("Sequential", {branches, seed.module(type)})));
  }
  Seed seed;
  const Ref depth = seed.container("DepthConcat", {seed.module("Identity"), seed.module("SpatialMaxPooling")});
  write("DepthConcat", '\1', seed.document.write(depth));
  const Ref parallel =
      seed.container("ParallelTable", {seed.module("Linear"), seed.container("Bottle", {seed.module("Linear")})});
  write("ParallelTable", '\3', seed.document.write(parallel));
  write("gModule", '\2', graph_of_nngraph());
  write("ascii", '\2', kAscii);
  return 0;
}
