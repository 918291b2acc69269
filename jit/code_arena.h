// SPDX-License-Identifier: Apache-2.0
// Executable memory. The kernels of one batch are packed into one anonymous mapping, which is written while it is
// readable and writable and then sealed: readable and executable, for good. No page is ever writable and executable
// at once, and code that has run is never changed.
//
// Layout: kernels in the order given, each on a 64-byte boundary (a cache line, so that the same code runs at the same
// speed wherever it lands), gaps and the tail of the last page filled with int3, so that a stray jump traps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "jit/kernel.h"
#include "jit/profiler.h"

namespace octavo::jit {

/// Where an arena gets its pages. The system's, except in tests that make it fail.
class PageSource {
 public:
  virtual ~PageSource() = default;
  /// Fresh zeroed pages, readable and writable; null when refused (errno says why).
  virtual std::uint8_t* map(std::size_t bytes) = 0;
  /// Readable and executable, no longer writable; false when refused (errno says why).
  virtual bool seal(std::uint8_t* pages, std::size_t bytes) = 0;
  virtual void unmap(std::uint8_t* pages, std::size_t bytes) noexcept = 0;
};

/// mmap, mprotect and munmap.
[[nodiscard]] PageSource& system_pages() noexcept;

struct CodeArenaStatistics {
  std::size_t kernels = 0;
  std::size_t code_bytes = 0;    ///< the kernels' own bytes
  std::size_t mapped_bytes = 0;  ///< whole pages
};

/// Lives as long as any of its kernels.
class CodeArena {
 public:
  /// Copies the images into one sealed mapping. The source must outlive the kernels.
  /// Registers them with the profilers that the environment asks for (jit/profiler.h).
  /// Throws Error(resource) when the system refuses executable memory; nothing stays mapped then.
  [[nodiscard]] static std::vector<std::shared_ptr<const Kernel>> seal(std::vector<KernelImage> images,
                                                                       PageSource& pages = system_pages());
  ~CodeArena();
  CodeArena(const CodeArena&) = delete;
  CodeArena& operator=(const CodeArena&) = delete;

  [[nodiscard]] const CodeArenaStatistics& statistics() const noexcept { return statistics_; }

 private:
  CodeArena(const std::vector<KernelImage>& images, const std::vector<std::size_t>& offsets, std::size_t bytes,
            PageSource& pages);

  PageSource& source_;
  std::uint8_t* pages_ = nullptr;
  CodeArenaStatistics statistics_;
  std::unique_ptr<ProfilerRegistration> registration_;
};

}  // namespace octavo::jit
