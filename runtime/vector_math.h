// SPDX-License-Identifier: Apache-2.0
// Functions that the compiler vectorizes inside the loops of runtime/vectorize.h: no branches, no calls.
#pragma once

#include <bit>
#include <cstdint>

namespace octavo::runtime {

/// exp(x) within 2 units in the last place; 0 below -87.3, infinite above 88.7, NaN for NaN.
[[gnu::always_inline]] inline float vector_exp(float x) {
  // x = n ln 2 + r, |r| <= ln 2 / 2; exp(r) by its Taylor terms, made even over the interval.
  constexpr float kLog2E = 1.44269504F, kLn2High = 0.693359375F, kLn2Low = -2.12194440e-4F;
  constexpr float kShift = 12582912.0F;  // 1.5 * 2^23: adding it rounds to whole numbers
  const float low = x < -87.33654F ? -87.33654F : x;
  const float clamped = low > 88.72283F ? 88.72283F : low;
  const float shifted = clamped * kLog2E + kShift;
  const float n = shifted - kShift;
  const float r = (clamped - n * kLn2High) - n * kLn2Low;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  // 2^n in two factors, since n may be 128.
  const std::int32_t whole = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kShift);
  const std::int32_t half = whole >> 1;
  const float first = std::bit_cast<float>((half + 127) << 23);
  const float second = std::bit_cast<float>((whole - half + 127) << 23);
  const float value = p * first * second;
  const float above_zero = x < -87.33654F ? 0.0F : value;  // every comparison with NaN fails: it passes through
  return x > 88.72283F ? __builtin_inff() : above_zero;
}

/// erf(x), off by at most 6e-7.
[[gnu::always_inline]] inline float vector_erf(float x) {
  // Abramowitz and Stegun, 7.1.26.
  const float magnitude = x < 0.0F ? -x : x;
  const float t = 1.0F / (1.0F + 0.3275911F * magnitude);
  float p = 1.061405429F;
  p = p * t - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = p * t + 0.254829592F;
  const float y = 1.0F - p * t * vector_exp(-magnitude * magnitude);
  return x < 0.0F ? -y : y;
}

}  // namespace octavo::runtime
