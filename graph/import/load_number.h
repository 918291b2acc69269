// SPDX-License-Identifier: Apache-2.0
// A number that lies anywhere in memory.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>

namespace octavo::graph {

/// Number `index` of those that lie one behind the other in `bytes`, which reach that far.
template <class T>
T load_number(std::span<const std::byte> bytes, std::size_t index = 0) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

}  // namespace octavo::graph
