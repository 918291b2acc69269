// SPDX-License-Identifier: Apache-2.0
// Whole text files, of a size that a file of annotations may have.
#pragma once

#include <filesystem>
#include <string>

namespace octavo::metrics {

/// Throws Error(io), or Error(malformed) when the file is larger than 2 GiB.
[[nodiscard]] std::string read_text(const std::filesystem::path& file);

}  // namespace octavo::metrics
