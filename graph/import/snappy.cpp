// SPDX-License-Identifier: Apache-2.0
// See graph/import/snappy.h.
#include "graph/import/snappy.h"

#include <cstdint>

#include "graph/import/wire_reader.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

/// A copy of at most 64 bytes takes two bytes of data or more.
constexpr std::size_t kMostGrowth = 32;

[[noreturn]] void broken_snappy(const char* what) { throw Error(ErrorKind::malformed, what); }

class SnappyReader {
 public:
  explicit SnappyReader(std::span<const std::byte> data) : data_(data) {}

  [[nodiscard]] bool at_end() const { return at_ == data_.size(); }
  std::span<const std::byte> take(std::size_t count) {
    if (count > data_.size() - at_) broken_snappy("compressed data ends early");
    at_ += count;
    return data_.subspan(at_ - count, count);
  }
  /// A little-endian number of some bytes.
  std::size_t number(std::size_t bytes) {
    std::size_t value = 0, shift = 0;
    for (const std::byte byte : take(bytes)) {
      value |= std::to_integer<std::size_t>(byte) << shift;
      shift += 8;
    }
    return value;
  }
  std::size_t varint() {
    std::size_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
      const std::size_t byte = number(1);
      value |= (byte & 127U) << shift;
      if (byte < 128) return value;
    }
    broken_snappy("a length of compressed data that is too long");
  }

 private:
  std::span<const std::byte> data_;
  std::size_t at_ = 0;
};

/// Bytes that follow, or that are copied from some distance back.
struct SnappyElement {
  std::size_t length = 0, distance = 0;
  bool literal = false;
};

SnappyElement next_element(SnappyReader& reader) {
  const std::size_t tag = reader.number(1);
  switch (tag & 3U) {
    case 0: {
      const std::size_t length = tag >> 2U;
      return {(length < 60 ? length : reader.number(length - 59)) + 1, 0, true};
    }
    case 1:
      return {((tag >> 2U) & 7U) + 4, ((tag >> 5U) << 8U) | reader.number(1)};
    case 2:
      return {(tag >> 2U) + 1, reader.number(2)};
    default:
      return {(tag >> 2U) + 1, reader.number(4)};
  }
}

}  // namespace

std::vector<std::byte> snappy_uncompressed(std::span<const std::byte> data) {
  SnappyReader reader(data);
  const std::size_t size = reader.varint();
  if (size / kMostGrowth > data.size()) broken_snappy("a length that compressed data cannot fill");
  std::vector<std::byte> result;
  result.reserve(size);
  while (!reader.at_end()) {
    const SnappyElement element = next_element(reader);
    if (element.length > size - result.size()) broken_snappy("compressed data longer than it says");
    if (element.literal) {
      const auto literal = reader.take(element.length);
      result.insert(result.end(), literal.begin(), literal.end());
      continue;
    }
    if (element.distance == 0 || element.distance > result.size()) {
      broken_snappy("compressed data that refers to before its beginning");
    }
    for (std::size_t i = 0; i < element.length; ++i) result.push_back(result[result.size() - element.distance]);
  }
  if (result.size() != size) broken_snappy("compressed data shorter than it says");
  return result;
}

}  // namespace octavo::graph
