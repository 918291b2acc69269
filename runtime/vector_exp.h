// SPDX-License-Identifier: Apache-2.0
// The exponential as arithmetic alone, so that loops over it vectorize (the C library's is a call a number).
#pragma once

#include <bit>
#include <cstdint>

namespace octavo::runtime {

/// e^x within 2 units in the last place. Below -87.33, where e^x is no normal number, 0; from 88.72 on, infinity. NaN
/// stays NaN.
inline float vector_exp(float x) {
  constexpr float kLowest = -87.33F, kHighest = 88.72F;
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F, kLn2Low = -2.12194440e-4F;  // the first has few bits: n times it is exact
  constexpr float kToInteger = 12582912.0F;                            // 1.5 * 2^23: what is added to it is rounded
  const float low = x < kLowest ? kLowest : x;
  const float within = low > kHighest ? kHighest : low;
  const float shifted = within * kLog2E + kToInteger;
  const float n = shifted - kToInteger;
  const float r = (within - n * kLn2High) - n * kLn2Low;  // |r| <= ln 2 / 2
  float sum = 1.0F / 5040;
  sum = sum * r + 1.0F / 720;
  sum = sum * r + 1.0F / 120;
  sum = sum * r + 1.0F / 24;
  sum = sum * r + 1.0F / 6;
  sum = sum * r + 0.5F;
  sum = sum * r + 1.0F;
  sum = sum * r + 1.0F;
  // 2^n in two factors, as for the largest and the least n it is no normal number.
  const std::uint32_t exponent = std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(kToInteger);
  const auto half = static_cast<std::uint32_t>(static_cast<std::int32_t>(exponent) >> 1);
  const float value =
      sum * std::bit_cast<float>((half + 127) << 23) * std::bit_cast<float>((exponent - half + 127) << 23);
  const float bounded = x < kLowest ? 0.0F : value;
  return x > kHighest ? std::bit_cast<float>(0x7f800000U) : bounded;
}

}  // namespace octavo::runtime
