// SPDX-License-Identifier: Apache-2.0
// fp32 as dynamic quantization sees it (jit/reference.h has the rules).
#pragma once

#include <cstdint>

namespace octavo::jit {

constexpr std::int64_t bytes_per_float = 4;
/// What clears a float's sign: of magnitudes as integers, NaN and infinity are larger than any number.
constexpr std::uint32_t magnitude_bits = 0x7FFFFFFFU;
constexpr std::uint32_t infinity_bits = 0x7F800000U;
/// Of a window: 2^-118. Below, 255 / maximum might overflow, and the window counts as zeros.
constexpr std::uint32_t smallest_maximum_bits = 0x04800000U;
constexpr float smallest_maximum = 0x1p-118F;
/// Of an input that may be negative, on either side of zero.
constexpr float largest_quantized = 127.0F;

}  // namespace octavo::jit
