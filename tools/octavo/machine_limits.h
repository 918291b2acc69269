// SPDX-License-Identifier: Apache-2.0
// What this machine can do at most, measured: the roofs of a roofline picture.
#pragma once

#include <optional>

#include "octavo/isa.h"

namespace octavo::tool {

/// Of all threads together. Rates in multiply-accumulates a second, bandwidths in bytes a second.
struct MachineLimits {
  double int8_rate = 0;         ///< u8 x s8 dot products, from registers
  double fp32_rate = 0;         ///< multiply-adds, from registers
  double cache_bandwidth = 0;   ///< reading what lies in the last level of cache
  double memory_bandwidth = 0;  ///< reading what lies in no cache
};

/// By machine code for `isa`, which this machine runs, on `threads` threads at once; takes about a second. Nothing for
/// Isa::reference, which has no code to measure.
[[nodiscard]] std::optional<MachineLimits> measure_limits(Isa isa, int threads);

}  // namespace octavo::tool
