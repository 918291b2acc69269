// SPDX-License-Identifier: Apache-2.0
// Channel order and slice sizes.
#include "jit/window_layout.h"

#include "jit/vector_unit.h"

namespace octavo::jit {

std::int64_t channel_at(Isa isa, std::int64_t channels, std::int64_t position) {
  const std::int64_t packed = std::int64_t{4} * vector_facts(isa).lanes;
  if (position >= channels / packed * packed) return position;
  return position / packed * packed + packed_channel(isa, static_cast<int>(position % packed));
}

WindowRun::WindowRun(const ConvSpec& spec)
    : groups(spec.groups),
      full(spec.channels_per_group() / spec.window_channels()),
      channels(spec.window_channels()),
      tail_channels(spec.channels_per_group() % spec.window_channels()) {}

ScratchLayout::ScratchLayout(const WindowRun& run, std::int64_t rows, std::int64_t columns, bool scale_per_pixel)
    : slice_bytes(rows * columns * window_bytes(run.channels)),
      group_bytes(run.full * slice_bytes + rows * columns * window_bytes(run.tail_channels)),
      scales_per_window(scale_per_pixel ? rows * columns : 1),
      bytes(run.groups * group_bytes),
      scales(run.groups * run.windows() * scales_per_window) {}

}  // namespace octavo::jit
