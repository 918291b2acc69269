// SPDX-License-Identifier: Apache-2.0
// The bytes of an `.octavo` file: preamble, description, blobs. See docs/model-file.md.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace octavo::runtime {

static_assert(std::endian::native == std::endian::little, "the file is little-endian, as is every CPU octavo runs on");

constexpr std::array<unsigned char, 8> kOctavoMagic = {0x89, 'O', 'C', 'T', 'A', 'V', 'O', '\n'};
constexpr std::uint32_t kOctavoVersion = 1;
constexpr std::size_t kBlobAlignment = 64;
constexpr std::uint64_t kMaxDescriptionBytes = 16U << 20U;

/// The first 64 bytes. This struct is the same in every version to come: an older octavo can tell that a file is whole
/// but newer than it understands.
struct Preamble {
  std::array<unsigned char, 8> magic = kOctavoMagic;
  std::uint32_t version = kOctavoVersion;
  std::uint32_t preamble_bytes = 64;
  std::uint64_t description_bytes = 0;  ///< JSON in UTF-8, right behind the preamble; then zeros up to blob_offset
  std::uint64_t blob_offset = 0;        ///< the next multiple of 64
  std::uint64_t blob_bytes = 0;         ///< up to the end of the file
  std::uint32_t description_crc = 0;    ///< CRC-32C
  std::array<std::uint32_t, 4> reserved{};
  std::uint32_t preamble_crc = 0;  ///< CRC-32C of the 60 bytes before
};
static_assert(sizeof(Preamble) == 64);

[[nodiscard]] constexpr std::uint64_t align_blob(std::uint64_t offset) {
  return (offset + kBlobAlignment - 1) / kBlobAlignment * kBlobAlignment;
}

[[nodiscard]] Preamble make_preamble(std::span<const std::byte> description, std::uint64_t blob_bytes);
/// Checks everything that the preamble says of the file, the description's checksum included. Throws Error: malformed,
/// unsupported (a newer version).
[[nodiscard]] Preamble read_preamble(std::span<const std::byte> file);

}  // namespace octavo::runtime
