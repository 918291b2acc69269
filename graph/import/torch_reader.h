// SPDX-License-Identifier: Apache-2.0
// Reads the objects of a Torch7 file. Internal to the importer: see graph/import/torch_file.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/import/torch_file.h"

namespace octavo::graph {

/// Objects nest as deep as a network is long (nngraph's nodes hold their successors), so what is open is kept on a
/// stack of its own.
class TorchReader {
 public:
  TorchReader(TorchFile& file, std::size_t long_bytes);
  /// The first object of the file.
  [[nodiscard]] TorchValue run();

 private:
  /// An object that waits for objects within it.
  struct Open {
    TorchValue value;
    std::int64_t left = 0;            ///< pairs of a table that are not read yet, values of a vector; 1 for all others
    std::optional<TorchValue> key{};  ///< of a table: read, its value not
    bool counts = false;              ///< a vector: keys are 1, 2, 3, ...
  };

  /// A value that is complete, or nothing: then it is on the stack.
  std::optional<TorchValue> begin_value();
  std::optional<TorchValue> begin_table(std::int64_t index);
  std::optional<TorchValue> begin_object(std::int64_t index);
  std::optional<TorchValue> begin_tensor(std::int64_t index);
  std::optional<TorchValue> begin_entries(std::int64_t index, std::int64_t count, bool counts);
  TorchValue read_storage(std::int64_t index, TorchNumber type);
  void give(const TorchValue& value);
  void add_entry(TorchTable& table, const TorchValue& key, const TorchValue& value);
  [[nodiscard]] std::int64_t entries_that_fit(std::int64_t count);
  template <class T>
  TorchValue keep(std::vector<T>& list, TorchKind kind, std::int64_t index, T object);
  std::optional<TorchValue> open(const TorchValue& value, std::int64_t left, bool counts = false);

  TorchFile& file_;
  TorchStream stream_;
  std::vector<Open> open_;
  std::unordered_map<std::int64_t, TorchValue> known_;  ///< by the file's number of the object
  std::size_t entries_ = 0;
};

}  // namespace octavo::graph
