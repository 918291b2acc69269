// SPDX-License-Identifier: Apache-2.0
#include "jit/depthwise_layout.h"

#include <algorithm>

#include "jit/vector_unit.h"
#include "octavo/error.h"

namespace octavo::jit {

DepthwiseLayout::DepthwiseLayout(const ConvSpec& spec, const Plan& plan)
    : grid(spec, plan),
      taps(spec, plan.group_step),
      lanes(vector_facts(spec.isa).lanes),
      channel_vectors((spec.out_channels + lanes - 1) / lanes),
      chunk_vectors(std::min(plan.column_vectors, channel_vectors)),
      chunks((channel_vectors + chunk_vectors - 1) / chunk_vectors),
      lead(plan.group_step < group_bytes ? 1 : 0),
      units(units_of(grid.tile_w)),
      vector_bytes(lanes * static_cast<std::int64_t>(sizeof(float))),
      row_bytes(units * vector_bytes),
      // Odd, so that the channel vectors of a tile do not collide in the cache's sets.
      field_bytes((grid.field_h * units | 1) * vector_bytes),
      weight_row_bytes(taps.row_dwords * vector_bytes),
      weight_bytes(spec.kernel_h * weight_row_bytes) {
  constexpr std::int64_t addressable = 1 << 30;  // kernels use 32-bit displacements
  // The factors are bounded by ConvSpec::validate(): a field has less than 2^29 rows, a row less than 2^36 bytes.
  if (row_bytes > addressable || grid.field_h > addressable / row_bytes || weight_row_bytes > addressable ||
      spec.kernel_h > addressable / weight_row_bytes) {
    throw Error(ErrorKind::unsupported, "the field of a depthwise tile has more than 2^30 bytes", spec.name(),
                "a smaller kernel or dilation");
  }
}

}  // namespace octavo::jit
