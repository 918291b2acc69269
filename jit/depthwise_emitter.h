// SPDX-License-Identifier: Apache-2.0
// Depthwise: the outputs of a tile from its quantized field (jit/depthwise_layout.h), one vector of channels a call.
// The tile is walked in register blocks of plan.rows x 4 outputs; each group of the field is loaded once a block and
// meets every kernel row that needs it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "jit/conv_spec.h"
#include "jit/depthwise_layout.h"
#include "jit/kernel.h"
#include "jit/plan.h"

namespace octavo::jit {

/// Every array of a channel vector has all its lanes; those of channels that do not exist are 0.
struct DepthwiseArgs {
  const std::byte* groups;  ///< the field: unit 0 of row 0
  const float* activation_scales;
  const std::byte* weights;
  const float* weight_scales;
  const std::int32_t* start;  ///< what the sums begin with: -zero point * sum of the weights
  const float* bias;          ///< null without, like the next two
  const float* slopes;
  const float* residual;  ///< of the tile's first output
  float* output;          ///< the tile's first output
  std::uint64_t lanes;    ///< bit i: channel i exists
};

/// Rows of four outputs whose sums the registers hold, four at most.
[[nodiscard]] std::int64_t most_depthwise_rows(Isa isa);

/// A kernel for tiles of exactly rows x columns outputs (those at the right and bottom edge may be smaller than the
/// plan's). `partial`: the last vector, of which not every channel exists.
[[nodiscard]] KernelImage emit_depthwise(const ConvSpec& spec, const Plan& plan, const DepthwiseLayout& layout,
                                         std::int64_t rows, std::int64_t columns, bool partial, std::string name);

}  // namespace octavo::jit
