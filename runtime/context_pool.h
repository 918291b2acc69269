// SPDX-License-Identifier: Apache-2.0
// The memory of concurrent predict() calls: a context each, kept and used again.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/aligned_buffer.h"
#include "runtime/step.h"

namespace octavo::runtime {

/// All that one running predict() call writes to.
struct Context {
  RunContext run;
  AlignedBuffer arena;
  std::vector<std::unique_ptr<StepState>> states;  ///< by step; may be null
};

/// Safe under threads. As many contexts come to be as calls ever ran at once; none is freed before the pool.
class ContextPool {
 public:
  using Factory = std::function<std::unique_ptr<Context>()>;
  explicit ContextPool(Factory make) : make_(std::move(make)) {}

  /// Gives its context back when it goes. Must not outlive the pool.
  class Lease {
   public:
    Lease(ContextPool& pool, std::unique_ptr<Context> context) : pool_(&pool), context_(std::move(context)) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (context_) pool_->give_back(std::move(context_));
    }
    [[nodiscard]] Context& operator*() const noexcept { return *context_; }
    [[nodiscard]] Context* operator->() const noexcept { return context_.get(); }

   private:
    ContextPool* pool_;
    std::unique_ptr<Context> context_;
  };

  /// A context that nobody else has; allocates only when all are taken. Throws Error(resource).
  [[nodiscard]] Lease acquire();

 private:
  void give_back(std::unique_ptr<Context> context) noexcept;

  Factory make_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Context>> idle_;  ///< its capacity covers every context that exists
  std::size_t existing_ = 0;
};

}  // namespace octavo::runtime
