// SPDX-License-Identifier: Apache-2.0
// Memory that begins on a cache line, for packed weights.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

namespace octavo::jit {

constexpr std::size_t cache_line = 64;

[[nodiscard]] constexpr std::size_t round_up_to_line(std::size_t bytes) {
  return (bytes + cache_line - 1) / cache_line * cache_line;
}

/// Zeroed bytes at a multiple of a cache line.
class AlignedBytes {
 public:
  AlignedBytes() : AlignedBytes(0) {}
  explicit AlignedBytes(std::size_t size)
      : size_(size), bytes_(static_cast<std::byte*>(::operator new (size, std::align_val_t{cache_line}))) {
    std::fill_n(bytes_.get(), size, std::byte{0});
  }
  [[nodiscard]] std::byte* data() const noexcept { return bytes_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  struct Free {
    void operator()(std::byte* p) const noexcept { ::operator delete (p, std::align_val_t{cache_line}); }
  };
  std::size_t size_;
  std::unique_ptr<std::byte, Free> bytes_;
};

}  // namespace octavo::jit
