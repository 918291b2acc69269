// SPDX-License-Identifier: Apache-2.0
// Tells profilers and debuggers the names of emitted kernels. Off unless the environment asks:
//   OCTAVO_PROFILE=perf   a line a kernel in /tmp/perf-<pid>.map, which `perf report` and others read
//   OCTAVO_PROFILE=gdb    through gdb's JIT interface: `disas <kernel name>`, names in backtraces, breakpoints
//   OCTAVO_PROFILE=perf,gdb
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace octavo::jit {

struct CodeSymbol {
  std::string name;
  const std::uint8_t* address;
  std::size_t bytes;
};

/// As long as it lives, the code is known to whom it was registered with.
class ProfilerRegistration {
 public:
  virtual ~ProfilerRegistration() = default;
};

/// Registers with what OCTAVO_PROFILE says; null when it says nothing.
/// Throws Error: invalid_argument (unknown profiler), io (the map cannot be written).
[[nodiscard]] std::unique_ptr<ProfilerRegistration> register_with_profilers(std::span<const CodeSymbol> symbols);

}  // namespace octavo::jit
