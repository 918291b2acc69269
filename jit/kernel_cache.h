// SPDX-License-Identifier: Apache-2.0
// Kernels by name: equal specs share one piece of code, as long as anybody holds it. Safe under threads.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "jit/kernel.h"

namespace octavo::jit {

struct KernelRequest {
  std::string name;                   ///< the kernel's identity
  std::function<KernelImage()> emit;  ///< called only when the cache does not have it
};

struct KernelCacheStatistics {
  std::size_t kernels = 0, code_bytes = 0;  ///< of what is held by somebody now
  std::size_t hits = 0, misses = 0;
  double emit_seconds = 0.0;
};

class KernelCache {
 public:
  KernelCache();
  ~KernelCache();
  KernelCache(const KernelCache&) = delete;
  KernelCache& operator=(const KernelCache&) = delete;

  /// The kernels asked for, in order. All that are missing are emitted into one code arena, which is then sealed. They
  /// belong to the caller: when the last one who holds a kernel lets go of it, the cache forgets it.
  /// Throws what emit() throws, and Error(resource) when executable memory is refused.
  std::vector<std::shared_ptr<const Kernel>> get(std::span<const KernelRequest> requests);
  [[nodiscard]] KernelCacheStatistics statistics() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace octavo::jit
