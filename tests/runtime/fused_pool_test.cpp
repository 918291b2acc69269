// SPDX-License-Identifier: Apache-2.0
// Pooling in a layer's epilogue, and in a second pass where the layer is direct: the numbers of the network without it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/compiler.h"
#include "octavo/isa.h"
#include "tests/runtime/sample_network.h"

namespace octavo::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Four layers, two of them before a pool: channels 3 -> 24 -> 40 -> 33 -> 16, sizes by `height` and `width`.
Graph network(std::int64_t batch, std::int64_t height, std::int64_t width) {
  SmallNetwork net;
  const graph::Pool halving{.kernel = {2, 2}, .stride = {2, 2}};
  const ValueId data = net.input("data", {batch, 3, height, width});
  const ValueId a = net.add("a", sample_convolution(3, 24, 3, 1), {data});
  const ValueId b = net.add("b", sample_convolution(24, 40, 3, 3), {a});
  const ValueId pool1 = net.add("pool1", halving, {b});
  const ValueId c = net.add("c", sample_convolution(40, 33, 3, 5), {pool1});
  const ValueId pool2 = net.add("pool2", halving, {c});
  const ValueId d = net.add("d", sample_convolution(33, 16, 3, 7), {pool2});
  Graph graph = graph::quantize_weights(graph::canonicalize(net.finish({d})), {});
  graph = graph::fuse_quantization(graph::insert_quantization(std::move(graph)));
  graph::infer_shapes(graph);
  return graph;
}

CompileOptions options_of(AccuracyBudget::Tile largest, Isa isa, int threads) {
  CompileOptions options;
  options.threads = threads;
  options.isa = isa;
  options.accuracy.largest = largest;
  options.accuracy.signal_to_noise_db = -std::numeric_limits<double>::infinity();
  options.tuning = "none";
  return options;
}

Program program_of(const Graph& graph, const CompileOptions& options) {
  return runtime::build_program(graph, options, std::make_shared<jit::KernelCache>());
}

void expect_same(const Tensor& actual, const Tensor& expected, const std::string& what) {
  ASSERT_EQ(actual.shape(), expected.shape());
  for (std::size_t i = 0; i < expected.values().size(); ++i) {
    const float a = actual.values()[i], e = expected.values()[i];
    ASSERT_TRUE(a == e || (std::isnan(a) && std::isnan(e))) << what << ": number " << i << " is " << a << ", not " << e;
  }
}

/// Both programs of the network, fused and not, by every ISA, tile and thread count, on the same input.
void expect_fusing_changes_no_number(const Graph& apart, const Values& input, std::size_t pools) {
  const Graph fused = graph::fuse_pool(apart);
  ASSERT_EQ(fused.nodes.size() + pools, apart.nodes.size()) << graph::print(fused);
  const std::vector<Tensor> inputs{Tensor(input.shape, input.numbers)};
  for (const Isa isa : isa_list()) {
    for (const auto largest :
         {AccuracyBudget::Tile::direct, AccuracyBudget::Tile::tiles2x2, AccuracyBudget::Tile::tiles4x4}) {
      for (const int threads : {1, 3}) {
        const CompileOptions options = options_of(largest, isa, threads);
        const Program program = program_of(fused, options);
        expect_same(program.predict(inputs)[0], program_of(apart, options).predict(inputs)[0],
                    std::string(isa_name(isa)) + ", " + program.layers()[2].algorithm);
      }
    }
  }
}

TEST(FusedPool, ChangesNoNumberOfANetwork) {
  expect_fusing_changes_no_number(network(2, 16, 20), random_values({2, 3, 16, 20}, 1), 2);
}

TEST(FusedPool, LeavesAloneWhatHasAnOddSize) {
  expect_fusing_changes_no_number(network(1, 18, 20), random_values({1, 3, 18, 20}, 2), 1);  // 9 rows behind pool1
  expect_fusing_changes_no_number(network(1, 15, 20), random_values({1, 3, 15, 20}, 3), 0);
}

TEST(FusedPool, ChangesNoNumberNextToNanAndInfinity) {
  Values input = random_values({1, 3, 16, 20}, 4);
  input.numbers[7 * 20 + 9] = kNan;
  input.numbers[2 * 320 + 3 * 20 + 2] = std::numeric_limits<float>::infinity();
  expect_fusing_changes_no_number(network(1, 16, 20), input, 2);
}

TEST(FusedPool, LayersSayHowTheyPool) {
  const Graph graph = graph::fuse_pool(network(1, 32, 32));
  const auto row = [](const Program& program, const std::string& name) {
    for (const LayerInfo& layer : program.layers())
      if (layer.name == name) return layer;
    return LayerInfo{};
  };
  const Program direct = program_of(graph, options_of(AccuracyBudget::Tile::direct, Isa::reference, 1));
  EXPECT_NE(row(direct, "b").algorithm.find("direct 3x3, then 2x2 maximum"), std::string::npos)
      << row(direct, "b").algorithm;
  EXPECT_EQ(row(direct, "b").output, (Shape{1, 40, 16, 16}));
  EXPECT_EQ(row(direct, "b").work->out_h, 32) << "the convolution's own, which its multiplications follow from";
  EXPECT_EQ(row(direct, "pool1").name, "");
  EXPECT_EQ(row(direct, "d").algorithm.find("maximum"), std::string::npos);
}

TEST(FusedPool, AWinogradLayerPoolsInItsEpilogue) {
  if (default_isa() == Isa::reference) GTEST_SKIP() << "the planner takes no Winograd layer without machine code";
  SmallNetwork net;
  const ValueId data = net.input("data", {1, 64, 28, 28});
  const ValueId conv = net.add("conv", sample_convolution(64, 64, 3, 1), {data});
  Graph graph = graph::quantize_weights(
      net.finish({net.add("pool", graph::Pool{.kernel = {2, 2}, .stride = {2, 2}}, {conv})}), {});
  graph = graph::compile_to(std::move(graph), graph::Stage::fused);
  const Program program = program_of(graph, options_of(AccuracyBudget::Tile::tiles4x4, default_isa(), 1));
  const LayerInfo& layer = program.layers()[1];
  EXPECT_EQ(layer.name, "conv");
  EXPECT_NE(layer.algorithm.find("int8 Winograd 4x4 3x3 and 2x2 maximum"), std::string::npos) << layer.algorithm;
  const auto pools = [](const std::string& kernel) { return kernel.find("_pool") != std::string::npos; };
  EXPECT_TRUE(std::any_of(layer.kernels.begin(), layer.kernels.end(), pools));
}

}  // namespace
}  // namespace octavo::test
