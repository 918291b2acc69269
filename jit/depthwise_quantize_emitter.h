// SPDX-License-Identifier: Apache-2.0
// Depthwise: quantizes the field of a tile, a few neighbouring vectors of channels a call, into groups
// (jit/depthwise_layout.h). Every channel is a window of its own, so the maximum, the scale and its inverse stay in
// vector lanes: nothing is ever reduced across a register. Several vectors go together because a pixel's channels are
// contiguous, while pixels are all channels apart: with 1024 channels that is 4 KB, and a vector alone would meet one
// set of the cache with every pixel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "jit/conv_spec.h"
#include "jit/depthwise_layout.h"
#include "jit/kernel.h"

namespace octavo::jit {

/// A unit is `step` neighbouring columns of the field. Its columns are numbered from the field's left edge.
struct DepthwiseQuantizeArgs {
  const float* inside;  ///< first of the channels, of the field's first pixel that lies in the image
  const float* row;     ///< field column 0 of that row; may point outside the image
  std::byte* groups;    ///< of the first vector; the others follow, layout.field_bytes apart
  float* scales;        ///< [vectors][lanes]
  std::int64_t rows_above, rows_inside, rows_below;  ///< field rows outside and inside of the image
  std::int64_t columns_inside;
  std::int64_t units_left, units_inside, units_right;  ///< units that reach outside at the left, lie inside, reach
                                                       ///< outside at the right
  const std::uint16_t* column_masks;                   ///< for each field column all ones, or 0 outside the image
  std::uint64_t lanes;                                 ///< of the last vector; bit i: channel i exists
};

/// Vectors of channels that one call can take: what the registers hold, eight at most.
[[nodiscard]] std::int64_t most_quantize_vectors(Isa isa);

/// For `vectors` neighbouring vectors. `partial`: not every channel of the last one exists.
[[nodiscard]] KernelImage emit_depthwise_quantize(const ConvSpec& spec, const DepthwiseLayout& layout,
                                                  std::int64_t vectors, bool partial, std::string name);

}  // namespace octavo::jit
