// SPDX-License-Identifier: Apache-2.0
#include "octavo/isa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "octavo/error.h"
#include "tests/jit/scoped_environment.h"

namespace octavo {
namespace {

using jit::testing::ScopedEnvironment;

TEST(Isa, EveryListedIsaRoundTripsThroughItsName) {
  for (const Isa isa : {Isa::reference, Isa::avx2, Isa::avxvnni, Isa::avx512bw, Isa::avx512vnni})
    EXPECT_EQ(parse_isa(isa_name(isa)), isa);
}

TEST(Isa, ListBeginsWithReferenceAndIsInOrderOfPreference) {
  const auto list = isa_list();
  ASSERT_FALSE(list.empty());
  EXPECT_EQ(list.front(), Isa::reference);
  EXPECT_TRUE(std::is_sorted(list.begin(), list.end()));
}

TEST(Isa, DetectionAgreesWithTheKernelsView) {
  std::ifstream file("/proc/cpuinfo");
  std::stringstream text;
  text << file.rdbuf();
  if (text.str().find("flags") == std::string::npos) GTEST_SKIP() << "/proc/cpuinfo has no flags here";
  const auto list = isa_list();
  const auto listed = [&](Isa isa) { return std::find(list.begin(), list.end(), isa) != list.end(); };
  const auto flagged = [&](const char* flag) { return text.str().find(flag) != std::string::npos; };
  EXPECT_EQ(listed(Isa::avx2), flagged(" avx2"));
  EXPECT_EQ(listed(Isa::avxvnni), flagged(" avx_vnni") || flagged(" avx512_vnni"));
  EXPECT_EQ(listed(Isa::avx512bw), flagged(" avx512bw"));
  EXPECT_EQ(listed(Isa::avx512vnni), flagged(" avx512_vnni"));
}

TEST(Isa, UnknownNameIsAnErrorThatListsTheNames) {
  try {
    (void)parse_isa("sse9");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid_argument);
    EXPECT_THAT(error.what(), testing::HasSubstr("sse9"));
    EXPECT_THAT(error.hint(), testing::HasSubstr("reference, avx2, avxvnni, avx512bw, avx512vnni"));
  }
}

TEST(Isa, EnvironmentOverridesTheDefault) {
  const ScopedEnvironment environment("OCTAVO_ISA", "reference");
  EXPECT_EQ(default_isa(), Isa::reference);
}

TEST(Isa, EmptyEnvironmentMeansTheBest) {
  const ScopedEnvironment environment("OCTAVO_ISA", "");
  EXPECT_EQ(default_isa(), isa_list().back());
}

TEST(Isa, UnknownEnvironmentNamesTheVariable) {
  const ScopedEnvironment environment("OCTAVO_ISA", "avx1024");
  try {
    (void)default_isa();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.where(), "OCTAVO_ISA");
    EXPECT_THAT(error.what(), testing::HasSubstr("avx1024"));
  }
}

TEST(Isa, EnvironmentNamingAnAbsentIsaSaysWhatTheMachineHas) {
  if (isa_list().back() == Isa::avx512vnni) GTEST_SKIP() << "this machine has every ISA";
  const ScopedEnvironment environment("OCTAVO_ISA", "avx512vnni");
  try {
    (void)default_isa();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_THAT(error.hint(), testing::HasSubstr("reference"));
  }
}

}  // namespace
}  // namespace octavo
