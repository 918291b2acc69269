// SPDX-License-Identifier: Apache-2.0
// Numbers of a BigDL file. A tensor is a view (sizes, strides, offset) of a storage; storages are shared, stand
// anywhere in the file (since 0.4 in one attribute of the outermost module) or in a weight file of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "graph/blob.h"
#include "graph/import/bigdl_module.h"
#include "graph/import/import_budget.h"

namespace octavo::graph {

/// Weights in 8 bits: rows of one output channel each, real = q * scale.
struct BigdlQuantized {
  std::int64_t rows = 0, columns = 0;
  Data<std::int8_t> q;        ///< rows * columns, in -127..127
  std::vector<float> scales;  ///< of the rows
};

class BigdlTensors {
 public:
  /// `owner` keeps the file's bytes.
  BigdlTensors(std::shared_ptr<const void> owner, std::size_t file_bytes)
      : owner_(std::move(owner)), budget_(file_bytes) {}

  /// Finds where the storages of this module and its parts are.
  void collect(const BigdlModule& module);
  /// Storages in a file of their own. Throws Error: io, malformed (also a wrong checksum).
  void read_weight_file(const std::filesystem::path& file);

  /// A tensor's numbers as fp32, with its shape; used where they lie if they lie aligned and in order. Throws
  /// Error(malformed).
  [[nodiscard]] BlobPtr blob(BigdlBytes tensor);
  [[nodiscard]] static bool quantized(BigdlBytes tensor);
  [[nodiscard]] BigdlQuantized rows(BigdlBytes tensor);
  /// Of the import: for numbers that a converter makes.
  [[nodiscard]] ImportBudget& budget() { return budget_; }

 private:
  struct View;
  void collect_tensor(BigdlBytes tensor);
  void collect_value(BigdlBytes value, std::size_t depth);
  void collect_list(BigdlBytes list, std::size_t depth);
  [[nodiscard]] View read_view(BigdlBytes tensor) const;
  [[nodiscard]] Data<float> storage(const View& view);
  [[nodiscard]] Data<float> decode(BigdlBytes storage);

  std::shared_ptr<const void> owner_;
  ImportBudget budget_;
  std::size_t collected_ = 0;
  std::map<std::int64_t, BigdlBytes> storages_;  ///< by storage id: TensorStorage messages with numbers
  std::map<std::int64_t, BigdlBytes> tensors_;   ///< by tensor id: those with a storage
  std::map<std::int64_t, Data<float>> decoded_;  ///< by storage id
};

}  // namespace octavo::graph
