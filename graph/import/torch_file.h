// SPDX-License-Identifier: Apache-2.0
// A Torch7 file as objects: tables, tensors, storages, objects of classes and functions, each held once however often
// the file refers to it. Objects may contain each other in circles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/blob.h"
#include "graph/import/torch_stream.h"
#include "graph/mapped_file.h"

namespace octavo::graph {

enum class TorchKind : std::uint8_t { nil, number, boolean, string, table, object, tensor, storage, function };

/// "a number"
[[nodiscard]] std::string_view torch_kind_name(TorchKind kind);

struct TorchValue {
  TorchKind kind = TorchKind::nil;
  std::uint32_t at = 0;  ///< which of its kind
  double number = 0;     ///< a boolean is 1 or 0

  [[nodiscard]] bool is(TorchKind other) const { return kind == other; }
  [[nodiscard]] bool same(const TorchValue& other) const {
    return kind == other.kind && at == other.at && number == other.number;
  }
};

/// What a Lua table maps, sorted for look-ups once the file is read. Of equal keys the last counts, as in Lua.
struct TorchTable {
  std::vector<std::pair<std::string_view, TorchValue>> named;
  std::vector<std::pair<double, TorchValue>> numbered;
  std::vector<std::pair<TorchValue, TorchValue>> others;  ///< keys that are objects or booleans

  [[nodiscard]] TorchValue find(std::string_view key) const;
  [[nodiscard]] TorchValue find(double key) const;
  [[nodiscard]] TorchValue find(const TorchValue& key) const;
  /// The values of 1, 2, 3, ... up to the first that is missing.
  [[nodiscard]] std::vector<TorchValue> list() const;
};

/// An object of a class that is none of Torch's tensors and storages: what it holds is a table, or nothing.
struct TorchObject {
  std::string_view class_name;
  int version = 0;
  TorchValue content;
  std::size_t position = 0;  ///< in the file
};

struct TorchTensor {
  std::vector<std::int64_t> sizes, strides;
  std::int64_t offset = 0;  ///< of the first number in the storage
  TorchValue storage;       ///< nil: no numbers
};

class TorchFile {
 public:
  /// Throws Error: io, malformed (file, byte), unsupported (objects of a class that writes itself in a way of its own).
  /// The size of a C long is found: 8 bytes, or 4 in files of 32-bit machines.
  explicit TorchFile(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::size_t bytes() const { return mapped_->bytes().size(); }
  [[nodiscard]] const TorchValue& root() const { return root_; }

  [[nodiscard]] std::string_view text(const TorchValue& value) const { return texts_[value.at]; }
  /// Of a table, or of an object: what it holds, an empty one if that is no table.
  [[nodiscard]] const TorchTable& table(const TorchValue& value) const;
  [[nodiscard]] const TorchObject& object(const TorchValue& value) const { return objects_[value.at]; }
  [[nodiscard]] const TorchTensor& tensor(const TorchValue& value) const { return tensors_[value.at]; }
  [[nodiscard]] const TorchNumbers& storage(const TorchValue& value) const { return storages_[value.at]; }
  /// Keeps the numbers of storages where they lie.
  [[nodiscard]] const std::shared_ptr<const MappedFile>& owner() const { return mapped_; }

 private:
  friend class TorchReader;

  std::filesystem::path path_;
  std::shared_ptr<const MappedFile> mapped_;
  TorchValue root_;
  std::vector<std::string_view> texts_;
  std::vector<TorchTable> tables_;
  std::vector<TorchObject> objects_;
  std::vector<TorchTensor> tensors_;
  std::vector<TorchNumbers> storages_;
};

}  // namespace octavo::graph
