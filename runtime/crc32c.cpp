// SPDX-License-Identifier: Apache-2.0
// CRC-32C by the CPU's own instruction, or by eight tables of 256 entries ("slicing by 8").
#include "runtime/crc32c.h"

#include <nmmintrin.h>

#include <array>
#include <cstring>

namespace octavo::runtime {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78U;  // Castagnoli's, bits reversed
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
    tables[0][i] = crc;
  }
  for (std::size_t t = 1; t < 8; ++t) {
    for (std::size_t i = 0; i < 256; ++i) {
      const std::uint32_t before = tables[t - 1][i];
      tables[t][i] = (before >> 8U) ^ tables[0][before & 0xffU];
    }
  }
  return tables;
}
constexpr Tables kTables = make_tables();

std::uint64_t load64(const std::byte* from) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

std::uint32_t step(std::uint32_t crc, std::byte byte) noexcept {
  return (crc >> 8U) ^ kTables[0][(crc ^ static_cast<std::uint32_t>(byte)) & 0xffU];
}

/// Three runs of this many bytes are summed side by side (the instruction takes 3 cycles, but one can start each
/// cycle) and then joined by carrying the first two over the runs behind them.
constexpr std::size_t kRun = 4096;

/// What kRun zero bytes do to a checksum, as a table for each of its four bytes (the map is linear).
using Shift = std::array<std::array<std::uint32_t, 256>, 4>;
Shift make_shift() {
  std::array<std::uint32_t, 32> image{};
  for (std::uint32_t bit = 0; bit < 32; ++bit) {
    std::uint32_t crc = 1U << bit;
    for (std::size_t i = 0; i < kRun; ++i) crc = step(crc, std::byte{0});
    image[bit] = crc;
  }
  Shift shift{};
  for (std::uint32_t byte = 0; byte < 4; ++byte) {
    for (std::uint32_t value = 0; value < 256; ++value) {
      for (std::uint32_t bit = 0; bit < 8; ++bit) {
        if (((value >> bit) & 1U) != 0) shift[byte][value] ^= image[8 * byte + bit];
      }
    }
  }
  return shift;
}

std::uint32_t carry(const Shift& shift, std::uint32_t crc) noexcept {
  return shift[0][crc & 0xffU] ^ shift[1][(crc >> 8U) & 0xffU] ^ shift[2][(crc >> 16U) & 0xffU] ^ shift[3][crc >> 24U];
}

__attribute__((target("sse4.2"))) std::uint32_t by_instruction(std::span<const std::byte> bytes, std::uint32_t crc) {
  static const Shift shift = make_shift();
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 3 * kRun; at += 3 * kRun, left -= 3 * kRun) {
    std::uint64_t a = crc, b = 0, c = 0;
    for (std::size_t i = 0; i < kRun; i += 8) {
      a = _mm_crc32_u64(a, load64(at + i));
      b = _mm_crc32_u64(b, load64(at + kRun + i));
      c = _mm_crc32_u64(c, load64(at + 2 * kRun + i));
    }
    const std::uint32_t ab = carry(shift, static_cast<std::uint32_t>(a)) ^ static_cast<std::uint32_t>(b);
    crc = carry(shift, ab) ^ static_cast<std::uint32_t>(c);
  }
  std::uint64_t wide = crc;
  for (; left >= 8; at += 8, left -= 8) wide = _mm_crc32_u64(wide, load64(at));
  crc = static_cast<std::uint32_t>(wide);
  for (; left > 0; ++at, --left) crc = _mm_crc32_u8(crc, static_cast<std::uint8_t>(*at));
  return crc;
}

}  // namespace

std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t earlier) noexcept {
  std::uint32_t crc = ~earlier;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    const std::uint64_t v = load64(at) ^ crc;
    crc = kTables[7][v & 0xffU] ^ kTables[6][(v >> 8U) & 0xffU] ^ kTables[5][(v >> 16U) & 0xffU] ^
          kTables[4][(v >> 24U) & 0xffU] ^ kTables[3][(v >> 32U) & 0xffU] ^ kTables[2][(v >> 40U) & 0xffU] ^
          kTables[1][(v >> 48U) & 0xffU] ^ kTables[0][v >> 56U];
  }
  for (; left > 0; ++at, --left) crc = step(crc, *at);
  return ~crc;
}

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t earlier) noexcept {
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  return has_instruction ? ~by_instruction(bytes, ~earlier) : crc32c_portable(bytes, earlier);
}

}  // namespace octavo::runtime
