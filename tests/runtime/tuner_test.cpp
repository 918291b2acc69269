// SPDX-License-Identifier: Apache-2.0
// Tuning on the real clock: what is kept is taken by the next compilation, which computes what it did before.
#include "runtime/tuner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "jit/plan.h"
#include "octavo/error.h"
#include "octavo/model.h"
#include "runtime/tuning_file.h"
#include "tests/jit/layer_case.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/sample_model.h"
#include "tests/runtime/temporary_folder.h"

namespace octavo::runtime {
namespace {

using jit::testing::SquareConv;
using octavo::test::expect_error;
using octavo::test::TemporaryFolder;
using ::testing::HasSubstr;

class Tuner : public ::testing::Test {
 protected:
  void SetUp() override {
    if (isa_list().back() == Isa::reference) GTEST_SKIP() << "this machine has no ISA that octavo writes code for";
    options_.threads = 1;
    options_.isa = isa_list().back();
    options_.candidates = 30;
    options_.seconds = 0.3;
    options_.file = folder_ / "tuning.json";
  }
  static LayerToTune layer(const std::string& name, std::int64_t channels) {
    return {SquareConv{channels, channels, 14, 3, 1, 1}.spec(), name};
  }

  TemporaryFolder folder_;
  TuneOptions options_;
  jit::KernelCache kernels_;
};

TEST_F(Tuner, MeasuresEachDistinctLayerOnceAndKeepsExactlyTheWinners) {
  const std::vector<TunedLayer> tuned =
      tune_layers({layer("a", 32), layer("b", 48), layer("c", 32)}, options_, kernels_);
  ASSERT_EQ(tuned.size(), 2U);
  EXPECT_THAT(tuned[0].layers, ::testing::ElementsAre("a", "c"));
  std::size_t kept = 0;
  for (const TunedLayer& layer : tuned) {
    EXPECT_GE(layer.candidates, 1U);
    EXPECT_LE(layer.candidates, 30U);
    EXPECT_TRUE(jit::Plan::parse(layer.planner) && jit::Plan::parse(layer.best));
    EXPECT_NE(layer.planner, layer.best);
    EXPECT_GT(layer.planner_us, 0);
    EXPECT_LE(layer.ratio_low, layer.ratio_high);
    EXPECT_EQ(layer.kept, layer.ratio_high < 1 && layer.ratio_high < layer.twin_low);
    EXPECT_FALSE(layer.verdict.empty());
    kept += layer.kept ? 1 : 0;
  }
  EXPECT_EQ(kept == 0 ? 0U : read_tuning_file(options_.file).table.size(), kept);
}

TEST_F(Tuner, TakesOutTheRecordOfALayerWhosePlannersChoiceIsNotBeaten) {
  jit::ConvSpec spec = layer("a", 16).spec;
  spec.isa = *options_.isa;
  spec.in_h = spec.in_w = spec.out_h = spec.out_w = 1;  // few plans, all alike
  spec.pad_top = spec.pad_left = 1;
  const jit::TuningKey key{jit::Machine::detect().cpu_name, spec.name(), 1};
  merge_into_tuning_file(options_.file, {{key, {"old", "old", 1e-6, 2e-6}}});
  const std::vector<TunedLayer> tuned = tune_layers({{spec, "a"}}, options_, kernels_);
  const jit::TuningTable table = read_tuning_file(options_.file).table;
  EXPECT_EQ(table.contains(key), tuned.at(0).kept);
  if (table.contains(key)) {
    EXPECT_NE(table.at(key).plan, "old");
  }
}

TEST_F(Tuner, FindsABrokenFileBeforeTheWork) {
  folder_.put("tuning.json", {'x'});
  std::size_t measured = 0;
  options_.progress = [&](const TuneProgress&) { ++measured; };
  EXPECT_THROW((void)tune_layers({layer("a", 16)}, options_, kernels_), Error);
  EXPECT_EQ(measured, 0U);
}

TEST_F(Tuner, TheScalarReferenceHasNothingToTune) {
  options_.isa = Isa::reference;
  expect_error(ErrorKind::unsupported, "reference", [&] { (void)tune_layers({layer("a", 16)}, options_, kernels_); });
}

TEST_F(Tuner, AModelThatIsNotQuantizedHasNothingToTune) {
  expect_error(ErrorKind::invalid_argument, "quantize",
               [&] { (void)octavo::test::to_model(octavo::test::sample_graph()).tune(options_); });
}

/// Every layer of the model gets the record of a plan that the planner would not choose.
TEST_F(Tuner, WhatIsInTheFileIsTakenByTheNextCompilation) {
  const Model model = octavo::test::to_model(octavo::test::sample_graph()).quantize();
  std::vector<std::string> reasons;
  options_.seconds = 0.05;
  options_.candidates = 5;
  const std::vector<TunedLayer> tuned = model.tune(options_);
  jit::TuningTable table;
  for (const TunedLayer& layer : tuned)
    if (!layer.best.empty())
      table[{jit::Machine::detect().cpu_name, layer.spec, 1}] = {layer.best, layer.planner, 1e-6, 2e-6};
  ASSERT_FALSE(table.empty());
  merge_into_tuning_file(options_.file, table);
  CompileOptions compile;
  compile.threads = 1;
  compile.isa = options_.isa;
  compile.tuning = options_.file;
  std::size_t taken = 0;
  const Program tuned_program = model.compile(compile);
  for (const LayerInfo& layer : tuned_program.layers()) taken += layer.reason.starts_with("tuned: ") ? 1 : 0;
  EXPECT_GE(taken, table.size());
  compile.tuning = "none";
  const Program untuned_program = model.compile(compile);
  for (const LayerInfo& layer : untuned_program.layers()) EXPECT_FALSE(layer.reason.starts_with("tuned: "));
}

}  // namespace
}  // namespace octavo::runtime
