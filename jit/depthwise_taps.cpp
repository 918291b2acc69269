// SPDX-License-Identifier: Apache-2.0
#include "jit/depthwise_taps.h"

#include <algorithm>
#include <numeric>

namespace octavo::jit {
namespace {

/// Groups that hold all taps of an output whose first tap lies `offset` columns into its first group: from the left,
/// each group takes every tap within its reach.
std::vector<TapGroup> cover(std::int64_t offset, std::int64_t taps, std::int64_t dilation, std::int64_t step) {
  std::vector<TapGroup> groups;
  std::int64_t tap = 0;
  while (tap < taps) {
    TapGroup group;
    group.group = (offset + tap * dilation) / step;
    group.taps.fill(-1);
    for (; tap < taps; ++tap) {
      const std::int64_t byte = offset + tap * dilation - group.group * step;
      if (byte >= group_bytes) break;
      group.taps[static_cast<std::size_t>(byte)] = tap;
    }
    groups.push_back(group);
  }
  return groups;
}

}  // namespace

DepthwiseTaps::DepthwiseTaps(const ConvSpec& spec, std::int64_t group_step)
    : step(group_step), field_stride(spec.kernel_w == 1 ? 1 : spec.stride_w) {
  const std::int64_t count = step / std::gcd(step, field_stride);
  for (std::int64_t phase = 0; phase < count; ++phase) {
    phases.push_back(cover(phase * field_stride % step, spec.kernel_w, spec.dilation_w, step));
    for (TapGroup& group : phases.back()) group.index = row_dwords++;
  }
}

std::int64_t DepthwiseTaps::groups(std::int64_t columns) const {
  std::int64_t last = 0;
  for (std::int64_t x = std::max<std::int64_t>(0, columns - static_cast<std::int64_t>(phases.size())); x < columns;
       ++x) {
    last = std::max(last, first_group(x) + of_column(x).back().group);
  }
  return last + 1;
}

}  // namespace octavo::jit
