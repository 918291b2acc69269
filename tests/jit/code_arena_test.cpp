// SPDX-License-Identifier: Apache-2.0
#include "jit/code_arena.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

#include "octavo/error.h"

namespace octavo::jit {
namespace {

/// mov dword [rdi], value; ret
KernelImage storing(std::uint8_t value) {
  return {"store_" + std::to_string(value), {0xC7, 0x07, value, 0, 0, 0, 0xC3}, {{0, "store"}}};
}

/// The permissions of the mapping that holds `address`, from /proc/self/maps; empty when there is none.
std::string permissions_at(const void* address) {
  std::ifstream maps("/proc/self/maps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  for (std::string line; std::getline(maps, line);) {
    std::istringstream text(line);
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::string permissions;
    text >> std::hex >> begin >> dash >> end >> permissions;
    if (begin <= wanted && wanted < end) return permissions;
  }
  return {};
}

bool any_writable_and_executable() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream text(line);
    std::string range, permissions;
    text >> range >> permissions;
    if (permissions.find('w') != std::string::npos && permissions.find('x') != std::string::npos) return true;
  }
  return false;
}

/// The system's pages, watched: notes what the mapping's permissions are before and after it is sealed, and can fail.
class WatchedPages final : public PageSource {
 public:
  bool refuse_map = false, refuse_seal = false;
  int mapped = 0, unmapped = 0;
  std::string before_seal, after_seal;

  std::uint8_t* map(std::size_t bytes) override {
    if (refuse_map) {
      errno = ENOMEM;
      return nullptr;
    }
    ++mapped;
    return system_pages().map(bytes);
  }
  bool seal(std::uint8_t* pages, std::size_t bytes) override {
    before_seal = permissions_at(pages);
    if (refuse_seal) {
      errno = EACCES;
      return false;
    }
    const bool sealed = system_pages().seal(pages, bytes);
    after_seal = permissions_at(pages);
    return sealed;
  }
  void unmap(std::uint8_t* pages, std::size_t bytes) noexcept override {
    ++unmapped;
    system_pages().unmap(pages, bytes);
  }
};

TEST(CodeArena, SealedKernelsRun) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "x86-64 machine code";
#endif
  const auto kernels = CodeArena::seal({storing(3), storing(5)});
  ASSERT_EQ(kernels.size(), 2U);
  std::int32_t value = 0;
  (*kernels[0])(value);
  EXPECT_EQ(value, 3);
  (*kernels[1])(value);
  EXPECT_EQ(value, 5);
}

TEST(CodeArena, PagesAreNeverWritableAndExecutableAtOnce) {
  WatchedPages pages;
  const auto kernels = CodeArena::seal({storing(1)}, pages);
  EXPECT_EQ(pages.before_seal, "rw-p");
  EXPECT_EQ(pages.after_seal, "r-xp");
  EXPECT_EQ(permissions_at(kernels[0]->address()), "r-xp");
  EXPECT_FALSE(any_writable_and_executable());
}

TEST(CodeArena, KernelsAreAlignedPackedAndCounted) {
  const auto kernels = CodeArena::seal({storing(1), storing(2), storing(3)});
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(kernels[i]->address()) % 64, 0U);
    EXPECT_EQ(kernels[i]->address(), kernels[0]->address() + i * 64);
    EXPECT_TRUE(std::equal(kernels[i]->code().begin(), kernels[i]->code().end(), kernels[i]->address()));
  }
  EXPECT_EQ(kernels[0]->address()[7], 0xCC) << "gaps trap";
  EXPECT_EQ(kernels[0]->address()[4095], 0xCC) << "the tail of the last page traps";
}

TEST(CodeArena, PagesGoBackWithTheLastKernel) {
  WatchedPages pages;
  auto kernels = CodeArena::seal({storing(1), storing(2)}, pages);
  kernels.pop_back();
  EXPECT_EQ(pages.unmapped, 0);
  kernels.pop_back();
  EXPECT_EQ(pages.unmapped, 1);
}

TEST(CodeArena, AnEmptyBatchMapsNothing) {
  WatchedPages pages;
  EXPECT_TRUE(CodeArena::seal({}, pages).empty());
  EXPECT_EQ(pages.mapped, 0);
}

TEST(CodeArena, RefusedExecutionIsAnErrorThatNamesTheWayOutAndLeaksNothing) {
  for (const bool at_map : {true, false}) {
    WatchedPages pages;
    (at_map ? pages.refuse_map : pages.refuse_seal) = true;
    try {
      (void)CodeArena::seal({storing(1)}, pages);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::resource);
      EXPECT_THAT(error.what(), ::testing::HasSubstr(at_map ? "mmap" : "mprotect"));
      EXPECT_THAT(error.hint(), ::testing::HasSubstr("OCTAVO_ISA=reference"));
    }
    EXPECT_EQ(pages.mapped, pages.unmapped);
  }
}

}  // namespace
}  // namespace octavo::jit
