// SPDX-License-Identifier: Apache-2.0
// Protocol buffers' wire format, read field by field where it lies, without copying and without trust: every length is
// checked against what is left before it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace octavo::graph {

/// One field of a message.
struct WireField {
  enum class Type { varint = 0, fixed64 = 1, bytes = 2, group = 3, fixed32 = 5 };
  std::uint32_t number = 0;
  Type type = Type::varint;
  std::uint64_t value = 0;           ///< varint only
  std::span<const std::byte> bytes;  ///< payload: of `bytes` without the length; of the fixed types their 8 or 4 bytes
  std::span<const std::byte> whole;  ///< the field with its tag

  [[nodiscard]] bool is_bytes() const noexcept { return type == Type::bytes; }
};

class WireReader {
 public:
  /// `base` is the offset of `message` in the file, for messages only.
  explicit WireReader(std::span<const std::byte> message, std::size_t base = 0) : message_(message), base_(base) {}

  /// The next field, or nothing at the end. A group is skipped whole and returned as one field without payload.
  /// Throws Error(malformed) that names the byte.
  std::optional<WireField> next();

  /// Reads one varint of a packed field.
  [[nodiscard]] std::uint64_t varint();
  [[nodiscard]] bool at_end() const noexcept { return position_ == message_.size(); }

 private:
  std::span<const std::byte> take(std::uint64_t count);
  void skip_group(std::uint32_t number);
  [[noreturn]] void fail(const char* what) const;

  std::span<const std::byte> message_;
  std::size_t base_ = 0, position_ = 0;
};

/// add(number) for each number of a repeated field of varints: one a field, or many packed. Fields of other types have
/// none.
template <class Add>
void for_each_varint(const WireField& field, const Add& add) {
  if (field.type == WireField::Type::varint) add(field.value);
  if (field.type != WireField::Type::bytes) return;
  WireReader packed(field.bytes);
  while (!packed.at_end()) add(packed.varint());
}

}  // namespace octavo::graph
