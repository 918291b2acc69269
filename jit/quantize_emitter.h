// SPDX-License-Identifier: Apache-2.0
// Dynamic quantization: fp32 pixels of a tile's field -> u8 windows in scratch (jit/window_layout.h) with their scales.
//
// A batch is up to as many windows as a register has lanes, treated together: neighbouring channel windows of the whole
// field, or, with one scale a pixel, the same channel window of neighbouring pixels. First the batch's maxima, one
// register each, in one walk over memory; then all scales and inverses in one vector; then each window's bytes. Pixels
// outside the image are filled with the zero point, so a convolution needs no border variants.
#pragma once

#include <cstdint>
#include <string>

#include "jit/kernel.h"
#include "jit/window_layout.h"

namespace octavo::jit {

/// All that shapes the code of one kernel.
struct QuantizeKernel {
  Isa isa;
  bool nonnegative_input;
  WindowRun windows;
  std::int64_t field_rows, field_columns;
  std::int64_t src_row_bytes, src_pixel_bytes;  ///< from a field row or pixel to the next, in the image
  bool scale_per_pixel;                         ///< needs a field that lies wholly inside the image

  [[nodiscard]] std::string name() const;
};

/// The kernel's argument. The part of the field inside the image is a rectangle.
struct QuantizeArgs {
  const float* image;  ///< its first pixel; not read when the rectangle is empty
  std::uint8_t* field;
  float* scales;
  std::int64_t rows, columns;  ///< of the rectangle
  /// Outside pixels before the rectangle, from the end of one of its rows to the next, and after it, in field order. An
  /// empty rectangle has rows = 0 and all pixels after it.
  std::int64_t outside_before, outside_between, outside_after;
};

[[nodiscard]] KernelImage emit_quantize(const QuantizeKernel& kernel);

}  // namespace octavo::jit
