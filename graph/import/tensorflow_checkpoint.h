// SPDX-License-Identifier: Apache-2.0
// The variables of a SavedModel: a checkpoint of an index and the files that hold the numbers.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/import/constant_tensor.h"

namespace octavo::graph {

class MappedFile;

class TensorflowCheckpoint {
 public:
  /// `prefix`: the files' common path, without ".index". Null when there is no index. Throws Error: io, malformed,
  /// unsupported (numbers of the other byte order).
  [[nodiscard]] static std::unique_ptr<TensorflowCheckpoint> open(const std::filesystem::path& prefix);

  /// By the variable's name in the network, or in the checkpoint. Numbers stay where they lie if they lie aligned.
  /// Throws Error: malformed; unsupported (there is no such variable; it is stored in slices).
  [[nodiscard]] ConstantPtr read(const std::string& name) const;
  /// Of the files with the numbers.
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Entry;
  explicit TensorflowCheckpoint(const std::filesystem::path& prefix);
  void read_object_names();
  [[nodiscard]] Entry entry_of(const std::string& key) const;
  [[nodiscard]] std::span<const std::byte> numbers_of(const Entry& entry) const;

  std::map<std::string, std::vector<std::byte>> index_;
  std::map<std::string, std::string> keys_;  ///< of variables, by their names in the network
  std::vector<std::shared_ptr<const MappedFile>> shards_;
};

}  // namespace octavo::graph
