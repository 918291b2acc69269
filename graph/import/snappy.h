// SPDX-License-Identifier: Apache-2.0
// Snappy's compressed blocks, as tables of checkpoints may hold them. Compressed data is untrusted.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace octavo::graph {

/// Throws Error(malformed): data that ends early, a copy from before the beginning, a length that the data cannot fill.
[[nodiscard]] std::vector<std::byte> snappy_uncompressed(std::span<const std::byte> data);

}  // namespace octavo::graph
