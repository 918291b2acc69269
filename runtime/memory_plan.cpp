// SPDX-License-Identifier: Apache-2.0
// By decreasing size: into the tightest gap, or into the smallest stack that is free.
#include "runtime/memory_plan.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace octavo::runtime {
namespace {

bool meet(const BufferRequest& a, const BufferRequest& b) { return a.first <= b.last && b.first <= a.last; }

struct Extent {
  std::size_t begin, end;
};

/// The start of the tightest gap of `bytes` between `taken` (sorted by begin), or the end of them all.
std::size_t find_gap(const std::vector<Extent>& taken, std::size_t bytes) {
  std::size_t best = SIZE_MAX, best_size = SIZE_MAX, cursor = 0;
  for (const Extent& extent : taken) {
    if (extent.begin > cursor && extent.begin - cursor >= bytes && extent.begin - cursor < best_size) {
      best = cursor;
      best_size = extent.begin - cursor;
    }
    cursor = std::max(cursor, extent.end);
  }
  return best == SIZE_MAX ? cursor : best;
}

std::vector<std::size_t> by_decreasing_size(std::span<const BufferRequest> requests) {
  std::vector<std::size_t> order(requests.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return requests[a].bytes > requests[b].bytes; });
  return order;
}

/// Buffers of which no two live at the same time, all with the same middle.
struct Stack {
  std::size_t begin, bytes;
  std::vector<std::size_t> members;
};

}  // namespace

MemoryPlan plan_memory_by_halves(std::span<const BufferRequest> requests) {
  MemoryPlan plan;
  plan.offsets.assign(requests.size(), 0);
  std::vector<Stack> stacks;
  for (const std::size_t id : by_decreasing_size(requests)) {
    const std::size_t bytes = align_up(requests[id].bytes);
    if (bytes == 0) continue;
    // Later stacks are smaller.
    const auto free = std::find_if(stacks.rbegin(), stacks.rend(), [&](const Stack& stack) {
      return std::none_of(stack.members.begin(), stack.members.end(),
                          [&](std::size_t member) { return meet(requests[id], requests[member]); });
    });
    Stack* stack = free == stacks.rend() ? nullptr : &*free;
    if (stack == nullptr) {
      stack = &stacks.emplace_back(Stack{plan.bytes, bytes, {}});
      plan.bytes += bytes;
    }
    stack->members.push_back(id);
    plan.offsets[id] = stack->begin + (stack->bytes - bytes) / 2 / kArenaAlignment * kArenaAlignment;
  }
  return plan;
}

MemoryPlan plan_memory(std::span<const BufferRequest> requests) {
  MemoryPlan plan;
  plan.offsets.assign(requests.size(), 0);
  const std::vector<std::size_t> order = by_decreasing_size(requests);

  std::vector<Extent> taken;
  for (std::size_t position = 0; position < order.size(); ++position) {
    const BufferRequest& request = requests[order[position]];
    if (request.bytes == 0) continue;
    taken.clear();
    for (std::size_t earlier = 0; earlier < position; ++earlier) {
      const std::size_t other = order[earlier];
      if (requests[other].bytes == 0 || !meet(request, requests[other])) continue;
      taken.push_back({plan.offsets[other], plan.offsets[other] + align_up(requests[other].bytes)});
    }
    std::sort(taken.begin(), taken.end(), [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
    const std::size_t offset = find_gap(taken, align_up(request.bytes));
    plan.offsets[order[position]] = offset;
    plan.bytes = std::max(plan.bytes, offset + align_up(request.bytes));
  }
  return plan;
}

}  // namespace octavo::runtime
