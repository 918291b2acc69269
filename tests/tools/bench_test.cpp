// SPDX-License-Identifier: Apache-2.0
// octavo bench, octavo dump.
#include <set>

#include "octavo/isa.h"
#include "tests/tools/run_command.h"

namespace octavo::tool::test {
namespace {

using Bench = LenetTest;

TEST_F(Bench, GivesEveryPromisedKey) {
  const Finished finished =
      run({"bench", path("lenet.prototxt"), "--batch", "2", "--threads", "1", "--against", "onednn-fp32,onednn-int8",
           "--seconds", "0.05", "--json", "--report", path("bench.html")});
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json result = finished.json();
  EXPECT_FALSE(result["model"].get<std::string>().empty());
  EXPECT_EQ(result["batch"], 2);
  EXPECT_EQ(result["threads"], 1);
  EXPECT_GT(result["octavo_ms"], 0.0);
  const Json& peer = result["peers"]["onednn-fp32"];
  EXPECT_GT(peer["ms"], 0.0);
  EXPECT_NEAR(peer["ratio"].get<double>(), peer["ms"].get<double>() / result["octavo_ms"].get<double>(), 1e-9);
  std::set<std::string> names;
  for (const Json& layer : result["layers"]) {
    EXPECT_TRUE(names.insert(layer["name"]).second) << "twice: " << layer["name"];
    EXPECT_FALSE(layer["type"].get<std::string>().empty());
    EXPECT_GE(layer["octavo_ms"], 0.0);
    EXPECT_GE(layer["peers"]["onednn-fp32"]["ms"], 0.0);
  }
  EXPECT_TRUE(names.contains("conv1"));
  // Single layers have no whole, but sums; each 8-bit layer has a time on all sides.
  EXPECT_TRUE(result["peers"]["onednn-int8"]["ms"].is_null());
  std::set<std::string> totals;
  for (const Json& total : result["totals"]) {
    totals.insert(total["name"]);
    EXPECT_GT(total["octavo_ms"], 0.0);
    EXPECT_GT(total["peers"]["onednn-fp32"]["ms"], 0.0);
    EXPECT_GT(total["peers"]["onednn-int8"]["ms"], 0.0);
  }
  EXPECT_EQ(totals, (std::set<std::string>{"convolutions", "Linear", "convolutions and Linear"}));
  for (const Json& layer : result["layers"]) {
    EXPECT_EQ(layer["work"].is_null(), !layer["peers"].contains("onednn-int8")) << layer;
  }
  EXPECT_EQ(result["limits"].is_null(), default_isa() == Isa::reference);
  EXPECT_NE(read_all(path("bench.html")).find("<svg"), std::string::npos);
}

TEST_F(Bench, TakesAQuantizedFileAndPrintsATable) {
  const Finished finished = run({"bench", path("lenet8.octavo"), "--against", "onednn-fp32", "--seconds", "0.05"});
  EXPECT_EQ(finished.code, 0) << finished.err;
  for (const char* word : {"conv2", "onednn-fp32", "median ms"}) {
    EXPECT_NE(finished.out.find(word), std::string::npos) << word;
  }
}

TEST_F(Bench, ScalingHasARowForEachThreadCount) {
  const Finished finished =
      run({"bench", path("lenet8.octavo"), "--scaling", "--threads", "3", "--seconds", "0.05", "--json"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json rows = finished.json()["scaling"];
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0]["speedup"], 1.0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i]["threads"], i + 1);
    EXPECT_NEAR(rows[i]["speedup"].get<double>(), rows[0]["ms"].get<double>() / rows[i]["ms"].get<double>(), 1e-9);
    EXPECT_NEAR(rows[i]["efficiency"].get<double>() * static_cast<double>(i + 1), rows[i]["speedup"].get<double>(),
                1e-9);
  }
  EXPECT_EQ(run({"bench", path("lenet8.octavo"), "--scaling", "--against", "onednn-fp32"}).code, 2);
}

class Dump : public LenetTest {
 protected:
  void SetUp() override {
    if (isa_list().back() == Isa::reference) GTEST_SKIP() << "this machine has no ISA that octavo writes code for";
    LenetTest::SetUp();
  }
};

TEST_F(Dump, ListsAndWritesTheBytesOfEachKernel) {
  const Finished finished = run({"dump", "--json", path("lenet8.octavo"), "--raw", path("raw")});
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json kernels = finished.json()["kernels"];
  ASSERT_FALSE(kernels.empty());
  for (const Json& kernel : kernels) {
    EXPECT_FALSE(kernel["layers"].empty());
    EXPECT_EQ(fs::file_size(kernel["file"].get<std::string>()), kernel["bytes"]);
    EXPECT_NE(kernel["listing"].get<std::string>().find("ret"), std::string::npos);
  }
}

TEST_F(Dump, FiltersByLayerAndByKernel) {
  const Json all = run({"dump", "--json", "--list", path("lenet8.octavo")}).json()["kernels"];
  const Json one = run({"dump", "--json", "--list", path("lenet8.octavo"), "--layer", "conv2"}).json()["kernels"];
  EXPECT_LT(one.size(), all.size());
  ASSERT_FALSE(one.empty());
  const std::string name = one[0]["name"];
  const Json named = run({"dump", "--json", "--list", path("lenet8.octavo"), "--kernel", name}).json()["kernels"];
  ASSERT_EQ(named.size(), 1U);
  EXPECT_EQ(named[0]["name"], name);
  EXPECT_EQ(run({"dump", path("lenet8.octavo"), "--kernel", "no-such-kernel"}).code, 2);
}

}  // namespace
}  // namespace octavo::tool::test
