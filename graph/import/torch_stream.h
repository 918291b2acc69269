// SPDX-License-Identifier: Apache-2.0
// The numbers of a Torch7 file, one after the other: binary (little endian) or ASCII. Nothing is copied but what ASCII
// spells out, and every count is checked against the bytes that are left before it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace octavo::graph {

enum class TorchNumber { byte, character, int16, int32, int64, half, float32, float64 };

/// Numbers as they lie in the file, or, of an ASCII file, as they were spelled.
struct TorchNumbers {
  TorchNumber type = TorchNumber::float32;
  std::int64_t count = 0;
  std::span<const std::byte> bytes;  ///< count numbers, not aligned; empty when `spelled` holds them
  std::size_t width = 4;             ///< bytes of one number
  std::vector<double> spelled;

  [[nodiscard]] double real(std::int64_t i) const;
};

class TorchStream {
 public:
  /// `long_bytes`: 8, or 4 for files of 32-bit machines. ASCII files are told by their first bytes.
  TorchStream(std::span<const std::byte> bytes, std::size_t long_bytes);

  [[nodiscard]] std::int64_t integer();  ///< 32 bits
  [[nodiscard]] std::int64_t wide();     ///< a C long
  [[nodiscard]] double real();
  /// A length and as many characters.
  [[nodiscard]] std::string_view text();
  [[nodiscard]] TorchNumbers numbers(TorchNumber type, std::int64_t count);
  [[nodiscard]] std::vector<std::int64_t> wides(std::int64_t count);

  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] std::size_t left() const noexcept { return bytes_.size() - position_; }
  /// Throws Error(malformed) that names the byte.
  [[noreturn]] void fail(const std::string& what) const;

  /// Whether a file begins like one of Torch7: a table or an object, binary or ASCII.
  [[nodiscard]] static bool begins(std::span<const std::byte> bytes);

 private:
  [[nodiscard]] std::span<const std::byte> take(std::int64_t count, std::size_t width);
  [[nodiscard]] std::string_view word();
  [[nodiscard]] std::int64_t spelled_integer();
  [[nodiscard]] double spelled_real();
  void skip_line_end();

  std::span<const std::byte> bytes_;
  std::size_t long_bytes_, position_ = 0;
  bool ascii_;
};

}  // namespace octavo::graph
