// SPDX-License-Identifier: Apache-2.0
// Sums over layers, and what a result is told as.
#include "tools/octavo/bench_result.h"

#include <gtest/gtest.h>

namespace octavo::tool {
namespace {

LayerRow row(const std::string& name, const std::string& type, std::int64_t kernel, std::int64_t stride,
             std::vector<double> octavo, std::vector<double> peer) {
  LayerRow made{name, type, "int8 direct", LayerWork{}, {}, {}};
  made.work->kernel_h = made.work->kernel_w = kernel;
  made.work->stride_h = made.work->stride_w = stride;
  made.work->in_channels = 64;
  made.work->out_channels = 64;
  made.samples.octavo = std::move(octavo);
  made.samples.peers["onednn-int8"] = std::move(peer);
  made.implementations["onednn-int8"] = "jit_int8";
  return made;
}

BenchResult sample() {
  BenchResult result;
  result.model = "net";
  result.octavo = {10, 9, 9.5, 11};
  result.peers = {"onednn-int8"};
  result.layers = {row("a", "FusedConvolution", 3, 1, {1, 5, 2}, {2, 2, 2}),
                   row("b", "FusedConvolution", 3, 2, {1, 1, 8}, {1, 1, 1}),
                   row("c", "FusedLinear", 1, 1, {4, 4, 4}, {3, 3, 3})};
  LayerRow pool{"pool", "Pool", "loop", {}, {}, {}};
  pool.samples.octavo = {100, 100, 100};
  result.layers.push_back(pool);
  return result;
}

const Total* find(const std::vector<Total>& totals, const std::string& name) {
  for (const Total& total : totals) {
    if (total.name == name) return &total;
  }
  return nullptr;
}

TEST(BenchTotals, AddLayersOfTheirKindRoundByRound) {
  const std::vector<Total> totals = sample().totals();
  const Total* const winogradable = find(totals, "3x3 convolutions of stride 1");
  ASSERT_NE(winogradable, nullptr);
  EXPECT_EQ(winogradable->samples.octavo, (std::vector<double>{1, 5, 2}));
  const Total* const convolutions = find(totals, "convolutions");
  ASSERT_NE(convolutions, nullptr);
  EXPECT_EQ(convolutions->rows, (std::vector<std::size_t>{0, 1}));
  EXPECT_FALSE(convolutions->repeats);
  // Rounds, not medians, are added: 2, 6, 10. The sum of the medians would be 3.
  EXPECT_EQ(spread_of(convolutions->samples.octavo).median, 6);
  EXPECT_EQ(convolutions->samples.peers.at("onednn-int8"), (std::vector<double>{3, 3, 3}));
  const Total* const all = find(totals, "convolutions and Linear");
  ASSERT_NE(all, nullptr);
  EXPECT_EQ(all->samples.octavo, (std::vector<double>{6, 10, 14}));
}

TEST(BenchTotals, OfTheSameLayersAreToldOnce) {
  BenchResult result = sample();
  result.layers = {result.layers[0]};
  const std::vector<Total> totals = result.totals();
  ASSERT_EQ(totals.size(), 3U);
  EXPECT_FALSE(totals[0].repeats);
  EXPECT_TRUE(totals[1].repeats);
  EXPECT_TRUE(totals[2].repeats);
  EXPECT_EQ(as_text(result).find("convolutions, 1 layer"), std::string::npos);
}

TEST(BenchTotals, OfKindsThatTheNetworkLacksAreNotThere) {
  BenchResult result = sample();
  result.layers = {result.layers[2]};
  EXPECT_EQ(find(result.totals(), "convolutions"), nullptr);
  result.layers.clear();
  EXPECT_TRUE(result.totals().empty());
}

TEST(BenchText, LeavesBlankWhatAPeerDoesNotRun) {
  const std::string text = as_text(sample());
  for (const char* word : {"3x3 convolutions of stride 1, 1 layer ", "whole network", "onednn-int8 ms"}) {
    EXPECT_NE(text.find(word), std::string::npos) << word << '\n' << text;
  }
  EXPECT_NE(text.find("pool   Pool                100.000\n"), std::string::npos) << text;
  const Json json = as_json(sample());
  EXPECT_TRUE(json["peers"]["onednn-int8"]["ms"].is_null());
  EXPECT_TRUE(json["layers"][3]["peers"].empty());
  EXPECT_TRUE(json["layers"][3]["work"].is_null());
  EXPECT_TRUE(json["limits"].is_null());
  EXPECT_EQ(json["layers"][0]["peers"]["onednn-int8"]["implementation"], "jit_int8");
}

TEST(BenchPage, ShowsARooflineWhereTheLimitsAreKnown) {
  BenchResult result = sample();
  EXPECT_EQ(as_html(result).find("Roofline"), std::string::npos);
  result.limits = MachineLimits{200e9, 50e9, 100e9, 30e9};
  const std::string page = as_html(result);
  EXPECT_NE(page.find("int8 dot products, 200 GMAC/s"), std::string::npos);
  EXPECT_NE(page.find("<title>a, octavo int8: 2.000 ms"), std::string::npos);
  for (const char* no_number : {"\"nan", ">nan", "nan ms"}) {
    EXPECT_EQ(page.find(no_number), std::string::npos) << no_number;
  }
  EXPECT_EQ(page.find("http"), std::string::npos) << "nothing from elsewhere";
}

}  // namespace
}  // namespace octavo::tool
