// SPDX-License-Identifier: Apache-2.0
// The annotated disassembly of a kernel, for people: what `octavo dump` prints.
//
//   ; conv3x3_s1_p1_ic64_oc128_56x56_w64_u8_relu_avx512vnni__...
//   ; 5120 bytes, 913 instructions: 504 vpdpbusd, 92 vmovups, ...
//
//   ; tap (0,0)
//    0x0040  62 F2 7D 58 50 07              vpdpbusd zmm0, zmm0, dword ptr [rdi] {1to16}
//   >0x0046  ...                            a '>' marks the target of a jump
//
// Offsets count from the kernel's first byte and jumps name offsets, so a listing depends on nothing but the code:
// equal kernels have equal listings in every process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "jit/kernel.h"

namespace octavo::jit {

/// How often each mnemonic occurs, most frequent first, equal counts by name.
using InstructionMix = std::vector<std::pair<std::string, std::size_t>>;
[[nodiscard]] InstructionMix instruction_mix(std::span<const std::uint8_t> code);

/// Bytes that are no instruction are listed as `db`, constants as `dd`.
[[nodiscard]] std::string listing(const KernelImage& image);
[[nodiscard]] std::string listing(const Kernel& kernel);

}  // namespace octavo::jit
