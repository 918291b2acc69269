// SPDX-License-Identifier: Apache-2.0
// What a command reads, so that nothing that it writes takes the place of it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <set>
#include <utility>
#include <vector>

namespace octavo::tool {

/// The files that a command reads, known by what they are: links to them, and other spellings of their names, count.
class FilesRead {
 public:
  /// A file, or a folder: it, and all that lies below it. Nothing for an empty name, or where nothing is: reading says
  /// that.
  void add(const std::filesystem::path& file_or_folder);
  void add(const std::vector<std::filesystem::path>& files);
  /// A picture, or all pictures below a folder that may hold much else.
  void add_pictures(const std::filesystem::path& file_or_folder);
  /// Call before anything is written. Throws Error(invalid_argument) when one of `written` (empty names aside) is read,
  /// or when two of them are one file.
  void refuse_as_outputs(const std::vector<std::filesystem::path>& written) const;

 private:
  using Identity = std::pair<dev_t, ino_t>;
  [[nodiscard]] static bool identify(const std::filesystem::path& file, Identity& identity);
  void add_one(const std::filesystem::path& file);

  std::set<Identity> files_;
};

}  // namespace octavo::tool
