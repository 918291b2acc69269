// SPDX-License-Identifier: Apache-2.0
// Where the values of a program lie in its arena: buffers whose lifetimes do not meet share memory.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace octavo::runtime {

/// Alignment, and the grain of sizes, of everything in an arena (a cache line, a vector register).
inline constexpr std::size_t kArenaAlignment = 64;

[[nodiscard]] constexpr std::size_t align_up(std::size_t bytes) {
  return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
}

struct BufferRequest {
  std::size_t bytes = 0;
  std::size_t first = 0, last = 0;  ///< the steps from its first write to its last read, both included
};

struct MemoryPlan {
  std::vector<std::size_t> offsets;  ///< in bytes, a request each, multiples of kArenaAlignment
  std::size_t bytes = 0;             ///< of the whole arena
};

/// Larger buffers are placed first, each into the smallest gap that it fits among those that live at the same time.
/// Deterministic. A buffer of no bytes has offset 0.
[[nodiscard]] MemoryPlan plan_memory(std::span<const BufferRequest> requests);

/// For several threads, each of which works on its own part of every buffer, in order: buffers that follow each other
/// in the same memory have the same middle, so that what lies before it stays in the caches of the threads of the first
/// half, and what lies behind it in those of the others. Takes more memory than plan_memory(). Deterministic.
[[nodiscard]] MemoryPlan plan_memory_by_halves(std::span<const BufferRequest> requests);

}  // namespace octavo::runtime
