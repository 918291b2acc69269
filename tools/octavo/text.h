// SPDX-License-Identifier: Apache-2.0
// Small readings of what a user typed, and of text files. All throw Error that names the option or file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace octavo::tool {

/// "104,117,123" -> numbers; at least one.
[[nodiscard]] std::vector<float> parse_numbers(std::string_view text, std::string_view option);
/// "224" -> {224, 224}; "240x320" -> {240, 320} (height, width); both 1 .. 16384.
[[nodiscard]] std::pair<std::int64_t, std::int64_t> parse_size(std::string_view text, std::string_view option);
/// The file's lines without line ends; Error(io) if it cannot be read.
[[nodiscard]] std::vector<std::string> read_lines(const std::filesystem::path& file);
/// Class names, a line each. ImageNet's synset ids ("n01440764 tench, Tinca tinca") are dropped when all lines have
/// one.
[[nodiscard]] std::vector<std::string> read_labels(const std::filesystem::path& file);
/// Writes the whole file or leaves what was there: through a temporary file beside it. Error(io).
void write_file(const std::filesystem::path& file, std::string_view content);

}  // namespace octavo::tool
