// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli; RFC 3720 appendix B.4), the checksum of the `.octavo` file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace octavo::runtime {

/// The checksum of `bytes`; crc32c("123456789") = 0xe3069283. To go on from an earlier part, pass its checksum.
/// About 10 GB/s where the CPU has SSE 4.2, 1 GB/s elsewhere.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t earlier = 0) noexcept;

/// The way without SSE 4.2, for tests.
[[nodiscard]] std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t earlier = 0) noexcept;

}  // namespace octavo::runtime
