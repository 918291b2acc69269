// SPDX-License-Identifier: Apache-2.0
// Best-fit placement by decreasing size.
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

}  // namespace

MemoryPlan plan_memory(std::span<const BufferRequest> requests) {
  MemoryPlan plan;
  plan.offsets.assign(requests.size(), 0);
  std::vector<std::size_t> order(requests.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return requests[a].bytes > requests[b].bytes; });

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
