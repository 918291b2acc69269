// SPDX-License-Identifier: Apache-2.0
// A small list of futures: with a handful of entries, searching it costs nothing next to one layer.
#include "runtime/program_cache.h"

#include <algorithm>

namespace octavo::runtime {

Program ProgramCache::get(const ProgramKey& key, const std::function<Program()>& compile) {
  const auto is_wanted = [&](const Entry& entry) { return entry.first == key; };
  std::promise<Program> promise;
  {
    std::unique_lock lock(mutex_);
    const auto kept = std::find_if(entries_.begin(), entries_.end(), is_wanted);
    if (kept != entries_.end()) {
      entries_.splice(entries_.begin(), entries_, kept);
      const auto program = kept->second;
      lock.unlock();
      return program.get();
    }
    entries_.emplace_front(key, promise.get_future().share());
    if (entries_.size() > capacity_) entries_.pop_back();
  }
  try {
    Program program = compile();
    promise.set_value(program);
    return program;
  } catch (...) {
    promise.set_exception(std::current_exception());
    const std::lock_guard lock(mutex_);
    entries_.remove_if(is_wanted);
    throw;
  }
}

std::size_t ProgramCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace octavo::runtime
