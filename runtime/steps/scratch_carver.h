// SPDX-License-Identifier: Apache-2.0
// A step's scratch memory in parts, measured and handed out by the same lines.
#pragma once

#include <cstddef>
#include <cstdint>

namespace octavo::runtime {

/// Each part begins on a cache line. With a null base it only measures: its parts are null.
class ScratchCarver {
 public:
  explicit ScratchCarver(std::byte* base) : base_(base) {}
  template <class T>
  T* take(std::int64_t count) {
    constexpr std::size_t kAlignment = 64;
    std::byte* const part = base_ == nullptr ? nullptr : base_ + used_;
    used_ += (static_cast<std::size_t>(count) * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    return reinterpret_cast<T*>(part);
  }
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  std::byte* base_;
  std::size_t used_ = 0;
};

/// Bytes of what `carve` takes of a ScratchCarver.
template <class Carve>
[[nodiscard]] std::size_t carved_bytes(const Carve& carve) {
  ScratchCarver measure(nullptr);
  static_cast<void>(carve(measure));
  return measure.used();
}

}  // namespace octavo::runtime
