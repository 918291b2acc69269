// SPDX-License-Identifier: Apache-2.0
// The instruction sets that octavo writes code for, and which of them this machine has.
#pragma once

#include <string_view>
#include <vector>

namespace octavo {

/// In order of preference: a later one is faster.
enum class Isa {
  reference,   ///< no machine code: plain scalar C++, slow and right, on any machine
  avx2,        ///< AVX2, FMA, BMI2
  avxvnni,     ///< AVX2 and `vpdpbusd` on 256-bit registers: AVX-VNNI, or AVX-512's encoding of it (VL and VNNI)
  avx512bw,    ///< AVX-512 F, BW, VL, DQ; AVX2, FMA, BMI2
  avx512vnni,  ///< AVX-512 F, BW, VL, DQ and VNNI (`vpdpbusd` on 512-bit registers); AVX2, FMA, BMI2
};

/// "reference", "avx2", "avxvnni", "avx512bw", "avx512vnni"
[[nodiscard]] std::string_view isa_name(Isa isa) noexcept;
/// The ISA of that name. Throws Error(invalid_argument) that lists the names.
[[nodiscard]] Isa parse_isa(std::string_view name);
/// What this machine can run (CPUID and XCR0), in order of preference; never empty: `reference` comes first.
[[nodiscard]] std::vector<Isa> isa_list();
/// What is used unless an option says otherwise: the environment variable OCTAVO_ISA, or else the last of isa_list().
/// Throws Error when OCTAVO_ISA names an ISA that is unknown or that this machine lacks.
[[nodiscard]] Isa default_isa();

}  // namespace octavo
