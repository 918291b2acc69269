// SPDX-License-Identifier: Apache-2.0
// Scratch memory by thread.
#pragma once

#include <cstddef>

namespace octavo::runtime {

/// Memory that is a thread's own in every step of a program, so that its cache lines stay with the core that runs it.
struct ThreadScratch {
  std::byte* first = nullptr;  ///< 64-byte aligned
  std::size_t stride = 0;      ///< bytes from a thread's to the next one's; a multiple of 64
  [[nodiscard]] std::byte* of(int thread) const noexcept { return first + static_cast<std::size_t>(thread) * stride; }
};

}  // namespace octavo::runtime
