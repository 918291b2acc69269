// SPDX-License-Identifier: Apache-2.0
// The rates that no kernel can beat: independent dot products, fp32 multiply-adds or loads in a loop, nothing else.
#pragma once

#include <cstddef>
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

/// The same of fp32: multiply-accumulates of one iteration, and a kernel that takes PeakProbeArgs.
[[nodiscard]] std::int64_t fma_probe_products(Isa isa);
[[nodiscard]] KernelImage emit_fma_probe(Isa isa);

struct ReadProbeArgs {
  const std::byte* start;
  std::int64_t blocks;
};

/// Bytes of a block, of which a kernel that takes ReadProbeArgs reads `blocks`, one after the other.
[[nodiscard]] std::int64_t read_probe_block_bytes(Isa isa);
[[nodiscard]] KernelImage emit_read_probe(Isa isa);

}  // namespace octavo::jit
