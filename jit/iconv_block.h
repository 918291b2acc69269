// SPDX-License-Identifier: Apache-2.0
// The register block of the convolution kernels (jit/iconv_emitter.h), as far as planners need to know it: how blocks
// cut a tile, and how many registers a block takes.
#pragma once

#include <cstdint>
#include <vector>

#include "octavo/isa.h"

namespace octavo::jit {

/// `count` equal runs of `length` pixels.
struct PixelRun {
  std::int64_t count, length;
};
/// Cuts `total` into runs of at most `longest`, as equal as they come.
[[nodiscard]] std::vector<PixelRun> balanced_runs(std::int64_t total, std::int64_t longest);

/// Whether fp32 sums wait in the frame from window to window, because the registers hold no more than the products.
[[nodiscard]] bool iconv_sums_in_frame(Isa isa, bool one_window, bool by_words);

/// Registers that a block of `pixels` x `column_vectors` takes; more than the ISA has cannot be emitted.
[[nodiscard]] std::int64_t iconv_registers(Isa isa, std::int64_t pixels, std::int64_t column_vectors, bool one_window,
                                           bool by_words = false);

}  // namespace octavo::jit
