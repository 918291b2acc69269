// SPDX-License-Identifier: Apache-2.0
// Writing a file whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace octavo::runtime {

/// Writes into a temporary file beside the target; commit() makes it durable and puts it in the target's place in one
/// step. Without commit() (an exception on the way) the temporary file is removed and the target is as it was.
/// Readers of the old file keep reading the old one. All functions throw Error(io) that names the target.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  std::filesystem::path target_, temporary_;
  int descriptor_ = -1;
};

}  // namespace octavo::runtime
