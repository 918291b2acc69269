// SPDX-License-Identifier: Apache-2.0
// See graph/import/md5.h.
#include "graph/import/md5.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace octavo::graph {
namespace {

using Md5State = std::array<std::uint32_t, 4>;
constexpr std::size_t kMd5Block = 64;

/// The integer parts of 2^32 |sin(i + 1)|.
std::array<std::uint32_t, kMd5Block> md5_constants() {
  std::array<std::uint32_t, kMd5Block> constants{};
  for (std::size_t i = 0; i < constants.size(); ++i) {
    constants[i] =
        static_cast<std::uint32_t>(std::floor(std::ldexp(std::fabs(std::sin(static_cast<double>(i + 1))), 32)));
  }
  return constants;
}

void md5_block(Md5State& state, const std::byte* block) {
  static const auto constants = md5_constants();
  static constexpr int kTurns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  std::array<std::uint32_t, 16> words{};
  std::memcpy(words.data(), block, kMd5Block);  // little-endian, as x86 is
  auto [a, b, c, d] = state;
  for (std::size_t i = 0; i < kMd5Block; ++i) {
    std::uint32_t mixed = 0;
    std::size_t word = 0;
    switch (i / 16) {
      case 0:
        mixed = (b & c) | (~b & d);
        word = i;
        break;
      case 1:
        mixed = (d & b) | (~d & c);
        word = (5 * i + 1) % 16;
        break;
      case 2:
        mixed = b ^ c ^ d;
        word = (3 * i + 5) % 16;
        break;
      default:
        mixed = c ^ (b | ~d);
        word = (7 * i) % 16;
        break;
    }
    const std::uint32_t sum = a + mixed + constants[i] + words[word];
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, kTurns[i / 16][i % 4]);
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
}

}  // namespace

std::array<std::byte, 16> md5(std::span<const std::byte> bytes) {
  Md5State state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const std::size_t whole = bytes.size() / kMd5Block * kMd5Block, rest = bytes.size() - whole;
  for (std::size_t at = 0; at < whole; at += kMd5Block) md5_block(state, bytes.data() + at);
  std::array<std::byte, 2 * kMd5Block> tail{};
  if (rest > 0) std::memcpy(tail.data(), bytes.data() + whole, rest);
  tail[rest] = std::byte{0x80};
  const std::size_t end = rest < kMd5Block - sizeof(std::uint64_t) ? kMd5Block : 2 * kMd5Block;
  const std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
  std::memcpy(tail.data() + end - sizeof(bits), &bits, sizeof(bits));
  for (std::size_t at = 0; at < end; at += kMd5Block) md5_block(state, tail.data() + at);
  std::array<std::byte, 16> digest{};
  std::memcpy(digest.data(), state.data(), digest.size());
  return digest;
}

}  // namespace octavo::graph
