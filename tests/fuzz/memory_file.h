// SPDX-License-Identifier: Apache-2.0
// Files in memory for a fuzzer: importers map files.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace octavo::fuzz {

/// A file in memory, whose bytes may change and whose path does not.
class MemoryFile {
 public:
  [[nodiscard]] const std::string& path() const { return path_; }
  void write(const void* data, std::size_t size) const {
    if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, data, size, 0) != static_cast<ssize_t>(size)) {
      std::abort();
    }
  }

 private:
  const int descriptor_ = ::memfd_create("fuzzed", 0);
  const std::string path_ = "/proc/self/fd/" + std::to_string(descriptor_);
};

/// The path of a file with these bytes; the same one every time.
inline const std::string& file_with(const std::uint8_t* data, std::size_t size) {
  static const MemoryFile file;
  file.write(data, size);
  return file.path();
}

/// Splits an input that stands for several files at `separator`, of which at most `count` - 1 count.
inline std::vector<std::string_view> parts_of(const std::uint8_t* data, std::size_t size, std::string_view separator,
                                              std::size_t count) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::vector<std::string_view> parts;
  for (std::size_t end = 0; parts.size() + 1 < count && (end = rest.find(separator)) != std::string_view::npos;) {
    parts.push_back(rest.substr(0, end));
    rest.remove_prefix(end + separator.size());
  }
  parts.push_back(rest);
  parts.resize(count);
  return parts;
}

}  // namespace octavo::fuzz
