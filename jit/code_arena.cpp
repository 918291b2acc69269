// SPDX-License-Identifier: Apache-2.0
#include "jit/code_arena.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>

#include "octavo/error.h"

namespace octavo::jit {
namespace {

constexpr std::size_t alignment = 64;
constexpr std::uint8_t int3 = 0xCC;

class SystemPages final : public PageSource {
 public:
  std::uint8_t* map(std::size_t bytes) override {
    void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(pages);
  }
  bool seal(std::uint8_t* pages, std::size_t bytes) override {
    return mprotect(pages, bytes, PROT_READ | PROT_EXEC) == 0;
  }
  void unmap(std::uint8_t* pages, std::size_t bytes) noexcept override { munmap(pages, bytes); }
};

std::size_t round_up(std::size_t value, std::size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

[[noreturn]] void refuse(const char* step, std::size_t bytes, int error) {
  throw Error(
      ErrorKind::resource,
      fmt::format("the system refuses {} bytes of executable memory ({}: {})", bytes, step, std::strerror(error)),
      "machine code", "set OCTAVO_ISA=reference to run without machine code, slowly");
}

}  // namespace

PageSource& system_pages() noexcept {
  // Never destroyed: kernels that static objects hold give their pages back after it would have been.
  alignas(SystemPages) static std::byte storage[sizeof(SystemPages)];
  static PageSource* const pages = new (storage) SystemPages;
  return *pages;
}

CodeArena::CodeArena(const std::vector<KernelImage>& images, const std::vector<std::size_t>& offsets, std::size_t bytes,
                     PageSource& pages)
    : source_(pages), pages_(pages.map(bytes)) {
  if (pages_ == nullptr) refuse("mmap", bytes, errno);
  std::memset(pages_, int3, bytes);
  for (std::size_t i = 0; i < images.size(); ++i) {
    std::copy(images[i].code.begin(), images[i].code.end(), pages_ + offsets[i]);
    statistics_.code_bytes += images[i].code.size();
  }
  statistics_.kernels = images.size();
  statistics_.mapped_bytes = bytes;
  if (!pages.seal(pages_, bytes)) {
    const int error = errno;
    pages.unmap(pages_, bytes);
    refuse("mprotect", bytes, error);
  }
}

CodeArena::~CodeArena() {
  registration_.reset();  // before the code goes away
  source_.unmap(pages_, statistics_.mapped_bytes);
}

std::vector<std::shared_ptr<const Kernel>> CodeArena::seal(std::vector<KernelImage> images, PageSource& pages) {
  if (images.empty()) return {};
  std::vector<std::size_t> offsets;
  std::size_t bytes = 0;
  for (const KernelImage& image : images) {
    offsets.push_back(round_up(bytes, alignment));
    bytes = offsets.back() + image.code.size();
  }
  bytes = round_up(std::max<std::size_t>(bytes, 1), static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
  const std::shared_ptr<CodeArena> arena(new CodeArena(images, offsets, bytes, pages));
  std::vector<CodeSymbol> symbols;
  for (std::size_t i = 0; i < images.size(); ++i) {
    symbols.push_back({images[i].name, arena->pages_ + offsets[i], images[i].code.size()});
  }
  arena->registration_ = register_with_profilers(symbols);
  std::vector<std::shared_ptr<const Kernel>> kernels;
  for (std::size_t i = 0; i < images.size(); ++i) {
    kernels.push_back(std::make_shared<const Kernel>(std::move(images[i]), arena, arena->pages_ + offsets[i]));
  }
  return kernels;
}

}  // namespace octavo::jit
