// SPDX-License-Identifier: Apache-2.0
// A table of keys and values in LevelDB's format, as checkpoints have it for their index. Read where it lies;
// untrusted.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace octavo::graph {

/// All entries of the table. Checksums of blocks are not looked at. Throws Error: malformed; unsupported (another
/// compression than none or Snappy).
[[nodiscard]] std::map<std::string, std::vector<std::byte>> read_sorted_table(std::span<const std::byte> file);

}  // namespace octavo::graph
