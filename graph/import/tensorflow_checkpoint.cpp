// SPDX-License-Identifier: Apache-2.0
// See graph/import/tensorflow_checkpoint.h.
#include "graph/import/tensorflow_checkpoint.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <span>

#include "graph/import/node_builder.h"
#include "graph/import/sorted_table.h"
#include "graph/import/tensorflow_limits.h"
#include "graph/import/tensorflow_restore.h"
#include "graph/import/tensorflow_tensor.h"
#include "graph/import/wire_reader.h"
#include "graph/mapped_file.h"
#include "graph/near_names.h"
#include "graph/placed_error.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

using Bytes = std::span<const std::byte>;

// Field numbers (see octavo_tensorflow.proto).
namespace bundle_header {
constexpr std::uint32_t shards = 1, endianness = 2;
}
namespace bundle_entry {
constexpr std::uint32_t type = 1, shape = 2, shard = 3, offset = 4, size = 5, slices = 7;
}
namespace object_graph {
constexpr std::uint32_t node = 1, attribute = 2, full_name = 2, key = 3;
}

constexpr std::uint64_t kMaxShards = 4096;
constexpr auto kObjectGraph = "_CHECKPOINTABLE_OBJECT_GRAPH";

std::string text_in(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kMaxTensorflowNameBytes)};
}

}  // namespace

struct TensorflowCheckpoint::Entry {
  std::uint64_t type = 0, shard = 0, offset = 0, size = 0;
  Shape shape;
  bool sliced = false;
};

std::unique_ptr<TensorflowCheckpoint> TensorflowCheckpoint::open(const std::filesystem::path& prefix) {
  std::error_code ignored;
  if (!std::filesystem::exists(prefix.string() + ".index", ignored)) return nullptr;
  return std::unique_ptr<TensorflowCheckpoint>(new TensorflowCheckpoint(prefix));
}

TensorflowCheckpoint::TensorflowCheckpoint(const std::filesystem::path& prefix) {
  const std::string index = prefix.string() + ".index";
  try {
    index_ = read_sorted_table(MappedFile::open(index)->bytes());
    const auto header = index_.find("");
    if (header == index_.end()) throw Error(ErrorKind::malformed, "an index without its header");
    std::uint64_t shards = 0;
    WireReader reader(header->second);
    while (const auto field = reader.next()) {
      if (field->number == bundle_header::shards) shards = field->value;
      if (field->number == bundle_header::endianness && field->value != 0) {
        throw Error(ErrorKind::unsupported, "numbers whose most significant byte comes first");
      }
    }
    if (shards > kMaxShards) throw Error(ErrorKind::malformed, fmt::format("{} files of numbers", shards));
    for (std::uint64_t i = 0; i < shards; ++i) {
      shards_.push_back(MappedFile::open(fmt::format("{}.data-{:05}-of-{:05}", prefix.string(), i, shards)));
    }
    read_object_names();
  } catch (const Error& error) {
    throw placed(error, index);
  }
}

/// Networks of TensorFlow 2 name a variable one way, and its checkpoint by where it hangs in a tree of objects.
void TensorflowCheckpoint::read_object_names() {
  if (!index_.contains(kObjectGraph)) return;
  const Bytes text = numbers_of(entry_of(kObjectGraph));
  // A string tensor of one element: its length, a checksum of that, the bytes.
  WireReader length_reader(text);
  const std::uint64_t length = length_reader.varint();
  if (length > text.size()) throw Error(ErrorKind::malformed, "names of variables that end early");
  WireReader graph(text.last(static_cast<std::size_t>(length)));
  while (const auto node = graph.next()) {
    if (node->number != object_graph::node || !node->is_bytes()) continue;
    WireReader attributes(node->bytes);
    while (const auto attribute = attributes.next()) {
      if (attribute->number != object_graph::attribute || !attribute->is_bytes()) continue;
      std::string name, key;
      WireReader parts(attribute->bytes);
      while (const auto part = parts.next()) {
        if (part->number == object_graph::full_name) name = text_in(part->bytes);
        if (part->number == object_graph::key) key = text_in(part->bytes);
      }
      if (name.empty() || key.empty()) continue;
      const auto [known, added] = keys_.emplace(std::move(name), key);
      if (!added && known->second != key) known->second.clear();
    }
  }
}

TensorflowCheckpoint::Entry TensorflowCheckpoint::entry_of(const std::string& key) const {
  Entry entry;
  WireReader reader(index_.at(key));
  while (const auto field = reader.next()) {
    switch (field->number) {
      case bundle_entry::type:
        entry.type = field->value;
        break;
      case bundle_entry::shape:
        entry.shape = decode_tensorflow_shape(field->bytes).dims;
        break;
      case bundle_entry::shard:
        entry.shard = field->value;
        break;
      case bundle_entry::offset:
        entry.offset = field->value;
        break;
      case bundle_entry::size:
        entry.size = field->value;
        break;
      case bundle_entry::slices:
        entry.sliced = true;
        break;
      default:
        break;
    }
  }
  return entry;
}

Bytes TensorflowCheckpoint::numbers_of(const Entry& entry) const {
  if (entry.shard >= shards_.size()) throw Error(ErrorKind::malformed, "a variable in a file that is not there");
  const Bytes file = shards_[static_cast<std::size_t>(entry.shard)]->bytes();
  if (entry.size > file.size() || entry.offset > file.size() - entry.size) {
    throw Error(ErrorKind::malformed, "a variable that reaches past the end of its file");
  }
  return file.subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.size));
}

std::size_t TensorflowCheckpoint::bytes() const {
  std::size_t bytes = 0;
  for (const auto& shard : shards_) bytes += shard->bytes().size();
  return bytes;
}

void TensorflowCheckpoint::read_restored(const std::vector<TensorflowNodeDef>& nodes) {
  restored_ = restored_variables(nodes, restore_);
}

std::string TensorflowCheckpoint::key_of(const std::string& name) const {
  if (const auto restored = restored_.find(name); restored != restored_.end()) return restored->second;
  const auto renamed = keys_.find(name);
  if (renamed == keys_.end()) return name;
  if (!renamed->second.empty()) return renamed->second;
  throw Error(ErrorKind::unsupported, fmt::format("the checkpoint has several variables '{}'", name), {},
              "nothing in the file says which of them is meant: freeze the graph");
}

ConstantPtr TensorflowCheckpoint::read(const std::string& name) const {
  const std::string key = key_of(name);
  if (key.empty() || !index_.contains(key)) {
    std::vector<std::string> names;
    for (const auto& [known, bytes] : index_) names.push_back(known);
    throw Error(ErrorKind::unsupported, fmt::format("the checkpoint has no variable '{}'", key), {},
                near_names_hint(key, names));
  }
  const Entry entry = entry_of(key);
  if (entry.sliced) throw Error(ErrorKind::unsupported, fmt::format("the variable '{}' is stored in slices", key));
  const ElementType type = tensorflow_type(entry.type);
  if (type == ElementType::string) throw Error(ErrorKind::unsupported, "strings");
  return constant_from_bytes(type, entry.shape, numbers_of(entry), shards_[static_cast<std::size_t>(entry.shard)]);
}

}  // namespace octavo::graph
