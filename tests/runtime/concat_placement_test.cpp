// SPDX-License-Identifier: Apache-2.0
// Convolutions that write into the Concat behind them: the numbers of the network in which they are copied.
#include "runtime/concat_placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "graph/compiler.h"
#include "octavo/isa.h"
#include "tests/runtime/sample_network.h"

namespace octavo::test {
namespace {

using testing::ElementsAre;

/// As a program gets it.
Graph fused(const Graph& graph) {
  Graph result = graph::quantize_weights(graph::canonicalize(graph), {});
  result = graph::fuse_quantization(graph::insert_quantization(std::move(result)));
  graph::infer_shapes(result);
  return result;
}

/// Branches of 13, 24, 20 (a pool), 20 (depthwise) and 7 channels side by side, then a layer. Where `copied`, the
/// branches are outputs of the network as well, which keeps them apart.
Graph branches(bool copied) {
  SmallNetwork net;
  graph::Convolution depthwise = sample_convolution(1, 20, 3, 11);
  depthwise.groups = 20;
  const graph::Pool pool{.kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
  const ValueId stem = net.add("stem", sample_convolution(3, 20, 3, 1), {net.input("data", {2, 3, 9, 12})});
  const ValueId a = net.add("a", sample_convolution(20, 13, 1, 3), {stem});
  const ValueId b = net.add("b", sample_convolution(20, 24, 3, 5), {stem});
  const ValueId c = net.add("c", pool, {stem});
  const ValueId d = net.add("d", depthwise, {stem});
  const ValueId e = net.add("e", sample_convolution(20, 7, 1, 9), {stem});
  const ValueId all = net.add("all", graph::Concat{.axis = -3}, {a, b, c, d, e});
  const ValueId y = net.add("y", sample_convolution(84, 16, 3, 7), {all});
  return fused(net.finish(copied ? std::vector<ValueId>{y, a, b, d, e} : std::vector<ValueId>{y}));
}

Program compiled(const Graph& graph, AccuracyBudget::Tile largest, Isa isa, int threads) {
  CompileOptions options;
  options.threads = threads;
  options.isa = isa;
  options.accuracy.largest = largest;
  options.accuracy.signal_to_noise_db = -std::numeric_limits<double>::infinity();
  options.tuning = "none";
  return runtime::build_program(graph, options, std::make_shared<jit::KernelCache>());
}

std::string algorithm_of(const Program& program, const std::string& layer) {
  const auto found = std::find_if(program.layers().begin(), program.layers().end(),
                                  [&](const LayerInfo& info) { return info.name == layer; });
  return found == program.layers().end() ? "" : found->algorithm;
}

TEST(ConcatPlacement, ChangesNoNumberOfANetwork) {
  const Values input = random_values({2, 3, 9, 12}, 4);
  const std::vector<Tensor> inputs{Tensor(input.shape, input.numbers)};
  for (const Isa isa : isa_list()) {
    for (const auto largest : {AccuracyBudget::Tile::direct, AccuracyBudget::Tile::tiles4x4}) {
      for (const int threads : {1, 3}) {
        const Program placed = compiled(branches(false), largest, isa, threads);
        const Program copied = compiled(branches(true), largest, isa, threads);
        EXPECT_EQ(algorithm_of(placed, "all"), "copy of 1 of 5, the others in place");
        EXPECT_EQ(algorithm_of(copied, "all"), "copy");
        const Tensor actual = placed.predict(inputs)[0], expected = copied.predict(inputs)[0];
        EXPECT_TRUE(std::equal(actual.values().begin(), actual.values().end(), expected.values().begin()))
            << isa_name(isa) << ", " << threads << " threads, " << algorithm_of(placed, "b");
      }
    }
  }
}

TEST(ConcatPlacement, KnowsTheFirstChannelOfEach) {
  const Graph graph = branches(false);
  std::vector<std::int64_t> first;
  for (const auto& place : runtime::place_in_concats(graph)) {
    if (!place) continue;
    EXPECT_EQ(place->channels, 84);
    first.push_back(place->first_channel);
  }
  EXPECT_THAT(first, ElementsAre(0, 13, 57, 77));
}

TEST(ConcatPlacement, LeavesAloneWhatIsReadTwiceOrLiesAlongAnotherAxis) {
  for (const bool twice : {true, false}) {
    SmallNetwork net;
    const ValueId data = net.input("data", {1, 3, 8, 8});
    const ValueId a = net.add("a", sample_convolution(3, 8, 3, 1), {data});
    const ValueId b = twice ? a : net.add("b", sample_convolution(3, 8, 3, 2), {data});
    const Graph graph = fused(net.finish({net.add("all", graph::Concat{.axis = twice ? 1 : 2}, {a, b})}));
    for (const auto& place : runtime::place_in_concats(graph)) EXPECT_FALSE(place.has_value());
  }
}

}  // namespace
}  // namespace octavo::test
