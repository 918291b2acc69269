// SPDX-License-Identifier: Apache-2.0
// CRC-32C: known values, and the fast way against the plain one.
#include "runtime/crc32c.h"

#include <gtest/gtest.h>

#include <random>
#include <string_view>
#include <vector>

namespace octavo::runtime {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(Crc32c, HasTheValuesOfRfc3720) {
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0})), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0xff})), 0x62a8ab43U);
  EXPECT_EQ(crc32c({}), 0U);
}

TEST(Crc32c, BothWaysAgreeAtEverySizeAndOffset) {
  std::mt19937 random(1);
  std::vector<std::byte> data(40000);
  for (auto& byte : data) byte = static_cast<std::byte>(random());
  for (const std::size_t size : {0U, 1U, 7U, 8U, 9U, 63U, 12287U, 12288U, 12289U, 30000U}) {
    for (std::size_t offset = 0; offset < 9; ++offset) {
      const auto part = std::span(data).subspan(offset, size);
      EXPECT_EQ(crc32c(part), crc32c_portable(part)) << size << " at " << offset;
    }
  }
}

TEST(Crc32c, GoesOnFromAnEarlierPart) {
  std::vector<std::byte> data(20000, std::byte{'x'});
  const auto all = std::span<const std::byte>(data);
  for (const std::size_t cut : {0U, 1U, 4096U, 12300U, 20000U}) {
    EXPECT_EQ(crc32c(all.subspan(cut), crc32c(all.first(cut))), crc32c(all));
    EXPECT_EQ(crc32c_portable(all.subspan(cut), crc32c_portable(all.first(cut))), crc32c(all));
  }
}

}  // namespace
}  // namespace octavo::runtime
