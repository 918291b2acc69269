// SPDX-License-Identifier: Apache-2.0
// The last step of a Winograd layer, for one Winograd tile and block of output channels: products -> outputs, bias,
// residual, activation, pooling, and the store (jit/winograd_layout.h). Arithmetic: jit/winograd_reference.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "jit/conv_spec.h"
#include "jit/kernel.h"

namespace octavo::jit {

/// All that shapes the code of one kernel.
struct WinogradOutputKernel {
  Isa isa;
  std::int64_t tile_h, tile_w;  ///< outputs of a Winograd tile ...
  std::int64_t rows, columns;   ///< ... and those that exist of this one; even with pooling
  std::int64_t column_vectors;  ///< of the block: products lie as full vectors
  std::int64_t channels;        ///< output channels that exist, of column_vectors * lanes
  Epilogue epilogue;
  std::int64_t dst_row_bytes, dst_pixel_bytes;  ///< of what is stored; of the residual too

  [[nodiscard]] std::string name() const;
};

/// The kernel's argument.
struct WinogradOutputArgs {
  const float* products;       ///< [position][block channels]
  const std::byte* constants;  ///< bias[block channels], with a bias; then slopes[block channels], for PReLU
  const float* residual;  ///< at the Winograd tile's first output pixel and the block's first channel; null without
  float* dst;             ///< likewise
};

[[nodiscard]] KernelImage emit_winograd_output(const WinogradOutputKernel& kernel);

}  // namespace octavo::jit
