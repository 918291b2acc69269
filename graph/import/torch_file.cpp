// SPDX-License-Identifier: Apache-2.0
// See graph/import/torch_file.h.
#include "graph/import/torch_file.h"

#include <algorithm>
#include <tuple>

#include "graph/import/torch.h"
#include "graph/import/torch_reader.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

/// An order of objects, for look-ups only.
bool operator<(const TorchValue& a, const TorchValue& b) {
  return std::tie(a.kind, a.at, a.number) < std::tie(b.kind, b.at, b.number);
}
bool operator==(const TorchValue& a, const TorchValue& b) { return a.same(b); }

/// Sorts by key and keeps the last of equal ones.
template <class Key>
void sort_for_lookups(std::vector<std::pair<Key, TorchValue>>& entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i + 1 == entries.size() || !(entries[i + 1].first == entries[i].first)) entries[kept++] = entries[i];
  }
  entries.resize(kept);
}

template <class Key>
TorchValue find_sorted(const std::vector<std::pair<Key, TorchValue>>& entries, const Key& key) {
  const auto found = std::lower_bound(entries.begin(), entries.end(), key,
                                      [](const auto& entry, const Key& wanted) { return entry.first < wanted; });
  return found != entries.end() && found->first == key ? found->second : TorchValue{};
}

}  // namespace

std::string_view torch_kind_name(TorchKind kind) {
  static constexpr std::string_view kNames[] = {"nil",       "a number", "a boolean", "a string",  "a table",
                                                "an object", "a tensor", "a storage", "a function"};
  return kNames[static_cast<std::size_t>(kind)];
}

TorchValue TorchTable::find(std::string_view key) const { return find_sorted(named, key); }

TorchValue TorchTable::find(double key) const { return find_sorted(numbered, key); }

TorchValue TorchTable::find(const TorchValue& key) const { return find_sorted(others, key); }

std::vector<TorchValue> TorchTable::list() const {
  std::vector<TorchValue> values;
  const auto first = std::lower_bound(numbered.begin(), numbered.end(), 1.0,
                                      [](const auto& entry, double wanted) { return entry.first < wanted; });
  for (auto entry = first; entry != numbered.end(); ++entry) {
    if (entry->first != static_cast<double>(values.size() + 1) || entry->second.is(TorchKind::nil)) break;
    values.push_back(entry->second);
  }
  return values;
}

TorchFile::TorchFile(const std::filesystem::path& path) : path_(path), mapped_(MappedFile::open(path)) {
  if (mapped_->bytes().empty()) throw Error(ErrorKind::malformed, "an empty file", path.string());
  const auto read = [&](std::size_t long_bytes) {
    texts_.clear();
    tables_.clear();
    objects_.clear();
    tensors_.clear();
    storages_.clear();
    root_ = TorchReader(*this, long_bytes).run();
  };
  try {
    read(8);
  } catch (const Error& error) {
    try {
      read(4);
    } catch (const Error&) {  // neither: what went wrong with today's size is what there is to say
      throw Error(error.kind(), error.what(), path.string());
    }
  }
  for (TorchTable& table : tables_) {
    std::erase_if(table.numbered, [](const auto& entry) { return entry.first != entry.first; });  // NaN: Lua has none
    sort_for_lookups(table.named);
    sort_for_lookups(table.numbered);
    sort_for_lookups(table.others);
  }
}

const TorchTable& TorchFile::table(const TorchValue& value) const {
  static const TorchTable none;
  if (value.is(TorchKind::table)) return tables_[value.at];
  if (!value.is(TorchKind::object)) return none;
  const TorchValue& content = objects_[value.at].content;
  return content.is(TorchKind::table) ? tables_[content.at] : none;
}

bool is_torch(std::span<const std::byte> bytes) { return TorchStream::begins(bytes); }

}  // namespace octavo::graph
