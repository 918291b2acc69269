// SPDX-License-Identifier: Apache-2.0
// Cache sizes and the processor's name: CPUID first (it tells what this core has), sysfs where CPUID is silent.
#include <array>
#include <cstdint>
#include <fstream>
#include <string>

#include "jit/plan.h"
#include "xbyak/xbyak_util.h"

namespace octavo::jit {
namespace {

using Registers = std::array<std::uint32_t, 4>;  // eax, ebx, ecx, edx

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  Registers registers{};
  Xbyak::util::Cpu::getCpuidEx(leaf, subleaf, registers.data());
  return registers;
}

/// Bytes of the data caches of level 1, 2, 3 (index 0 unused); 0 where unknown.
using CacheBytes = std::array<std::int64_t, 4>;

struct Caches {
  CacheBytes bytes{};
  std::int64_t sharing_l3 = 0;  ///< hardware threads; 0 where unknown
};

/// Intel's leaf 4 and AMD's 0x8000001D share one format: type, level, ways, partitions, line size, sets.
Caches caches_of_leaf(std::uint32_t leaf) {
  constexpr std::uint32_t max_caches = 16, instruction_cache = 2;
  Caches caches;
  for (std::uint32_t subleaf = 0; subleaf < max_caches; ++subleaf) {
    const auto [eax, ebx, ecx, edx] = cpuid(leaf, subleaf);
    const std::uint32_t type = eax & 31U, level = (eax >> 5U) & 7U;
    if (type == 0) break;
    if (type == instruction_cache || level == 0 || level >= caches.bytes.size()) continue;
    const std::int64_t ways = (ebx >> 22U) + 1, partitions = ((ebx >> 12U) & 0x3FFU) + 1, line = (ebx & 0xFFFU) + 1;
    caches.bytes[level] = ways * partitions * line * (static_cast<std::int64_t>(ecx) + 1);
    if (level == 3) caches.sharing_l3 = ((eax >> 14U) & 0xFFFU) + 1;
  }
  return caches;
}

Caches caches_of_cpuid() {
  constexpr std::uint32_t extended = 0x80000000U, amd_caches = 0x8000001DU, topology_extensions = 1U << 22U;
  const bool has_amd_leaf = cpuid(extended)[0] >= amd_caches && (cpuid(0x80000001U)[2] & topology_extensions) != 0;
  const Caches amd = has_amd_leaf ? caches_of_leaf(amd_caches) : Caches{};
  if (amd.bytes[1] != 0) return amd;
  return cpuid(0)[0] >= 4 ? caches_of_leaf(4) : Caches{};
}

/// A host moves the few cores of a small virtual machine about, and does not tell it when they no longer share a cache.
bool may_be_moved(std::int64_t sharing) {
  constexpr std::uint32_t hypervisor = 1U << 31U;
  constexpr std::int64_t few = 4;
  return (cpuid(1)[2] & hypervisor) != 0 && sharing < few;
}

CacheBytes caches_of_sysfs() {
  CacheBytes bytes{};
  for (int index = 0; index < 8; ++index) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    std::size_t level = 0;
    std::int64_t size = 0;
    std::string type;
    char unit = 'K';
    if (!(std::ifstream(folder + "level") >> level) || !(std::ifstream(folder + "type") >> type)) break;
    std::ifstream size_file(folder + "size");
    if (type == "Instruction" || level >= bytes.size() || !(size_file >> size)) continue;
    size_file >> unit;
    bytes[level] = size * (unit == 'M' ? 1024 * 1024 : 1024);
  }
  return bytes;
}

std::string brand() {
  if (cpuid(0x80000000U)[0] < 0x80000004U) return "unknown CPU";
  std::string name;
  for (std::uint32_t leaf = 0x80000002U; leaf <= 0x80000004U; ++leaf) {
    for (const std::uint32_t word : cpuid(leaf)) {
      for (unsigned shift = 0; shift < 32; shift += 8) {
        const auto letter = static_cast<char>((word >> shift) & 0xFFU);
        if (letter != '\0') name += letter;
      }
    }
  }
  const std::size_t first = name.find_first_not_of(' ');
  return first == std::string::npos ? "unknown CPU" : name.substr(first, name.find_last_not_of(' ') - first + 1);
}

}  // namespace

Machine Machine::detect() {
  Machine machine;
  const Caches from_cpuid = caches_of_cpuid();
  const CacheBytes from_sysfs = caches_of_sysfs();
  const auto take = [&](std::int64_t& field, std::size_t level) {
    const std::int64_t bytes = from_cpuid.bytes[level] != 0 ? from_cpuid.bytes[level] : from_sysfs[level];
    if (bytes != 0) field = bytes;
  };
  take(machine.l1d_bytes, 1);
  take(machine.l2_bytes, 2);
  take(machine.l3_bytes, 3);
  if (from_cpuid.sharing_l3 != 0) machine.sharing_l3 = may_be_moved(from_cpuid.sharing_l3) ? 1 : from_cpuid.sharing_l3;
  machine.cpu_name = brand();
  return machine;
}

}  // namespace octavo::jit
