// SPDX-License-Identifier: Apache-2.0
// Tests that run once for each ISA with machine code; those that this machine lacks are skipped, and say so.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "octavo/isa.h"

namespace octavo::jit::testing {

inline bool machine_has(Isa isa) {
  const auto list = isa_list();
  return std::find(list.begin(), list.end(), isa) != list.end();
}

class EachIsa : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!machine_has(GetParam())) GTEST_SKIP() << "this machine has no " << isa_name(GetParam());
  }
};

inline auto isas_with_code() { return ::testing::Values(Isa::avx2, Isa::avxvnni, Isa::avx512bw, Isa::avx512vnni); }
inline std::string isa_of_test(const ::testing::TestParamInfo<Isa>& info) { return std::string(isa_name(info.param)); }

}  // namespace octavo::jit::testing
