// SPDX-License-Identifier: Apache-2.0
// fp32 weights to windowed s8: symmetric, one scale for `window` input channels of an output channel.
#pragma once

#include <cstdint>

#include "graph/blob.h"

namespace octavo::graph {

/// How a scale is kept.
enum class ScaleFormat {
  fp32,
  bf16_up,  ///< rounded up to bfloat16 before the weights are divided by it, so that |q| stays within 127
};

/// scale = max|w| / 127 over the window, q = round_half_even(w / scale); a window of zeros (below 2^-118)
/// has scale 0 and q 0. Then the errors are balanced: of each group (the taps of an input channel; the whole window
/// where a channel has one), as many weights are rounded the other way, those nearest to a half first, as bring the sum
/// of the errors of the filter so far to half a scale at most. Inputs have a mean, and neighbours are alike, so errors
/// that cancel cost an output less than small ones that do not. What is a multiple of its scale stays what it is.
/// Many weights are shared out to the threads that OpenMP has; their number changes no bit.
/// `weights`: fp32, [out][in / groups](...). Throws Error(malformed) when a weight is NaN or infinite.
[[nodiscard]] BlobPtr round_weights(const Blob& weights, std::int64_t window, ScaleFormat format);

/// The next bfloat16 that is not below `value` (finite, not negative), as a float.
[[nodiscard]] float bf16_rounded_up(float value);

}  // namespace octavo::graph
