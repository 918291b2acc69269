// SPDX-License-Identifier: Apache-2.0
// The memory of concurrent predict() calls.
#include "runtime/context_pool.h"

namespace octavo::runtime {

ContextPool::Lease ContextPool::acquire() {
  {
    const std::scoped_lock lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Context> context = std::move(idle_.back());
      idle_.pop_back();
      return {*this, std::move(context)};
    }
  }
  std::unique_ptr<Context> context = make_();
  const std::scoped_lock lock(mutex_);
  idle_.reserve(existing_ + 1);
  ++existing_;
  return {*this, std::move(context)};
}

void ContextPool::give_back(std::unique_ptr<Context> context) noexcept {
  const std::scoped_lock lock(mutex_);
  idle_.push_back(std::move(context));  // within capacity: see acquire()
}

}  // namespace octavo::runtime
