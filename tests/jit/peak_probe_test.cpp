// SPDX-License-Identifier: Apache-2.0
// The probes do the work that they say: instructions counted, memory read to its last line and not beyond.
#include "jit/peak_probe.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

#include "jit/code_arena.h"
#include "jit/listing.h"
#include "jit/vector_unit.h"
#include "tests/jit/guarded_buffer.h"

namespace octavo::jit {
namespace {

std::int64_t count_of(const KernelImage& image, const std::string& mnemonic_begins) {
  std::int64_t count = 0;
  for (const auto& [mnemonic, times] : instruction_mix(image.instructions())) {
    if (mnemonic.rfind(mnemonic_begins, 0) == 0) count += static_cast<std::int64_t>(times);
  }
  return count;
}

class Probe : public ::testing::Test {
 protected:
  void SetUp() override {
    if (default_isa() == Isa::reference) GTEST_SKIP() << "this machine has no ISA that octavo writes code for";
  }
};

TEST_F(Probe, CountsAProductForEachLaneOfEachMultiplyAdd) {
  for (const Isa isa : isa_list()) {
    if (isa == Isa::reference) continue;
    EXPECT_EQ(fma_probe_products(isa), count_of(emit_fma_probe(isa), "vfmadd") * vector_facts(isa).lanes);
  }
}

TEST_F(Probe, ReadsItsBlocksToTheEndAndNothingElse) {
  for (const Isa isa : isa_list()) {
    if (isa == Isa::reference) continue;
    const auto kernel = CodeArena::seal({emit_read_probe(isa)}).front();
    constexpr std::int64_t blocks = 3;
    const auto bytes = static_cast<std::size_t>(blocks * read_probe_block_bytes(isa));
    for (const auto guard : {testing::Guard::behind, testing::Guard::before}) {
      const testing::GuardedBuffer<std::byte> buffer(bytes, guard);
      (*kernel)(ReadProbeArgs{buffer.data(), blocks});  // a fault if it reads beyond
      (*kernel)(ReadProbeArgs{buffer.data(), 0});
    }
  }
}

TEST_F(Probe, ReadsEachByteOfABlockOnce) {
  for (const Isa isa : isa_list()) {
    if (isa == Isa::reference) continue;
    const std::string text = listing(emit_read_probe(isa));
    for (std::int64_t offset = vector_facts(isa).lanes * 4; offset < read_probe_block_bytes(isa);
         offset += vector_facts(isa).lanes * 4) {
      std::array<char, 32> wanted{};
      std::snprintf(wanted.data(), wanted.size(), "[rsi+0x%llx]", static_cast<unsigned long long>(offset));
      EXPECT_NE(text.find(wanted.data()), std::string::npos) << wanted.data() << '\n' << text;
    }
  }
}

}  // namespace
}  // namespace octavo::jit
