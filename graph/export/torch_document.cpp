// SPDX-License-Identifier: Apache-2.0
// See graph/export/torch_document.h.
#include "graph/export/torch_document.h"

#include <fmt/core.h>

#include <limits>
#include <type_traits>

#include "octavo/error.h"

namespace octavo::graph {

/// Objects are written where they are first met and numbered as they come. What is open is kept on a stack: nngraph's
/// nodes hold their successors, as deep as a network is long.
class TorchDocument::Writer {
 public:
  explicit Writer(const TorchDocument& document) : document_(document), numbers_(document.records_.size(), 0) {}

  std::string run(Ref root) {
    begin(root);
    while (!open_.empty()) {
      Open& top = open_.back();
      const Record& record = document_.records_[top.at];
      if (top.next == 2 * record.entries.size()) {
        open_.pop_back();
        continue;
      }
      const auto& [key, value] = record.entries[top.next / 2];
      const Value& next = top.next % 2 == 0 ? key : value;
      ++top.next;
      put(next);
    }
    return std::move(bytes_);
  }

 private:
  struct Open {
    std::size_t at = 0, next = 0;  ///< a table; how many keys and values of it are written
  };

  template <class T>
  void raw(T value) {
    static_assert(std::is_arithmetic_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);  // NOLINT: its bytes
  }
  void count(std::size_t value) {
    if (value > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
      throw Error(ErrorKind::unsupported, fmt::format("a Torch7 file cannot hold a list of {}", value));
    }
    raw(static_cast<std::int32_t>(value));
  }
  void text(std::string_view characters) {
    count(characters.size());
    bytes_.append(characters);
  }

  void put(const Value& value) {
    if (const auto* number = std::get_if<double>(&value)) {
      raw(std::int32_t{1});
      raw(*number);
    } else if (const auto* truth = std::get_if<bool>(&value)) {
      raw(std::int32_t{5});
      raw(std::int32_t{*truth ? 1 : 0});
    } else if (const auto* characters = std::get_if<std::string>(&value)) {
      raw(std::int32_t{2});
      text(*characters);
    } else if (const auto* ref = std::get_if<Ref>(&value)) {
      begin(*ref);
    } else {
      raw(std::int32_t{0});
    }
  }

  void class_line(const std::string& name, int version) {
    text(fmt::format("V {}", version));
    text(name);
  }

  void begin(Ref ref) {
    const Record& record = document_.records_[ref.at];
    raw(std::int32_t{record.kind == Kind::table ? 3 : 4});
    const bool known = numbers_[ref.at] != 0;
    if (!known) numbers_[ref.at] = ++last_;
    raw(numbers_[ref.at]);
    if (known) return;
    switch (record.kind) {
      case Kind::table:
        count(record.entries.size());
        open_.push_back({ref.at, 0});
        break;
      case Kind::object:
        class_line(record.class_name, record.version);
        begin(record.content);
        break;
      case Kind::tensor:
        class_line("torch.FloatTensor", 1);
        tensor(record);
        break;
      case Kind::storage:
        class_line("torch.LongStorage", 1);
        raw(static_cast<std::int64_t>(record.longs.size()));
        for (const std::int64_t value : record.longs) raw(value);
        break;
    }
  }

  /// The tensor, and its storage as an object of its own; without dimensions, there is none.
  void tensor(const Record& record) {
    count(record.shape.size());
    for (const std::int64_t size : record.shape) raw(size);
    for (std::size_t d = 0; d < record.shape.size(); ++d) {
      std::int64_t stride = 1;
      for (std::size_t behind = d + 1; behind < record.shape.size(); ++behind) stride *= record.shape[behind];
      raw(stride);
    }
    raw(std::int64_t{1});
    if (record.shape.empty()) {
      put({});
      return;
    }
    raw(std::int32_t{4});
    raw(++last_);
    class_line("torch.FloatStorage", 1);
    raw(static_cast<std::int64_t>(record.numbers.size()));
    bytes_.append(reinterpret_cast<const char*>(record.numbers.data()), record.numbers.size_bytes());  // NOLINT
  }

  const TorchDocument& document_;
  std::vector<std::int32_t> numbers_;  ///< of records that are written; 0: not yet
  std::int32_t last_ = 0;
  std::vector<Open> open_;
  std::string bytes_;
};

TorchDocument::Ref TorchDocument::add(Record record) {
  records_.push_back(std::move(record));
  return {records_.size() - 1};
}

TorchDocument::Ref TorchDocument::table() { return add({}); }

TorchDocument::Ref TorchDocument::object(std::string class_name, int version) {
  Record record;
  record.kind = Kind::object;
  record.content = table();
  record.class_name = std::move(class_name);
  record.version = version;
  return add(std::move(record));
}

TorchDocument::Ref TorchDocument::tensor(const Shape& shape, std::span<const float> values) {
  Record record;
  record.kind = Kind::tensor;
  record.shape = shape;
  record.numbers = values;
  return add(std::move(record));
}

TorchDocument::Ref TorchDocument::longs(std::vector<std::int64_t> values) {
  Record record;
  record.kind = Kind::storage;
  record.longs = std::move(values);
  return add(std::move(record));
}

void TorchDocument::set_key(Ref ref, Value key, Value value) {
  Record& record = records_[ref.at];
  Record& table = record.kind == Kind::object ? records_[record.content.at] : record;
  table.entries.emplace_back(std::move(key), std::move(value));
}

void TorchDocument::append(Ref table, Value value) {
  const auto place = static_cast<double>(++records_[table.at].appended);
  set_key(table, Value(place), std::move(value));
}

std::string TorchDocument::write(Ref root) const { return Writer(*this).run(root); }

}  // namespace octavo::graph
