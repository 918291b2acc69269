// SPDX-License-Identifier: Apache-2.0
// A small list of futures: with a handful of entries, searching it costs nothing next to one layer.
#include "runtime/program_cache.h"

#include <algorithm>

namespace octavo::runtime {

Program ProgramCache::get(const ProgramKey& key, const std::function<Program()>& compile) {
  std::promise<Program> promise;
  std::uint64_t id = 0;
  {
    std::unique_lock lock(mutex_);
    const auto kept = std::ranges::find(entries_, key, &Entry::key);
    if (kept != entries_.end()) {
      entries_.splice(entries_.begin(), entries_, kept);
      const auto program = kept->program;
      lock.unlock();
      return program.get();
    }
    id = next_id_++;
    entries_.push_front({key, promise.get_future().share(), id});
    if (entries_.size() > capacity_) entries_.pop_back();
  }
  try {
    Program program = compile();
    promise.set_value(program);
    return program;
  } catch (...) {
    promise.set_exception(std::current_exception());
    const std::lock_guard lock(mutex_);
    entries_.remove_if([&](const Entry& entry) { return entry.id == id; });
    throw;
  }
}

std::size_t ProgramCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace octavo::runtime
