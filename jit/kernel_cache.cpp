// SPDX-License-Identifier: Apache-2.0
// One lock, held while emitting: whoever asks for a kernel that another thread is emitting waits for it instead of
// emitting it again. Emission takes microseconds and happens at load time, so nothing finer pays.
#include "jit/kernel_cache.h"

#include <chrono>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "jit/code_arena.h"

namespace octavo::jit {

struct KernelCache::State {
  mutable std::mutex mutex;
  std::unordered_map<std::string, std::shared_ptr<const Kernel>> kernels;
  KernelCacheStatistics statistics;
};

KernelCache::KernelCache() : state_(std::make_unique<State>()) {}
KernelCache::~KernelCache() = default;

std::vector<std::shared_ptr<const Kernel>> KernelCache::get(std::span<const KernelRequest> requests) {
  const std::scoped_lock lock(state_->mutex);
  auto& known = state_->kernels;
  const auto start = std::chrono::steady_clock::now();
  std::vector<KernelImage> images;
  std::unordered_set<std::string> emitting;
  for (const KernelRequest& request : requests) {
    if (known.contains(request.name) || !emitting.insert(request.name).second) continue;
    images.push_back(request.emit());
    images.back().name = request.name;
  }
  const std::size_t missing = images.size();
  for (auto& kernel : CodeArena::seal(std::move(images))) {
    state_->statistics.code_bytes += kernel->code().size();
    known.emplace(kernel->name(), std::move(kernel));
  }
  state_->statistics.kernels = known.size();
  state_->statistics.misses += missing;
  state_->statistics.hits += requests.size() - missing;
  if (missing != 0) {
    state_->statistics.emit_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  std::vector<std::shared_ptr<const Kernel>> kernels;
  for (const KernelRequest& request : requests) kernels.push_back(known.at(request.name));
  return kernels;
}

KernelCacheStatistics KernelCache::statistics() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->statistics;
}

}  // namespace octavo::jit
