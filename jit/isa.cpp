// SPDX-License-Identifier: Apache-2.0
// Which instruction sets this machine has, from CPUID and XCR0 (the operating system must save the wide registers).
#include "octavo/isa.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include "octavo/error.h"
#include "xbyak/xbyak_util.h"

namespace octavo {
namespace {

constexpr std::array<Isa, 5> all_isas = {Isa::reference, Isa::avx2, Isa::avxvnni, Isa::avx512bw, Isa::avx512vnni};

bool machine_has(Isa isa) {
  using Cpu = Xbyak::util::Cpu;
  // Xbyak reports AVX and AVX-512 only where XCR0 says that the system saves the ymm, opmask and zmm registers. The
  // small extensions stand on every processor with the large ones, but a virtual machine may hide them.
  const Cpu cpu;
  const bool avx2 = cpu.has(Cpu::tAVX2) && cpu.has(Cpu::tFMA) && cpu.has(Cpu::tBMI2);
  const bool avx512bw =
      avx2 && cpu.has(Cpu::tAVX512F) && cpu.has(Cpu::tAVX512BW) && cpu.has(Cpu::tAVX512VL) && cpu.has(Cpu::tAVX512DQ);
  switch (isa) {
    case Isa::reference:
      return true;
    case Isa::avx2:
      return avx2;
    case Isa::avxvnni:
      return avx2 && (cpu.has(Cpu::tAVX_VNNI) || (cpu.has(Cpu::tAVX512VL) && cpu.has(Cpu::tAVX512_VNNI)));
    case Isa::avx512bw:
      return avx512bw;
    case Isa::avx512vnni:
      return avx512bw && cpu.has(Cpu::tAVX512_VNNI);
  }
  return false;
}

std::string names_of(const auto& isas) {
  std::string names;
  for (const Isa isa : isas) names += (names.empty() ? "" : ", ") + std::string(isa_name(isa));
  return names;
}

}  // namespace

std::string_view isa_name(Isa isa) noexcept {
  switch (isa) {
    case Isa::reference:
      return "reference";
    case Isa::avx2:
      return "avx2";
    case Isa::avxvnni:
      return "avxvnni";
    case Isa::avx512bw:
      return "avx512bw";
    case Isa::avx512vnni:
      return "avx512vnni";
  }
  return "unknown";
}

Isa parse_isa(std::string_view name) {
  for (const Isa isa : all_isas) {
    if (name == isa_name(isa)) return isa;
  }
  throw Error(ErrorKind::invalid_argument, fmt::format("unknown instruction set '{}'", name), {},
              "choose one of: " + names_of(all_isas));
}

std::vector<Isa> isa_list() {
  std::vector<Isa> list;
  std::copy_if(all_isas.begin(), all_isas.end(), std::back_inserter(list), machine_has);
  return list;
}

Isa default_isa() {
  const std::vector<Isa> available = isa_list();
  const char* wanted = std::getenv("OCTAVO_ISA");
  if (wanted == nullptr || *wanted == '\0') return available.back();
  Isa isa{};
  try {
    isa = parse_isa(wanted);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("unknown instruction set '{}'", wanted), "OCTAVO_ISA", error.hint());
  }
  if (std::find(available.begin(), available.end(), isa) == available.end()) {
    throw Error(ErrorKind::unsupported, fmt::format("this machine does not have '{}'", wanted), "OCTAVO_ISA",
                "it can run: " + names_of(available));
  }
  return isa;
}

}  // namespace octavo
