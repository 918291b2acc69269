// SPDX-License-Identifier: Apache-2.0
// Memory for packed weights: zeroed, beginning on a cache line, and on huge pages where it is large. A batch-1 Linear
// streams all its weights once; with 4 KB pages the hardware prefetcher stops at every one of them, which costs a third
// of the memory's speed (docs/kernels.md).
#pragma once

#include <cstddef>
#include <memory>

namespace octavo::jit {

constexpr std::size_t cache_line = 64;

[[nodiscard]] constexpr std::size_t round_up_to_line(std::size_t bytes) {
  return (bytes + cache_line - 1) / cache_line * cache_line;
}

class AlignedBytes {
 public:
  AlignedBytes() : AlignedBytes(0) {}
  /// Throws std::bad_alloc.
  explicit AlignedBytes(std::size_t size);

  [[nodiscard]] std::byte* data() const noexcept { return bytes_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  struct Free {
    std::size_t alignment;
    void operator()(std::byte* bytes) const noexcept;
  };
  std::size_t size_;
  std::unique_ptr<std::byte, Free> bytes_;
};

}  // namespace octavo::jit
