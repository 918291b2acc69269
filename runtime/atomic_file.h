// SPDX-License-Identifier: Apache-2.0
// Writing a file whole or not at all, and two files both or neither.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace octavo::runtime {

/// Writes into a temporary file in the target's folder; commit() makes it durable and puts it in the target's place in
/// one step. Without commit() (an exception on the way) the temporary file is removed and the target is as it was. The
/// temporary file has no name while it is written, where the file system can do that: a process that is killed leaves
/// nothing behind. Readers of the old file keep reading the old one. All functions throw Error(io) that names the
/// target.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  /// Makes the content durable under a temporary name: what can fail for want of space or rights has then happened.
  void prepare();
  /// Puts the file in the target's place; prepares it first unless that was done.
  void commit();

 private:
  [[nodiscard]] std::filesystem::path temporary_name(int i) const;

  std::filesystem::path target_, temporary_;  ///< temporary_: empty while the file has no name
  int descriptor_ = -1;
  bool prepared_ = false;
};

}  // namespace octavo::runtime
