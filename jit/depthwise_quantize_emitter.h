// SPDX-License-Identifier: Apache-2.0
// Depthwise: quantizes the field of a tile, one vector of channels a call, into groups (jit/depthwise_layout.h).
// Every channel is a window of its own, so the maximum, the scale and its inverse stay in vector lanes: nothing is ever
// reduced across a register.
#pragma once

#include <cstddef>
#include <cstdint>

#include "jit/conv_spec.h"
#include "jit/depthwise_layout.h"
#include "jit/kernel.h"

namespace octavo::jit {

/// A unit is `step` neighbouring columns of the field. Its columns are numbered from the field's left edge.
struct DepthwiseQuantizeArgs {
  const float* inside;  ///< first channel of the field's first pixel that lies in the image
  const float* row;     ///< field column 0 of that row; may point outside the image
  std::byte* groups;    ///< [field rows][units]
  float* scales;        ///< [lanes]
  std::int64_t rows_above, rows_inside, rows_below;  ///< field rows outside and inside of the image
  std::int64_t columns_inside;
  std::int64_t units_left, units_inside, units_right;  ///< units that reach outside at the left, lie inside, reach
                                                       ///< outside at the right
  const std::uint16_t* column_masks;                   ///< for each field column all ones, or 0 outside the image
  std::uint64_t lanes;                                 ///< bit i: channel i exists
};

/// `partial`: the last vector, of which not every channel exists.
[[nodiscard]] KernelImage emit_depthwise_quantize(const ConvSpec& spec, const DepthwiseLayout& layout, bool partial,
                                                  std::string name);

}  // namespace octavo::jit
