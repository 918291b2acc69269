// SPDX-License-Identifier: Apache-2.0
// Properties of plans, over generated specs and the layers of known networks.
#include "jit/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "jit/iconv_block.h"
#include "jit/plan_family.h"
#include "jit/tile.h"
#include "jit/vector_unit.h"
#include "octavo/error.h"
#include "tests/jit/layer_case.h"
#include "tests/jit/random_spec.h"

namespace octavo::jit {
namespace {

using testing::RandomSpecs;
using testing::SquareConv;

ConvSpec linear(std::int64_t in, std::int64_t out, std::int64_t rows) {
  ConvSpec spec;
  spec.in_channels = in;
  spec.out_channels = out;
  spec.in_w = spec.out_w = rows;
  spec.isa = Isa::avx512vnni;
  return spec;
}

template <class Check>
void for_generated_specs(const Check& check) {
  constexpr std::array isas = {Isa::avx2, Isa::avxvnni, Isa::avx512bw, Isa::avx512vnni};
  RandomSpecs specs(4, Isa::avx512vnni);
  for (int i = 0; i < 600 && !::testing::Test::HasFailure(); ++i) {
    ConvSpec spec = specs.convolution();
    spec.isa = isas[static_cast<std::size_t>(i) % isas.size()];
    SCOPED_TRACE(spec.name());
    check(spec, make_plan(spec, Machine{}, 1 + i % 3));
  }
}

TEST(PlanTest, IsAFunctionOfItsArguments) {
  for_generated_specs([](const ConvSpec& spec, const Plan&) {
    EXPECT_EQ(make_plan(spec, Machine{}, 2).name(), make_plan(spec, Machine{}, 2).name());
  });
}

TEST(PlanTest, FitsTheRegisters) {
  for_generated_specs([](const ConvSpec& spec, const Plan& plan) {
    if (spec.depthwise()) return;
    EXPECT_LE(iconv_registers(spec.isa, plan.rows, plan.column_vectors, spec.windows() == 1, plan.word_depth != 0),
              vector_facts(spec.isa).registers);
  });
}

TEST(PlanTest, TilesLieWithinTheOutput) {
  for_generated_specs([](const ConvSpec& spec, const Plan& plan) {
    EXPECT_GE(plan.tile_h, 1);
    EXPECT_GE(plan.tile_w, 1);
    EXPECT_LE(plan.tile_h, spec.out_h);
    EXPECT_LE(plan.tile_w, spec.out_w);
  });
}

TEST(PlanTest, TakesTheWindowsTileWhereTheSpecNamesOne) {
  for_generated_specs([](const ConvSpec& spec, const Plan& plan) {
    if (plan.scale_per_pixel || spec.window.tile_h == 0) return;
    EXPECT_EQ(plan.tile_h, std::min(spec.window.tile_h, spec.out_h));
    EXPECT_EQ(plan.tile_w, std::min(spec.window.tile_w, spec.out_w));
  });
}

TEST(PlanTest, GivesEachPixelOfAOneByOneKernelItsOwnScale) {
  ConvSpec spec = SquareConv{128, 128, 28}.spec();
  spec.isa = Isa::avx512vnni;
  EXPECT_TRUE(make_plan(spec, Machine{}, 1).scale_per_pixel);
  spec = SquareConv{128, 128, 28, 1, 2}.spec();
  EXPECT_TRUE(make_plan(spec, Machine{}, 1).scale_per_pixel);
}

TEST(PlanTest, SharesAScaleWhereTheSpecNamesALargerTile) {
  ConvSpec spec = SquareConv{128, 128, 28}.spec();
  spec.window.tile_h = spec.window.tile_w = 4;
  const Plan plan = make_plan(spec, Machine{}, 1);
  EXPECT_FALSE(plan.scale_per_pixel);
  EXPECT_EQ(plan.tile_h, 4);
}

TEST(PlanTest, SharesAScaleWherePaddingReachesIntoAOneByOneKernel) {
  EXPECT_FALSE(make_plan(SquareConv{16, 16, 8, 1, 1, 1}.spec(), Machine{}, 1).scale_per_pixel);
}

TEST(PlanTest, SharesChannelBlocksWhereThereAreFewerTilesThanThreads) {
  EXPECT_EQ(make_plan(linear(4096, 4096, 1), Machine{}, 8).order, WorkOrder::channel_outer);
}

TEST(PlanTest, KeepsTilesTogetherWhereTheirScratchWouldNotStayInL2) {
  ConvSpec spec = SquareConv{128, 128, 112, 3, 1, 1}.spec();
  spec.isa = Isa::avx512vnni;
  EXPECT_EQ(make_plan(spec, Machine{}, 2).order, WorkOrder::tile_outer);
}

TEST(PlanTest, ReusesWeightsForSeveralPixelsWhereThereAreAny) {
  for (const std::int64_t size : {14, 28, 56, 112}) {
    ConvSpec spec = SquareConv{256, 256, size, 3, 1, 1}.spec();
    spec.isa = Isa::avx512vnni;
    const Plan plan = make_plan(spec, Machine{}, 1);
    EXPECT_GE(plan.rows * plan.column_vectors, 12) << plan.name();
  }
}

ConvSpec winograd(std::int64_t channels, std::int64_t size) {
  ConvSpec spec = SquareConv{channels, channels, size, 3, 1, 1}.spec();
  spec.isa = Isa::avx512vnni;
  spec.winograd = WinogradLimit::tiles4x4;
  return spec;
}

TEST(PlanTest, ThreadsShareTheQuantizationOfASingleWinogradTile) {
  EXPECT_EQ(make_plan(winograd(512, 14), Machine{}, 1).order, WorkOrder::tile_outer);
  EXPECT_EQ(make_plan(winograd(512, 14), Machine{}, 2).order, WorkOrder::channel_outer);
  Machine apart;
  apart.sharing_l3 = 1;  // to get a number from the other thread then takes longer than to quantize it
  EXPECT_EQ(make_plan(winograd(512, 14), apart, 2).order, WorkOrder::tile_outer);
}

TEST(PlanTest, ThreadsShareALargeMapByRows) {
  for (const std::int64_t size : {56, 112}) EXPECT_LE(make_plan(winograd(256, size), Machine{}, 2).tile_h, size / 2);
}

TEST(PlanTest, SaysWhy) {
  for_generated_specs([](const ConvSpec&, const Plan& plan) { EXPECT_FALSE(plan.reason.empty()); });
  EXPECT_THAT(
      make_plan(SquareConv{256, 256, 56, 3, 1, 1}.spec(), Machine{}, 1).reason,
      ::testing::AllOf(::testing::HasSubstr("outputs a tile"), ::testing::HasSubstr("% of the dot product rate")));
}

TEST(PlanTest, TapsOfAPictureAreGatheredAndTheReasonCountsThem) {
  ConvSpec spec = SquareConv{3, 64, 224, 3, 1, 1}.spec();
  for (const Isa isa : {Isa::avx2, Isa::avxvnni, Isa::avx512bw, Isa::avx512vnni}) {
    spec.isa = isa;
    const Plan plan = make_plan(spec, Machine{}, 1);
    EXPECT_TRUE(plan.gathered) << plan.name();
    EXPECT_THAT(plan.reason, ::testing::HasSubstr("taps gathered, 7 k-steps an output instead of 9"));
  }
  spec.in_channels = 4;
  EXPECT_FALSE(make_plan(spec, Machine{}, 1).gathered);
}

TEST(PlanTest, NamesDifferWherePlansDo) {
  const Plan plan;
  const auto differs = [&](auto change) {
    Plan other = plan;
    change(other);
    return other.name() != plan.name();
  };
  EXPECT_TRUE(differs([](Plan& p) { p.tile_h = 3; }));
  EXPECT_TRUE(differs([](Plan& p) { p.tile_w = 3; }));
  EXPECT_TRUE(differs([](Plan& p) { p.scale_per_pixel = true; }));
  EXPECT_TRUE(differs([](Plan& p) { p.gathered = true; }));
  EXPECT_TRUE(differs([](Plan& p) { p.rows = 3; }));
  EXPECT_TRUE(differs([](Plan& p) { p.column_vectors = 3; }));
  EXPECT_TRUE(differs([](Plan& p) { p.order = WorkOrder::channel_outer; }));
}

TEST(PlanTest, ANameReadsBackAsThePlanItNames) {
  RandomSpecs specs(7, Isa::avx512vnni);
  for (int i = 0; i < 20; ++i) {
    const ConvSpec spec = i % 4 == 0 ? specs.depthwise() : specs.convolution();
    for (const PlanCandidate& candidate : plan_candidates(spec, Machine{}, 2)) {
      const std::optional<Plan> read = Plan::parse(candidate.plan.name());
      ASSERT_TRUE(read && read->same_blocking(candidate.plan)) << candidate.plan.name();
    }
  }
}

TEST(PlanTest, WhatIsNoNameOfAPlanIsNotRead) {
  for (const char* text :
       {"", "tile", "tile7x", "tile7x7", "tile7x7_block", "tile7x7_block3x4", "tile7x7_block3x4_", "tile7x7_block3x4_x",
        "tile7x7_block3x4_tileouter ", " tile7x7_block3x4_tileouter", "tile07x7_block3x4_tileouter",
        "tile-7x7_block3x4_tileouter", "tile7x99999999999999999999_block3x4_tileouter",
        "tile7x8589934592_block3x4_tileouter", "tile7x7_block3x4_step0_tileouter", "tile7x7_block3x4_step_tileouter",
        "tile7x7_perpixel_perpixel_block3x4_tileouter", "tile7x7_gathered_perpixel_block3x4_tileouter"})
    EXPECT_FALSE(Plan::parse(text)) << text;
}

TEST(PlanTest, CandidatesBeginWithThePlannersChoiceAndAreDistinct) {
  RandomSpecs specs(5, Isa::avx512vnni);
  for (int i = 0; i < 60 && !::testing::Test::HasFailure(); ++i) {
    const ConvSpec spec = i % 4 == 0 ? specs.depthwise() : specs.convolution();
    const int threads = 1 + i % 3;
    const std::vector<PlanCandidate> candidates = plan_candidates(spec, Machine{}, threads);
    EXPECT_EQ(candidates.front().plan.name(), make_plan(spec, Machine{}, threads).name());
    std::set<std::string> names;
    for (const PlanCandidate& candidate : candidates) {
      EXPECT_TRUE(names.insert(candidate.plan.name()).second) << "twice: " << candidate.plan.name();
      EXPECT_FALSE(candidate.plan.reason.empty());
      EXPECT_GT(candidate.cycles, 0);
    }
    for (std::size_t c = 2; c < candidates.size(); ++c) EXPECT_LE(candidates[c - 1].cycles, candidates[c].cycles);
  }
}

TEST(PlanTest, CandidatesOfALayerOfManyPixelsAreHundreds) {
  ConvSpec spec = SquareConv{256, 256, 56, 3, 1, 1}.spec();
  spec.isa = Isa::avx512vnni;
  EXPECT_GE(plan_candidates(spec, Machine{}, 1).size(), 200U);
}

TEST(PlanTest, CandidatesKeepTheWindowsTileWhereTheSpecNamesOne) {
  ConvSpec spec = SquareConv{64, 64, 28, 3, 1, 1}.spec();
  spec.isa = Isa::avx512vnni;
  spec.window.tile_h = 4;
  spec.window.tile_w = 7;
  for (const PlanCandidate& candidate : plan_candidates(spec, Machine{}, 1)) {
    EXPECT_EQ(candidate.plan.tile_h, 4);
    EXPECT_EQ(candidate.plan.tile_w, 7);
  }
}

TEST(PlanTest, ExactlyTheCandidatesOfSomeMachineAreCandidates) {
  RandomSpecs specs(6, Isa::avx512vnni);
  Machine small;
  small.l2_bytes = 64 * 1024;
  for (int i = 0; i < 20 && !::testing::Test::HasFailure(); ++i) {
    const ConvSpec spec = i % 4 == 0 ? specs.depthwise() : specs.convolution();
    std::set<std::string> names;
    for (const Machine& machine : {Machine{}, small})
      for (const PlanCandidate& candidate : plan_candidates(spec, machine, 1 + i % 5))
        names.insert(candidate.plan.name());
    const Plan choice = make_plan(spec, Machine{}, 1);
    const auto expect_as_listed = [&](auto change) {
      Plan plan = choice;
      change(plan);
      EXPECT_EQ(is_candidate(spec, plan), names.contains(plan.name())) << spec.name() << " " << plan.name();
    };
    for (std::int64_t n = 0; n < 70; ++n) {
      expect_as_listed([&](Plan& plan) { plan.tile_h = n; });
      expect_as_listed([&](Plan& plan) { plan.tile_w = n; });
      expect_as_listed([&](Plan& plan) { plan.rows = n; });
      expect_as_listed([&](Plan& plan) { plan.column_vectors = n; });
      expect_as_listed([&](Plan& plan) { plan.group_step = n; });
    }
    expect_as_listed([](Plan& plan) { plan.scale_per_pixel = !plan.scale_per_pixel; });
    expect_as_listed([](Plan& plan) { plan.gathered = !plan.gathered; });
    expect_as_listed([](Plan& plan) { plan.order = WorkOrder::channel_outer; });
  }
}

TEST(PlanTest, OfEqualCostsTheSmallestTileIsTaken) {
  const auto candidate = [](std::int64_t side, double cycles) {
    Plan plan;
    plan.tile_h = plan.tile_w = side;
    return PlanCandidate{plan, cycles};
  };
  const std::vector<PlanCandidate> candidates = {candidate(8, 100), candidate(2, 103), candidate(4, 101.5),
                                                 candidate(4, 101)};
  EXPECT_EQ(cheapest_candidate(candidates, 1.02, true).cycles, 101);
  EXPECT_EQ(cheapest_candidate(candidates, 1.02, false).cycles, 100);
  EXPECT_EQ(cheapest_candidate(candidates, 1.04, true).plan.tile_h, 2);
}

TEST(PlanTest, RefusesAnInvalidSpec) { EXPECT_THROW((void)make_plan(ConvSpec{}, Machine{}, 1), octavo::Error); }

TEST(PlanTest, PixelsOfABlockLieInARowOrOverTheRowsOfANarrowTile) {
  Plan plan;
  plan.rows = 7;
  plan.tile_h = plan.tile_w = 14;
  EXPECT_EQ(plan.pixel_block().rows, 1);
  EXPECT_EQ(plan.pixel_block().columns, 7);
  plan.tile_w = 3;
  EXPECT_EQ(plan.pixel_block().rows, 2);
  EXPECT_EQ(plan.pixel_block().columns, 3);
  plan.tile_h = 1;
  EXPECT_EQ(plan.pixel_block().rows, 1);
}

TEST(BalancedRunsTest, CoverTheTotalWithRunsThatDifferByAtMostOne) {
  for (std::int64_t total = 1; total < 100; ++total) {
    for (std::int64_t longest = 1; longest < 20; ++longest) {
      std::int64_t sum = 0, count = 0, least = longest, most = 0;
      for (const PixelRun& run : balanced_runs(total, longest)) {
        sum += run.count * run.length;
        count += run.count;
        least = std::min(least, run.length);
        most = std::max(most, run.length);
      }
      EXPECT_EQ(sum, total);
      EXPECT_EQ(count, (total + longest - 1) / longest);
      EXPECT_LE(most, longest);
      EXPECT_LE(most - least, 1);
    }
  }
}

}  // namespace
}  // namespace octavo::jit
