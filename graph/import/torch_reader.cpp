// SPDX-License-Identifier: Apache-2.0
// See graph/import/torch_reader.h.
#include "graph/import/torch_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "graph/import/torch_limits.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

// The kinds of objects, as the file numbers them. 6 and 7 are functions of files before 2015.
enum TorchTag : std::int64_t {
  kNil = 0,
  kNumber = 1,
  kString = 2,
  kTable = 3,
  kObject = 4,
  kBoolean = 5,
  kFunction = 6,
  kLegacyNumberedFunction = 7,
  kNumberedFunction = 8,
};

/// "FloatTensor" or "FloatStorage", with "Cuda" before or instead of the type.
std::optional<TorchNumber> torch_element(std::string_view class_name, std::string_view suffix) {
  static const std::map<std::string_view, TorchNumber> types{
      {"Byte", TorchNumber::byte},     {"Char", TorchNumber::character}, {"Short", TorchNumber::int16},
      {"Int", TorchNumber::int32},     {"Long", TorchNumber::int64},     {"Half", TorchNumber::half},
      {"Float", TorchNumber::float32}, {"Double", TorchNumber::float64},
  };
  constexpr std::string_view kPrefix = "torch.", kCuda = "Cuda";
  if (!class_name.starts_with(kPrefix) || !class_name.ends_with(suffix)) return std::nullopt;
  class_name.remove_prefix(kPrefix.size());
  class_name.remove_suffix(suffix.size());
  if (class_name == kCuda) return TorchNumber::float32;
  if (class_name.starts_with(kCuda)) class_name.remove_prefix(kCuda.size());
  const auto found = types.find(class_name);
  return found == types.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

TorchReader::TorchReader(TorchFile& file, std::size_t long_bytes)
    : file_(file), stream_(file.mapped_->bytes(), long_bytes) {}

TorchValue TorchReader::run() {
  while (true) {
    std::optional<TorchValue> done = begin_value();
    // What is complete goes into what waits for it, which may complete that.
    while (done && !open_.empty()) {
      give(*done);
      done.reset();
      if (open_.back().left == 0) {
        done = open_.back().value;
        open_.pop_back();
      }
    }
    if (done) return *done;
  }
}

void TorchReader::give(const TorchValue& value) {
  Open& top = open_.back();
  switch (top.value.kind) {
    case TorchKind::table:
      if (top.counts) {
        TorchTable& table = file_.tables_[top.value.at];
        add_entry(table, {TorchKind::number, 0, static_cast<double>(table.numbered.size() + 1)}, value);
        --top.left;
      } else if (!top.key) {
        top.key = value;
      } else {
        add_entry(file_.tables_[top.value.at], *top.key, value);
        top.key.reset();
        --top.left;
      }
      return;
    case TorchKind::object:
      if (!value.is(TorchKind::table) && !value.is(TorchKind::nil)) {
        stream_.fail(fmt::format("an object of class {} holds {} instead of a table",
                                 file_.objects_[top.value.at].class_name, torch_kind_name(value.kind)));
      }
      file_.objects_[top.value.at].content = value;
      break;
    case TorchKind::tensor:
      if (!value.is(TorchKind::storage) && !value.is(TorchKind::nil)) {
        stream_.fail(fmt::format("a tensor holds {} instead of a storage", torch_kind_name(value.kind)));
      }
      file_.tensors_[top.value.at].storage = value;
      break;
    default:  // a function, and what it closes over: of no use here
      break;
  }
  --top.left;
}

void TorchReader::add_entry(TorchTable& table, const TorchValue& key, const TorchValue& value) {
  switch (key.kind) {
    case TorchKind::string:
      table.named.emplace_back(file_.text(key), value);
      break;
    case TorchKind::number:
      table.numbered.emplace_back(key.number, value);
      break;
    case TorchKind::nil:
      stream_.fail("nil as the key of a table");
    default:
      table.others.emplace_back(key, value);
  }
}

std::optional<TorchValue> TorchReader::begin_value() {
  const std::int64_t tag = stream_.integer();
  switch (tag) {
    case kNil:
      return TorchValue{};
    case kNumber:
      return TorchValue{TorchKind::number, 0, stream_.real()};
    case kBoolean:
      return TorchValue{TorchKind::boolean, 0, stream_.integer() != 0 ? 1.0 : 0.0};
    case kString: {
      if (file_.texts_.size() >= kMaxTorchEntries * 2) stream_.fail("too many strings");
      file_.texts_.push_back(stream_.text());
      return TorchValue{TorchKind::string, static_cast<std::uint32_t>(file_.texts_.size() - 1), 0};
    }
    case kFunction:
      (void)stream_.text();
      return open({TorchKind::function, 0, 0}, 1);
    default:
      break;
  }
  if (tag != kTable && tag != kObject && tag != kLegacyNumberedFunction && tag != kNumberedFunction) {
    stream_.fail(fmt::format("{} is no kind of object", tag));
  }
  const std::int64_t index = stream_.integer();
  if (const auto found = known_.find(index); found != known_.end()) return found->second;
  if (known_.size() >= kMaxTorchObjects) stream_.fail(fmt::format("more than {} objects", kMaxTorchObjects));
  if (tag == kTable) return begin_table(index);
  if (tag == kObject) return begin_object(index);
  const TorchValue function{TorchKind::function, static_cast<std::uint32_t>(known_.size() + 1), 0};
  known_[index] = function;
  (void)stream_.text();
  return open(function, 1);
}

std::optional<TorchValue> TorchReader::open(const TorchValue& value, std::int64_t left, bool counts) {
  if (left == 0) return value;
  if (open_.size() >= kMaxTorchNesting) stream_.fail(fmt::format("objects nested {} deep", kMaxTorchNesting));
  open_.push_back({value, left, std::nullopt, counts});
  return std::nullopt;
}

template <class T>
TorchValue TorchReader::keep(std::vector<T>& list, TorchKind kind, std::int64_t index, T object) {
  const TorchValue value{kind, static_cast<std::uint32_t>(list.size()), 0};
  list.push_back(std::move(object));
  known_[index] = value;
  return value;
}

std::int64_t TorchReader::entries_that_fit(std::int64_t count) {
  constexpr std::int64_t kLeast = 2;  // bytes of a value: ASCII's "0\n"
  if (count < 0 || static_cast<std::uint64_t>(count) > stream_.left() / kLeast ||
      static_cast<std::uint64_t>(count) > kMaxTorchEntries - entries_) {
    stream_.fail(fmt::format("a table of {} entries", count));
  }
  entries_ += static_cast<std::size_t>(count);
  return count;
}

std::optional<TorchValue> TorchReader::begin_entries(std::int64_t index, std::int64_t count, bool counts) {
  count = entries_that_fit(count);
  return open(keep(file_.tables_, TorchKind::table, index, TorchTable{}), count, counts);
}

std::optional<TorchValue> TorchReader::begin_table(std::int64_t index) {
  return begin_entries(index, stream_.integer(), false);
}

std::optional<TorchValue> TorchReader::begin_object(std::int64_t index) {
  const std::size_t position = stream_.position();
  std::string_view name = stream_.text();
  int version = 0;
  constexpr std::string_view kVersion = "V ";
  if (name.starts_with(kVersion)) {  // files of before there were versions begin with the class
    name.remove_prefix(kVersion.size());
    const auto [stop, problem] = std::from_chars(name.data(), name.data() + name.size(), version);
    if (problem != std::errc{} || stop != name.data() + name.size()) stream_.fail("a version that is no number");
    name = stream_.text();
  }
  if (name.empty() || name.size() > static_cast<std::size_t>(kMaxTorchName)) stream_.fail("a class without a name");
  if (torch_element(name, "Tensor")) return begin_tensor(index);
  if (const auto type = torch_element(name, "Storage")) return read_storage(index, *type);
  // The two containers of the package tds write their entries themselves.
  if (name == "tds.Hash") return begin_entries(index, stream_.wide(), false);
  if (name == "tds.Vec") return begin_entries(index, stream_.wide(), true);
  return open(keep(file_.objects_, TorchKind::object, index, TorchObject{name, version, {}, position}), 1);
}

std::optional<TorchValue> TorchReader::begin_tensor(std::int64_t index) {
  TorchTensor tensor;
  const std::int64_t rank = stream_.integer();
  if (rank < 0 || rank > kMaxTorchStoredRank) stream_.fail(fmt::format("a tensor of {} dimensions", rank));
  tensor.sizes = stream_.wides(rank);
  tensor.strides = stream_.wides(rank);
  tensor.offset = stream_.wide();
  if (tensor.offset > 0) --tensor.offset;  // Lua counts from 1
  return open(keep(file_.tensors_, TorchKind::tensor, index, std::move(tensor)), 1);
}

TorchValue TorchReader::read_storage(std::int64_t index, TorchNumber type) {
  const std::int64_t count = stream_.wide();
  return keep(file_.storages_, TorchKind::storage, index, stream_.numbers(type, count));
}

}  // namespace octavo::graph
