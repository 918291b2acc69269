// SPDX-License-Identifier: Apache-2.0
// See graph/import/sorted_table.h.
#include "graph/import/sorted_table.h"

#include <fmt/core.h>

#include <cstdint>
#include <functional>
#include <tuple>

#include "graph/import/load_number.h"
#include "graph/import/snappy.h"
#include "graph/import/wire_reader.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint64_t kMagic = 0xdb4775248b80fb57U;
constexpr std::size_t kFooter = 48, kTrailer = 5;  // of a block: its compression and a checksum
constexpr std::size_t kMaxKey = 65536, kMaxEntries = std::size_t{1} << 20;
constexpr std::size_t kMaxTableBytes = std::size_t{256}
                                       << 20;  ///< of blocks, as often as the index names them, keys and values

[[noreturn]] void broken_table(const char* what) { throw Error(ErrorKind::malformed, what); }

/// Where a block lies.
struct BlockHandle {
  std::uint64_t offset = 0, size = 0;
};

BlockHandle read_handle(WireReader& reader) {
  BlockHandle handle;
  handle.offset = reader.varint();
  handle.size = reader.varint();
  return handle;
}

/// A block's contents; `held` keeps them where they had to be uncompressed.
Bytes block_at(Bytes file, const BlockHandle& handle, std::vector<std::byte>& held) {
  if (file.size() < kTrailer || handle.size > file.size() - kTrailer ||
      handle.offset > file.size() - kTrailer - handle.size) {
    broken_table("a block that lies outside the table");
  }
  const Bytes contents = file.subspan(static_cast<std::size_t>(handle.offset), static_cast<std::size_t>(handle.size));
  switch (const auto compression = std::to_integer<int>(file[static_cast<std::size_t>(handle.offset + handle.size)])) {
    case 0:
      return contents;
    case 1:
      held = snappy_uncompressed(contents);
      return held;
    default:
      throw Error(ErrorKind::unsupported, fmt::format("compression {} of a table", compression));
  }
}

/// Calls `visit` with each key and value. A key shares its beginning with the one before.
void for_each_entry(Bytes block, const std::function<void(const std::string&, Bytes)>& visit) {
  if (block.size() < sizeof(std::uint32_t)) broken_table("a block without an end");
  const auto restarts = load_number<std::uint32_t>(block.subspan(block.size() - sizeof(std::uint32_t)));
  if (restarts > block.size() / sizeof(std::uint32_t) - 1)
    broken_table("a block with more restarts than it has room for");
  const Bytes entries = block.first(block.size() - (restarts + std::size_t{1}) * sizeof(std::uint32_t));
  std::string key;
  std::size_t at = 0;
  while (at < entries.size()) {
    // Three varints: how much of the key is shared, how much follows, and the value's size.
    std::uint64_t numbers[3];
    for (std::uint64_t& number : numbers) {
      number = 0;
      for (unsigned shift = 0;; shift += 7) {
        if (at == entries.size() || shift > 28) broken_table("an entry that ends early");
        const auto byte = std::to_integer<std::uint64_t>(entries[at++]);
        number |= (byte & 127U) << shift;
        if (byte < 128) break;
      }
    }
    const auto [shared, added, size] = std::tie(numbers[0], numbers[1], numbers[2]);
    const std::size_t left = entries.size() - at;
    if (shared > key.size() || added > left || size > left - added) broken_table("an entry that ends early");
    if (shared + added > kMaxKey) broken_table("a key of more than 65,536 bytes");
    key.resize(shared);
    key.append(reinterpret_cast<const char*>(entries.data() + at), added);
    at += added;
    visit(key, entries.subspan(at, size));
    at += size;
  }
}

}  // namespace

std::map<std::string, std::vector<std::byte>> read_sorted_table(Bytes file) {
  if (file.size() < kFooter) broken_table("a table that is too short");
  const Bytes footer = file.last(kFooter);
  if (load_number<std::uint64_t>(footer.last(sizeof(std::uint64_t))) != kMagic)
    broken_table("not a table of a checkpoint");
  WireReader handles(footer);
  (void)read_handle(handles);  // of what is known about the table
  std::vector<std::byte> index_bytes;
  const Bytes index = block_at(file, read_handle(handles), index_bytes);
  std::map<std::string, std::vector<std::byte>> table;
  std::size_t bytes = 0;
  for_each_entry(index, [&](const std::string&, Bytes handle) {
    WireReader reader(handle);
    std::vector<std::byte> block_bytes;
    const Bytes block = block_at(file, read_handle(reader), block_bytes);
    bytes += block.size();
    if (bytes > kMaxTableBytes) broken_table("a table that is too large");
    for_each_entry(block, [&](const std::string& key, Bytes value) {
      bytes += key.size() + value.size();
      if (table.size() == kMaxEntries || bytes > kMaxTableBytes) broken_table("a table that is too large");
      table[key].assign(value.begin(), value.end());
    });
  });
  return table;
}

}  // namespace octavo::graph
