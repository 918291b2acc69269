// SPDX-License-Identifier: Apache-2.0
#include "jit/kernel_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace octavo::jit {
namespace {

KernelRequest counting(const std::string& name, std::atomic<int>& emitted) {
  return {name, [&emitted, name] {
            ++emitted;
            return KernelImage{name, {0xC3}, {}};
          }};
}

TEST(KernelCache, EqualNamesShareOneKernel) {
  KernelCache cache;
  std::atomic<int> emitted = 0;
  const std::vector<KernelRequest> requests = {counting("a", emitted), counting("b", emitted), counting("a", emitted)};
  const auto first = cache.get(requests);
  ASSERT_EQ(first.size(), 3U);
  EXPECT_EQ(first[0], first[2]);
  EXPECT_NE(first[0], first[1]);
  EXPECT_EQ(first[1]->name(), "b");
  EXPECT_EQ(cache.get(requests), first);
  EXPECT_EQ(emitted, 2);
}

TEST(KernelCache, StatisticsCountWhatHappened) {
  KernelCache cache;
  std::atomic<int> emitted = 0;
  const std::vector<KernelRequest> requests = {counting("a", emitted), counting("b", emitted)};
  const auto held = cache.get(requests);
  EXPECT_EQ(cache.get(requests), held);
  const auto statistics = cache.statistics();
  EXPECT_EQ(statistics.kernels, 2U);
  EXPECT_EQ(statistics.misses, 2U);
  EXPECT_EQ(statistics.hits, 2U);
  EXPECT_EQ(statistics.code_bytes, 2U);
  EXPECT_GT(statistics.emit_seconds, 0.0);
}

TEST(KernelCache, AKernelThatNobodyHoldsIsForgotten) {
  KernelCache cache;
  std::atomic<int> emitted = 0;
  const std::vector<KernelRequest> a = {counting("a", emitted)}, b = {counting("b", emitted)};
  const auto held = cache.get(a);
  EXPECT_EQ(cache.get(b).size(), 1U);
  EXPECT_EQ(cache.statistics().kernels, 1U);
  EXPECT_EQ(cache.statistics().code_bytes, 1U);
  EXPECT_EQ(cache.get(a), held);
  EXPECT_EQ(cache.get(b).front()->name(), "b");
  EXPECT_EQ(emitted, 3);
}

TEST(KernelCache, AFailedEmissionLeavesTheCacheAsItWas) {
  KernelCache cache;
  std::atomic<int> emitted = 0;
  const std::vector<KernelRequest> bad = {counting("a", emitted),
                                          {"b", []() -> KernelImage { throw std::runtime_error("emitter"); }}};
  EXPECT_THROW((void)cache.get(bad), std::runtime_error);
  EXPECT_EQ(cache.statistics().kernels, 0U);
  const std::vector<KernelRequest> good = {counting("a", emitted), counting("b", emitted)};
  EXPECT_EQ(cache.get(good).size(), 2U);
}

TEST(KernelCache, ThreadsThatAskForTheSameKernelEmitItOnce) {
  constexpr int threads = 8, rounds = 50;
  KernelCache cache;
  std::vector<std::atomic<int>> emitted(rounds);
  std::vector<std::vector<std::shared_ptr<const Kernel>>> got(threads);
  std::barrier start(threads);
  {
    std::vector<std::jthread> team;
    for (int t = 0; t < threads; ++t) {
      team.emplace_back([&, t] {
        for (int round = 0; round < rounds; ++round) {
          const std::vector<KernelRequest> request = {counting("k" + std::to_string(round), emitted[round])};
          start.arrive_and_wait();
          got[t].push_back(cache.get(request).front());
        }
      });
    }
  }
  for (int round = 0; round < rounds; ++round) {
    EXPECT_EQ(emitted[round], 1);
    for (int t = 1; t < threads; ++t) EXPECT_EQ(got[t][round], got[0][round]);
  }
}

}  // namespace
}  // namespace octavo::jit
