// SPDX-License-Identifier: Apache-2.0
// A file in memory: importers map files.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace octavo::fuzz {

/// The path of a file with these bytes, until the next call.
inline const std::string& file_with(const std::uint8_t* data, std::size_t size) {
  static const int descriptor = ::memfd_create("model", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, data, size, 0) != static_cast<ssize_t>(size))
    std::abort();
  return path;
}

}  // namespace octavo::fuzz
