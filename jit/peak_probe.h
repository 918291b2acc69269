// SPDX-License-Identifier: Apache-2.0
// The rate that no kernel can beat: independent dot products in a loop, nothing else.
#pragma once

#include <cstdint>

#include "jit/kernel.h"
#include "octavo/isa.h"

namespace octavo::jit {

struct PeakProbeArgs {
  std::int64_t iterations;
};

/// Multiply-accumulates of one iteration.
[[nodiscard]] std::int64_t peak_probe_products(Isa isa);
/// A kernel that takes PeakProbeArgs.
[[nodiscard]] KernelImage emit_peak_probe(Isa isa);

}  // namespace octavo::jit
