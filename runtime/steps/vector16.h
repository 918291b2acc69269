// SPDX-License-Identifier: Apache-2.0
// Sixteen floats as one value, for channel loops that keep running values in registers. Plain C++ on any machine: the
// compiler cuts it into whatever registers there are.
#pragma once

#include <cstdint>

namespace octavo::runtime {

inline constexpr std::int64_t kVectorFloats = 16;
/// May lie anywhere in an array of floats.
using Vector16 = float __attribute__((vector_size(64), aligned(4), may_alias));

inline const Vector16& vector_at(const float* x) { return *reinterpret_cast<const Vector16*>(x); }
inline Vector16& vector_at(float* x) { return *reinterpret_cast<Vector16*>(x); }

}  // namespace octavo::runtime
