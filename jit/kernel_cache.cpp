// SPDX-License-Identifier: Apache-2.0
// One lock, held while emitting: whoever asks for a kernel that another thread is emitting waits for it instead of
// emitting it again. Emission takes microseconds and happens at load time, so nothing finer pays.
//
// The cache does not own what it knows: a process that compiles for ever new shapes would never stop growing.
#include "jit/kernel_cache.h"

#include <chrono>
#include <mutex>
#include <unordered_map>

#include "jit/code_arena.h"

namespace octavo::jit {

struct KernelCache::State {
  mutable std::mutex mutex;
  std::unordered_map<std::string, std::weak_ptr<const Kernel>> kernels;
  KernelCacheStatistics statistics;  ///< but for what is counted when asked: kernels, code_bytes

  /// Null when there is none (any more).
  [[nodiscard]] std::shared_ptr<const Kernel> find(const std::string& name) const {
    const auto known = kernels.find(name);
    return known == kernels.end() ? nullptr : known->second.lock();
  }
  void forget_dead() {
    std::erase_if(kernels, [](const auto& entry) { return entry.second.expired(); });
  }
};

KernelCache::KernelCache() : state_(std::make_unique<State>()) {}
KernelCache::~KernelCache() = default;

std::vector<std::shared_ptr<const Kernel>> KernelCache::get(std::span<const KernelRequest> requests) {
  const std::scoped_lock lock(state_->mutex);
  const auto start = std::chrono::steady_clock::now();
  std::unordered_map<std::string, std::shared_ptr<const Kernel>> found;  // null: about to be emitted
  std::vector<KernelImage> images;
  for (const KernelRequest& request : requests) {
    const auto [entry, is_new] = found.try_emplace(request.name);
    if (!is_new) continue;
    entry->second = state_->find(request.name);
    if (entry->second != nullptr) continue;
    images.push_back(request.emit());
    images.back().name = request.name;
  }
  const std::size_t missing = images.size();
  if (missing != 0) {
    state_->forget_dead();
    for (const auto& kernel : CodeArena::seal(std::move(images))) {
      state_->kernels.insert_or_assign(kernel->name(), kernel);
      found[kernel->name()] = kernel;
    }
    state_->statistics.emit_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  state_->statistics.misses += missing;
  state_->statistics.hits += requests.size() - missing;
  std::vector<std::shared_ptr<const Kernel>> kernels;
  for (const KernelRequest& request : requests) kernels.push_back(found.at(request.name));
  return kernels;
}

KernelCacheStatistics KernelCache::statistics() const {
  const std::scoped_lock lock(state_->mutex);
  KernelCacheStatistics statistics = state_->statistics;
  for (const auto& entry : state_->kernels) {
    const auto kernel = entry.second.lock();
    if (kernel == nullptr) continue;
    ++statistics.kernels;
    statistics.code_bytes += kernel->code().size();
  }
  return statistics;
}

}  // namespace octavo::jit
