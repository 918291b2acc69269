// SPDX-License-Identifier: Apache-2.0
// The objects of a Torch7 file in the making: tables, objects of classes, tensors, lists of whole numbers. They may
// refer to each other in any way, circles included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "graph/blob.h"

namespace octavo::graph {

class TorchDocument {
 public:
  /// A table, an object, a tensor or a storage of the document.
  struct Ref {
    std::size_t at = 0;
  };
  using Value = std::variant<std::monostate, double, bool, std::string, Ref>;

  Ref table();
  /// An object holds a table of its own: set() gives it fields.
  Ref object(std::string class_name, int version = 1);
  /// fp32, row by row; the numbers are copied when the file is written, not before. No dimensions: an empty tensor.
  Ref tensor(const Shape& shape, std::span<const float> values);
  Ref longs(std::vector<std::int64_t> values);  ///< a LongStorage

  void set_key(Ref ref, Value key, Value value);
  void set(Ref ref, std::string_view key, Value value) { set_key(ref, Value(std::string(key)), std::move(value)); }
  /// Behind the last of 1, 2, 3, ...
  void append(Ref table, Value value);

  /// The bytes of a file (binary, little endian, longs of 8 bytes) that holds this object. Throws Error(unsupported)
  /// when a table or an object has more entries, or a text more bytes, than such a file can say.
  [[nodiscard]] std::string write(Ref root) const;

 private:
  enum class Kind { table, object, tensor, storage };
  struct Record {
    Kind kind = Kind::table;
    std::string class_name;
    int version = 1;
    std::vector<std::pair<Value, Value>> entries;  ///< of a table
    std::size_t appended = 0;
    Ref content;  ///< of an object: its table
    Shape shape;  ///< of a tensor
    std::span<const float> numbers;
    std::vector<std::int64_t> longs;
  };
  class Writer;

  Ref add(Record record);
  std::vector<Record> records_;
};

}  // namespace octavo::graph
