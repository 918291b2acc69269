// SPDX-License-Identifier: Apache-2.0
#include "jit/listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "jit/code_arena.h"

namespace octavo::jit {
namespace {

using ::testing::HasSubstr;

const std::vector<std::uint8_t> loop = {
    0xB8, 0x03, 0x00, 0x00, 0x00,        // mov eax, 3
    0x62, 0xF2, 0x7D, 0x58, 0x50, 0x07,  // vpdpbusd zmm0, zmm0, dword ptr [rdi] {1to16}
    0xFF, 0xC8,                          // dec eax
    0x75, 0xF6,                          // jnz to the vpdpbusd
    0xC3,                                // ret
};

TEST(Listing, HeaderSaysNameSizeAndInstructionMix) {
  EXPECT_THAT(
      listing(KernelImage{"a_kernel", loop, {}}),
      ::testing::StartsWith("; a_kernel\n; 16 bytes, 5 instructions: 1 dec, 1 jnz, 1 mov, 1 ret, 1 vpdpbusd\n"));
}

TEST(Listing, LinesHaveOffsetBytesAndIntelSyntax) {
  const std::string text = listing(KernelImage{"k", loop, {}});
  EXPECT_THAT(text, HasSubstr(" 0x0000  b8 03 00 00 00 "));
  EXPECT_THAT(text, HasSubstr("mov eax, 0x3"));
  EXPECT_THAT(text, HasSubstr("62 f2 7d 58 50 07 "));
  EXPECT_THAT(text, HasSubstr("vpdpbusd zmm0, zmm0, dword ptr [rdi] {1to16}"));
}

TEST(Listing, JumpsNameOffsetsAndTargetsAreMarked) {
  const std::string text = listing(KernelImage{"k", loop, {}});
  EXPECT_THAT(text, HasSubstr("jnz 0x5"));
  EXPECT_THAT(text, HasSubstr("\n>0x0005  62 "));
  EXPECT_THAT(text, HasSubstr("\n 0x000b  ff c8"));
}

TEST(Listing, PhasesStandBeforeTheirFirstInstruction) {
  const std::vector<Annotation> phases = {{15, "return"}, {5, "tap (0,0)"}};
  const std::string text = listing(KernelImage{"k", loop, phases});
  EXPECT_THAT(text, HasSubstr("\n; tap (0,0)\n>0x0005"));
  EXPECT_THAT(text, HasSubstr("\n; return\n 0x000f"));
}

TEST(Listing, BytesThatAreNoInstructionAreListedAsData) {
  const std::vector<std::uint8_t> broken = {0x90, 0x06, 0xC3};  // 06 is no instruction in 64-bit mode
  EXPECT_THAT(listing(KernelImage{"k", broken, {}}), HasSubstr("db 0x06"));
  EXPECT_EQ(instruction_mix(broken), (InstructionMix{{"db", 1}, {"nop", 1}, {"ret", 1}}));
}

TEST(Listing, ConstantsAreListedAsDataWithTheirValueAsAFloat) {
  KernelImage image{"k", {0xC3, 0x90, 0x90, 0x90, 0x00, 0x00, 0xC0, 0x3F}, {{4, "constants"}}, 4};
  EXPECT_THAT(listing(image), HasSubstr("\n; constants\n 0x0004  "));
  EXPECT_THAT(listing(image), HasSubstr("dd 0x3fc00000  ; 1.5"));
}

TEST(Listing, DependsOnTheCodeAloneNotOnWhereItLies) {
  const auto kernels = CodeArena::seal({{"k", loop, {}}, {"k", loop, {}}});
  EXPECT_NE(kernels[0]->address(), kernels[1]->address());
  EXPECT_EQ(listing(*kernels[0]), listing(*kernels[1]));
}

}  // namespace
}  // namespace octavo::jit
