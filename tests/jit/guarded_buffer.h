// SPDX-License-Identifier: Apache-2.0
// A buffer between inaccessible pages, its last element (or its first) right at one: a read or a write one byte beyond
// that end faults.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <new>
#include <span>

namespace octavo::jit::testing {

/// Which end of the elements touches an inaccessible page.
enum class Guard { behind, before };

template <class T>
class GuardedBuffer {
 public:
  explicit GuardedBuffer(std::size_t count, Guard guard = Guard::behind) : count_(count) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t usable = (count * sizeof(T) + page - 1) / page * page;
    bytes_ = usable + 2 * page;
    void* pages = mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<std::byte*>(pages);
    if (usable != 0 && mprotect(base_ + page, usable, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    data_ = reinterpret_cast<T*>(base_ + page + (guard == Guard::behind ? usable - count * sizeof(T) : 0));
  }
  ~GuardedBuffer() { munmap(base_, bytes_); }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  [[nodiscard]] T* data() noexcept { return data_; }
  [[nodiscard]] const T* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] T& operator[](std::size_t i) noexcept { return data_[i]; }
  [[nodiscard]] const T& operator[](std::size_t i) const noexcept { return data_[i]; }
  [[nodiscard]] std::span<T> span() noexcept { return {data_, count_}; }

 private:
  std::size_t count_, bytes_ = 0;
  std::byte* base_ = nullptr;
  T* data_ = nullptr;
};

}  // namespace octavo::jit::testing
