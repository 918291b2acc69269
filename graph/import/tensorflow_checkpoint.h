// SPDX-License-Identifier: Apache-2.0
// The variables of a SavedModel: a checkpoint of an index and the files that hold the numbers.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "graph/import/constant_tensor.h"

namespace octavo::graph {

class MappedFile;
struct TensorflowNodeDef;

class TensorflowCheckpoint {
 public:
  /// `prefix`: the files' common path, without ".index". Null when there is no index. Throws Error: io, malformed,
  /// unsupported (numbers of the other byte order).
  [[nodiscard]] static std::unique_ptr<TensorflowCheckpoint> open(const std::filesystem::path& prefix);

  /// The node of the graph, or the call, that restores variables from the checkpoint.
  void set_restore(std::string node) { restore_ = std::move(node); }
  /// Learns from that node, among the graph's with calls inlined, which variable is which tensor. Throws
  /// Error(malformed), as restored_variables() does.
  void read_restored(const std::vector<TensorflowNodeDef>& nodes);

  /// What the graph restores the variable from; else the tensor that has its name in the network, or in the checkpoint.
  /// Numbers stay where they lie if they lie aligned. Throws Error: malformed; unsupported (there is no such variable,
  /// or several have the name; it is stored in slices).
  [[nodiscard]] ConstantPtr read(const std::string& name) const;
  /// Of the files with the numbers.
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Entry;
  explicit TensorflowCheckpoint(const std::filesystem::path& prefix);
  void read_object_names();
  [[nodiscard]] std::string key_of(const std::string& name) const;
  [[nodiscard]] Entry entry_of(const std::string& key) const;
  [[nodiscard]] std::span<const std::byte> numbers_of(const Entry& entry) const;

  std::map<std::string, std::vector<std::byte>> index_;
  std::string restore_;
  std::map<std::string, std::string> restored_;  ///< keys, by variables' names in the graph
  std::map<std::string, std::string> keys_;      ///< by names in the object graph; empty where several have that name
  std::vector<std::shared_ptr<const MappedFile>> shards_;
};

}  // namespace octavo::graph
