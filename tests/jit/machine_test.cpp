// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "jit/plan.h"

namespace octavo::jit {
namespace {

TEST(Machine, CachesGrowWithTheirLevelAndAreOfSaneSizes) {
  const Machine machine = Machine::detect();
  EXPECT_GE(machine.l1d_bytes, 8 * 1024);
  EXPECT_LE(machine.l1d_bytes, 1024 * 1024);
  EXPECT_GT(machine.l2_bytes, machine.l1d_bytes);
  EXPECT_GE(machine.l3_bytes, machine.l2_bytes);
  EXPECT_GE(machine.sharing_l3, 1);
  EXPECT_FALSE(machine.cpu_name.empty());
}

TEST(Machine, TheFirstLevelAgreesWithTheKernelsView) {
  std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index0/size");
  std::int64_t kilobytes = 0;
  if (!(file >> kilobytes)) GTEST_SKIP() << "no cache description in sysfs";
  EXPECT_EQ(Machine::detect().l1d_bytes, kilobytes * 1024);
}

}  // namespace
}  // namespace octavo::jit
