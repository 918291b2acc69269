// SPDX-License-Identifier: Apache-2.0
// The memory plan: what lives at the same time does not overlap, and what does not, shares.
#include "runtime/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <span>
#include <vector>

namespace octavo::runtime {
namespace {

std::vector<BufferRequest> random_requests(unsigned seed) {
  std::mt19937 random(seed);
  const auto in = [&](std::size_t low, std::size_t high) {
    return std::uniform_int_distribution<std::size_t>(low, high)(random);
  };
  std::vector<BufferRequest> requests(in(1, 60));
  for (BufferRequest& request : requests) {
    const std::size_t first = in(0, 30);
    request = {in(0, 4) == 0 ? 0 : in(1, 100'000), first, first + in(0, 10)};
  }
  return requests;
}

class MemoryPlanners : public ::testing::TestWithParam<MemoryPlan (*)(std::span<const BufferRequest>)> {};
INSTANTIATE_TEST_SUITE_P(Planners, MemoryPlanners, ::testing::Values(&plan_memory, &plan_memory_by_halves));

TEST_P(MemoryPlanners, BuffersThatLiveTogetherDoNotOverlap) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    const std::vector<BufferRequest> requests = random_requests(seed);
    const MemoryPlan plan = GetParam()(requests);
    for (std::size_t a = 0; a < requests.size(); ++a) {
      EXPECT_EQ(plan.offsets[a] % kArenaAlignment, 0U);
      EXPECT_LE(plan.offsets[a] + requests[a].bytes, plan.bytes);
      for (std::size_t b = 0; b < a; ++b) {
        if (requests[a].first > requests[b].last || requests[b].first > requests[a].last) continue;
        if (requests[a].bytes == 0 || requests[b].bytes == 0) continue;
        EXPECT_TRUE(plan.offsets[a] + requests[a].bytes <= plan.offsets[b] ||
                    plan.offsets[b] + requests[b].bytes <= plan.offsets[a])
            << "seed " << seed << ": buffers " << a << " and " << b;
      }
    }
  }
}

TEST(MemoryPlan, TakesNoMoreThanAllAndNoLessThanWhatLivesAtOnce) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    const std::vector<BufferRequest> requests = random_requests(seed);
    std::size_t all = 0, most_at_once = 0;
    for (const BufferRequest& request : requests) all += align_up(request.bytes);
    for (std::size_t step = 0; step <= 40; ++step) {
      std::size_t live = 0;
      for (const BufferRequest& request : requests)
        if (request.first <= step && step <= request.last) live += align_up(request.bytes);
      most_at_once = std::max(most_at_once, live);
    }
    const std::size_t planned = plan_memory(requests).bytes;
    EXPECT_LE(planned, all);
    EXPECT_GE(planned, most_at_once);
  }
}

TEST(MemoryPlan, ByHalvesBuffersThatShareMemoryShareTheirMiddle) {
  std::size_t sharing = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    const std::vector<BufferRequest> requests = random_requests(seed);
    const MemoryPlan plan = plan_memory_by_halves(requests);
    const auto middle = [&](std::size_t i) { return plan.offsets[i] + align_up(requests[i].bytes) / 2; };
    const auto end = [&](std::size_t i) { return plan.offsets[i] + requests[i].bytes; };
    for (std::size_t a = 0; a < requests.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        if (requests[a].bytes == 0 || requests[b].bytes == 0) continue;
        if (end(a) <= plan.offsets[b] || end(b) <= plan.offsets[a]) continue;
        ++sharing;
        EXPECT_LE(std::max(middle(a), middle(b)) - std::min(middle(a), middle(b)), kArenaAlignment);
      }
    }
  }
  EXPECT_GT(sharing, 1000U);
}

TEST(MemoryPlan, AChainOfLayersNeedsTwoBuffers) {
  std::vector<BufferRequest> chain;
  for (std::size_t step = 0; step < 50; ++step) chain.push_back({4096, step, step + 1});
  EXPECT_EQ(plan_memory(chain).bytes, 2 * 4096U);
  EXPECT_EQ(plan_memory_by_halves(chain).bytes, 2 * 4096U);
}

TEST(MemoryPlan, FillsTheTightestGap) {
  // Two gaps, of 128 and of 64 bytes, between buffers that live long; what comes last fits both and takes the small
  // one.
  const std::vector<BufferRequest> requests = {{256, 0, 9}, {128, 0, 1}, {192, 0, 9},
                                               {64, 0, 1},  {160, 0, 9}, {64, 2, 3}};
  const MemoryPlan plan = plan_memory(requests);
  EXPECT_EQ(plan.offsets[5] % kArenaAlignment, 0U);
  EXPECT_LT(plan.offsets[5], plan.bytes);
  EXPECT_EQ(plan.bytes, plan_memory(std::vector<BufferRequest>(requests.begin(), requests.end() - 1)).bytes);
}

TEST(MemoryPlan, NothingNeedsNothing) { EXPECT_EQ(plan_memory({}).bytes, 0U); }

}  // namespace
}  // namespace octavo::runtime
