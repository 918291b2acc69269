// SPDX-License-Identifier: Apache-2.0
#include "jit/profiler.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "jit/code_arena.h"
#include "jit/gdb_jit.h"
#include "jit/perf_map.h"
#include "octavo/error.h"
#include "tests/jit/scoped_environment.h"

// gdb's view of the process.
extern "C" {
struct jit_code_entry {
  jit_code_entry* next;
  jit_code_entry* previous;
  const char* symbol_file;
  std::uint64_t symbol_file_bytes;
};
struct jit_descriptor {
  std::uint32_t version, action;
  jit_code_entry* relevant_entry;
  jit_code_entry* first_entry;
};
extern jit_descriptor __jit_debug_descriptor;
}

namespace octavo::jit {
namespace {

using ::testing::HasSubstr;
using testing::ScopedEnvironment;

KernelImage image(const std::string& name) { return {name, {0x90, 0xC3}, {}}; }

std::string contents(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// Address and size of a symbol in an ELF file, as a debugger finds them.
std::pair<std::uint64_t, std::uint64_t> find_symbol(const char* file, const std::string& name) {
  Elf64_Ehdr header;
  std::memcpy(&header, file, sizeof(header));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return {};
  for (int i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section, strings;
    std::memcpy(&section, file + header.e_shoff + static_cast<std::size_t>(i) * sizeof(section), sizeof(section));
    if (section.sh_type != SHT_SYMTAB) continue;
    std::memcpy(&strings, file + header.e_shoff + section.sh_link * sizeof(section), sizeof(section));
    for (std::size_t at = 0; at < section.sh_size; at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      std::memcpy(&symbol, file + section.sh_offset + at, sizeof(symbol));
      if (name == file + strings.sh_offset + symbol.st_name) return {symbol.st_value, symbol.st_size};
    }
  }
  return {};
}

TEST(Profiler, OffByDefault) {
  const ScopedEnvironment environment("OCTAVO_PROFILE", "");
  std::remove(perf_map_path().c_str());
  const auto kernels = CodeArena::seal({image("quiet_kernel")});
  EXPECT_EQ(__jit_debug_descriptor.first_entry, nullptr);
  EXPECT_FALSE(std::ifstream(perf_map_path()).is_open());
}

TEST(Profiler, PerfMapHasALineForEachKernel) {
  const ScopedEnvironment environment("OCTAVO_PROFILE", "perf");
  const auto kernels = CodeArena::seal({image("first_kernel"), image("second_kernel")});
  const std::string map = contents(perf_map_path());
  std::remove(perf_map_path().c_str());
  for (const auto& kernel : kernels) {
    std::ostringstream line;
    line << std::hex << reinterpret_cast<std::uintptr_t>(kernel->address()) << " 2 " << kernel->name() << '\n';
    EXPECT_THAT(map, HasSubstr(line.str()));
  }
}

TEST(Profiler, PerfMapDoesNotFollowALinkLeftInTmp) {
  const ScopedEnvironment environment("OCTAVO_PROFILE", "perf");
  const std::string victim = ::testing::TempDir() + "octavo_profiler_victim";
  std::ofstream(victim) << "precious";
  std::remove(perf_map_path().c_str());
  ASSERT_EQ(symlink(victim.c_str(), perf_map_path().c_str()), 0);
  EXPECT_THROW((void)CodeArena::seal({image("k")}), Error);
  EXPECT_EQ(contents(victim), "precious");
  std::remove(perf_map_path().c_str());
  std::remove(victim.c_str());
}

TEST(Profiler, GdbFindsKernelsByNameUntilTheyDie) {
  const ScopedEnvironment environment("OCTAVO_PROFILE", "gdb");
  auto first = CodeArena::seal({image("kernel_a"), image("kernel_b")});
  auto second = CodeArena::seal({image("kernel_c")});
  const jit_code_entry* newest = __jit_debug_descriptor.first_entry;
  ASSERT_NE(newest, nullptr);
  ASSERT_NE(newest->next, nullptr);
  EXPECT_EQ(newest->next->previous, newest);
  const auto [address, bytes] = find_symbol(newest->next->symbol_file, "kernel_b");
  EXPECT_EQ(address, reinterpret_cast<std::uint64_t>(first[1]->address()));
  EXPECT_EQ(bytes, 2U);
  first.clear();
  EXPECT_EQ(newest->next, nullptr);
  EXPECT_EQ(__jit_debug_descriptor.first_entry, newest);
  second.clear();
  EXPECT_EQ(__jit_debug_descriptor.first_entry, nullptr);
}

TEST(Profiler, UnknownProfilersAreErrorsThatNameTheVariable) {
  const ScopedEnvironment environment("OCTAVO_PROFILE", "perf,vtune");
  try {
    (void)CodeArena::seal({image("k")});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.where(), "OCTAVO_PROFILE");
    EXPECT_THAT(error.what(), HasSubstr("vtune"));
  }
  std::remove(perf_map_path().c_str());
}

}  // namespace
}  // namespace octavo::jit
