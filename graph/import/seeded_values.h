// SPDX-License-Identifier: Apache-2.0
// Weights for networks that have none: the same numbers on every machine, from a seed, the blob's name and the index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace octavo::graph {

/// How the values of a blob are spread: bell-shaped around `center`, within 3.5 times `deviation` of it.
struct Spread {
  float center = 0.0F, deviation = 0.0F;
};

/// He's initialisation for layers before a ReLU: deviation sqrt(2 / fan_in).
[[nodiscard]] Spread he_spread(double fan_in);

/// What each kind of blob of a layer is filled with. Statistics and factors are near to what keeps signals as they are.
namespace spreads {
inline constexpr Spread bias{0.0F, 0.05F}, mean{0.0F, 0.1F}, variance{1.0F, 0.1F}, factor{1.0F, 0.1F}, one{1.0F, 0.0F},
    slope{0.25F, 0.0F}, embedding{0.0F, 1.0F};
}  // namespace spreads

/// The stream of numbers that belongs to blob `index` of a layer.
[[nodiscard]] std::uint64_t blob_stream(std::uint64_t seed, std::string_view layer, std::size_t index);

/// values[i] = number first + i of the stream. Exact integer arithmetic, one float multiplication and one addition:
/// no library function that differs between machines.
void fill_seeded(std::span<float> values, const Spread& spread, std::uint64_t stream, std::uint64_t first = 0);

}  // namespace octavo::graph
