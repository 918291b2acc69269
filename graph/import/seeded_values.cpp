// SPDX-License-Identifier: Apache-2.0
// See graph/import/seeded_values.h. The generator is counter-based (a 64-bit finalizer over the index), so that any
// part of a blob can be made alone.
#include "graph/import/seeded_values.h"

#include <cmath>

namespace octavo::graph {
namespace {

/// A bijection of 64 bits in which every input bit changes every output bit with probability about one half: xor-shifts
/// and two odd multipliers (David Stafford's thirteenth mix).
constexpr std::uint64_t mix(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9ULL;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBULL;
  return bits ^ (bits >> 31);
}

constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15ULL;  // 2^64 / golden ratio, odd

/// The sum of four uniform 16-bit numbers less its mean: close to a normal distribution (Irwin-Hall), always within
/// 2 * 65535, deviation sqrt(4 * (65536^2 - 1) / 12) = 37837.22.
constexpr std::int32_t bell(std::uint64_t bits) {
  const auto quarter = [bits](unsigned i) { return static_cast<std::int32_t>((bits >> (16 * i)) & 0xFFFF); };
  return quarter(0) + quarter(1) + quarter(2) + quarter(3) - 2 * 65535;
}
constexpr float kBellDeviation = 37837.22F;

}  // namespace

Spread he_spread(double fan_in) { return {0.0F, std::sqrt(2.0F / static_cast<float>(fan_in > 0.0 ? fan_in : 1.0))}; }

std::uint64_t blob_stream(std::uint64_t seed, std::string_view layer, std::size_t index) {
  std::uint64_t stream = mix(seed + kStep);
  for (const char c : layer) stream = mix(stream ^ static_cast<unsigned char>(c)) + kStep;
  return mix(stream + index);
}

void fill_seeded(std::span<float> values, const Spread& spread, std::uint64_t stream, std::uint64_t first) {
  const float scale = spread.deviation / kBellDeviation;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = spread.center + scale * static_cast<float>(bell(mix(stream + (first + i) * kStep)));
  }
}

}  // namespace octavo::graph
