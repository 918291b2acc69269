// SPDX-License-Identifier: Apache-2.0
// A record is taken for exactly what it is of, and never harms.
#include "jit/tuning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "octavo/error.h"
#include "tests/jit/layer_case.h"

namespace octavo::jit {
namespace {

using ::testing::HasSubstr;
using testing::SquareConv;

class TunedPlan : public ::testing::Test {
 protected:
  TunedPlan() : spec_(SquareConv{64, 64, 28, 3, 1, 1}.spec()) {
    spec_.isa = Isa::avx512vnni;
    machine_.cpu_name = "a processor";
    planner_ = make_plan(spec_, machine_, 2).name();
    other_ = plan_candidates(spec_, machine_, 2).at(7).plan.name();
    table_[key()] = {other_, planner_, 80e-6, 100e-6};
  }
  [[nodiscard]] TuningKey key() const { return {machine_.cpu_name, spec_.name(), 2}; }

  ConvSpec spec_;
  Machine machine_;
  std::string planner_, other_;
  TuningTable table_;
};

TEST_F(TunedPlan, IsTheRecordsAndSaysSo) {
  const Plan plan = tuned_plan(spec_, machine_, 2, &table_);
  EXPECT_EQ(plan.name(), other_);
  EXPECT_NE(other_, planner_);
  EXPECT_THAT(plan.reason, HasSubstr("tuned: " + other_ + " measured 80.0 us"));
  EXPECT_THAT(plan.reason, HasSubstr(planner_ + " 100.0 us"));
}

TEST_F(TunedPlan, IsThePlannersForAnotherProcessorThreadCountOrSpec) {
  EXPECT_EQ(tuned_plan(spec_, machine_, 3, &table_).name(), make_plan(spec_, machine_, 3).name());
  ConvSpec other = spec_;
  other.epilogue.bias = true;
  EXPECT_EQ(tuned_plan(other, machine_, 2, &table_).name(), planner_);
  machine_.cpu_name = "another";
  EXPECT_EQ(tuned_plan(spec_, machine_, 2, &table_).name(), planner_);
}

TEST_F(TunedPlan, IsThePlannersWithoutATable) {
  EXPECT_EQ(tuned_plan(spec_, machine_, 2, nullptr).name(), planner_);
  const TuningTable empty;
  EXPECT_EQ(tuned_plan(spec_, machine_, 2, &empty).name(), planner_);
}

TEST_F(TunedPlan, PassesOverPlansThatAreNoneOfTheLayers) {
  for (const char* plan :
       {"", "nonsense", "tile0x0_block3x4_tileouter", "tile1x1_block0x0_tileouter", "tile1x1_block31x6_tileouter",
        "tile4294967296x4294967296_block3x4_tileouter", "tile4x4_perpixel_block3x4_tileouter",
        "tile4x4_block3x4_step4_tileouter", "tile29x29_block3x4_tileouter", "tile27x28_block3x4_tileouter"}) {
    table_[key()].plan = plan;
    const Plan taken = tuned_plan(spec_, machine_, 2, &table_);
    EXPECT_EQ(taken.name(), planner_) << plan;
    EXPECT_THAT(taken.reason, HasSubstr("passed over")) << plan;
  }
}

TEST_F(TunedPlan, KeepsTheWindowsTileThatTheSpecNames) {
  spec_.window.tile_h = spec_.window.tile_w = 7;
  planner_ = make_plan(spec_, machine_, 2).name();
  table_[key()] = {"tile14x14_block7x2_tileouter", planner_, 80e-6, 100e-6};
  EXPECT_EQ(tuned_plan(spec_, machine_, 2, &table_).name(), planner_);
}

TEST_F(TunedPlan, RefusesAnInvalidSpec) { EXPECT_THROW((void)tuned_plan(ConvSpec{}, machine_, 1, &table_), Error); }

}  // namespace
}  // namespace octavo::jit
