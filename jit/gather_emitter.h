// SPDX-License-Identifier: Apache-2.0
// Dynamic quantization with gathered taps (jit/gathered_taps.h): fp32 pixels of a tile's field -> bytes, a row of the
// field after the other -> taps in the order in which outputs read them. A row's pixels are dense, so they are walked a
// vector at a time, whatever the number of channels. Bytes and taps are written in ascending order, and each store may
// reach over what is written next.
#pragma once

#include <cstdint>
#include <string>

#include "jit/conv_spec.h"
#include "jit/kernel.h"
#include "jit/quantize_emitter.h"

namespace octavo::jit {

/// All that shapes the code of one kernel.
struct GatherKernel {
  Isa isa;
  bool nonnegative_input;
  std::int64_t channels;
  std::int64_t kernel_rows;
  std::int64_t tile_rows;  ///< of outputs
  std::int64_t field_columns;
  std::int64_t row_step, tap_step;  ///< field rows from an output row to the next, and from a tap to the next
  std::int64_t src_row_bytes;       ///< from a field row to the next, in the image

  [[nodiscard]] std::string name() const;
};

/// The kernel's argument. Of `quantize`, `field` gets the taps, `scales` the one scale.
struct GatherArgs {
  QuantizeArgs quantize;
  std::uint8_t* bytes;  ///< room for the field's bytes; not read with one kernel row, whose bytes are the taps
};

[[nodiscard]] KernelImage emit_gather(const GatherKernel& kernel);

}  // namespace octavo::jit
