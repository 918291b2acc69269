// SPDX-License-Identifier: Apache-2.0
// A file as read-only memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace octavo::graph {

/// Maps a whole file, private and read-only. Pages are read ahead. What holds the pointer keeps the mapping, also after
/// the file is deleted or replaced by another (as save() does); a file that is cut short in place while mapped cannot
/// be survived on any Unix.
class MappedFile {
 public:
  /// Throws Error(io) when the file cannot be opened or is not a regular one. An empty file gives an empty span.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& file);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
};

}  // namespace octavo::graph
