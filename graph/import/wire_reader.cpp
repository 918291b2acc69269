// SPDX-License-Identifier: Apache-2.0
// See graph/import/wire_reader.h.
#include "graph/import/wire_reader.h"

#include <fmt/core.h>

#include "octavo/error.h"

namespace octavo::graph {
namespace {

constexpr std::uint64_t kMaxFieldNumber = (1U << 29) - 1;
constexpr int kMaxGroupDepth = 64;
constexpr unsigned kEndGroup = 4;

}  // namespace

void WireReader::fail(const char* what) const {
  throw Error(ErrorKind::malformed, fmt::format("{} at byte {}", what, base_ + position_));
}

std::uint64_t WireReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at_end()) fail("the file ends within a number");
    const auto byte = std::to_integer<std::uint64_t>(message_[position_++]);
    if (shift == 63 && byte > 1) fail("a number of more than 64 bits");
    value |= (byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  fail("a number of more than 64 bits");
}

std::span<const std::byte> WireReader::take(std::uint64_t count) {
  if (count > message_.size() - position_) fail("a length that reaches past the end");
  const auto taken = message_.subspan(position_, static_cast<std::size_t>(count));
  position_ += taken.size();
  return taken;
}

// Groups are an old construct that Caffe never uses; they are stepped over by counting, not by recursion.
void WireReader::skip_group(std::uint32_t number) {
  std::uint64_t open[kMaxGroupDepth] = {number};
  int depth = 1;
  while (depth > 0) {
    const std::uint64_t tag = varint();
    switch (tag & 7) {
      case 0:
        (void)varint();
        break;
      case 1:
        (void)take(8);
        break;
      case 2:
        (void)take(varint());
        break;
      case 3:
        if (depth == kMaxGroupDepth) fail("groups nested too deeply");
        open[depth++] = tag >> 3;
        break;
      case kEndGroup:
        if (open[--depth] != tag >> 3) fail("a group that is not closed");
        break;
      case 5:
        (void)take(4);
        break;
      default:
        fail("an unknown kind of field");
    }
  }
}

std::optional<WireField> WireReader::next() {
  if (at_end()) return std::nullopt;
  const std::size_t begin = position_;
  const std::uint64_t tag = varint();
  WireField field;
  if (tag >> 3 == 0 || tag >> 3 > kMaxFieldNumber) fail("a field number out of range");
  field.number = static_cast<std::uint32_t>(tag >> 3);
  switch (tag & 7) {
    case 0:
      field.type = WireField::Type::varint;
      field.value = varint();
      break;
    case 1:
      field.type = WireField::Type::fixed64;
      field.bytes = take(8);
      break;
    case 2:
      field.type = WireField::Type::bytes;
      field.bytes = take(varint());
      break;
    case 3:
      field.type = WireField::Type::group;
      skip_group(field.number);
      break;
    case 5:
      field.type = WireField::Type::fixed32;
      field.bytes = take(4);
      break;
    default:
      fail("an unknown kind of field");
  }
  field.whole = message_.subspan(begin, position_ - begin);
  return field;
}

}  // namespace octavo::graph
