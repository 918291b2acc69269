// SPDX-License-Identifier: Apache-2.0
// The wire format, field by field, and every way in which it can be broken.
#include "graph/import/wire_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "octavo/error.h"

namespace octavo::graph {
namespace {

WireReader reader_of(const std::string& bytes) { return WireReader(std::as_bytes(std::span(bytes))); }

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string message(std::initializer_list<int> bytes) {
  std::string text;
  for (const int byte : bytes) text.push_back(static_cast<char>(byte));
  return text;
}

TEST(WireReader, ReadsEveryKindOfField) {
  const std::string bytes =
      message({0x08, 0x96, 0x01, 0x12, 2, 'h', 'i', 0x1D, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8});
  WireReader reader = reader_of(bytes);
  auto field = reader.next();
  ASSERT_TRUE(field);
  EXPECT_EQ(field->number, 1U);
  EXPECT_EQ(field->value, 150U);
  EXPECT_EQ(field->whole.size(), 3U);
  field = reader.next();
  EXPECT_EQ(field->number, 2U);
  EXPECT_EQ(text_of(field->bytes), "hi");
  field = reader.next();
  EXPECT_EQ(field->type, WireField::Type::fixed32);
  EXPECT_EQ(field->bytes.size(), 4U);
  field = reader.next();
  EXPECT_EQ(field->type, WireField::Type::fixed64);
  EXPECT_EQ(field->bytes.size(), 8U);
  EXPECT_FALSE(reader.next());
}

TEST(WireReader, StepsOverGroups) {
  // group 1 { field 2: 5, group 3 { bytes 1: "x" } }, then field 4: 7
  const std::string bytes = message({0x0B, 0x10, 5, 0x1B, 0x0A, 1, 'x', 0x1C, 0x0C, 0x20, 7});
  WireReader reader = reader_of(bytes);
  EXPECT_EQ(reader.next()->type, WireField::Type::group);
  EXPECT_EQ(reader.next()->value, 7U);
}

TEST(WireReader, AVarintHasAtMost64Bits) {
  std::string largest = message({0x08});
  largest += std::string(9, '\xFF') + '\x01';
  EXPECT_EQ(reader_of(largest).next()->value, ~std::uint64_t{0});
  std::string larger = message({0x08});
  larger += std::string(9, '\xFF') + '\x02';
  EXPECT_THROW((void)reader_of(larger).next(), Error);
  const std::string longer = message({0x08}) + std::string(11, '\x80');
  EXPECT_THROW((void)reader_of(longer).next(), Error);
}

TEST(WireReader, BrokenMessagesAreMalformed) {
  for (const std::string& bytes : {
           message({0x80}),                                                        // a tag that does not end
           message({0x00, 0x00}),                                                  // field number 0
           message({0x08}),                                                        // no value
           message({0x12, 5, 'a'}),                                                // a length past the end
           message({0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}),  // a length of 2^63 - 1
           message({0x1D, 1, 2}),                                                  // half a number
           message({0x0C}),            // the end of a group that was never opened
           message({0x0B, 0x14}),      // one closed by another's end
           message({0x0B}),            // one that is not closed
           message({0x0E}),            // wire type 6
           std::string(1000, '\x0B'),  // groups in groups in groups
       }) {
    try {
      (void)reader_of(bytes).next();
      ADD_FAILURE() << testing::PrintToString(bytes);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::malformed);
      EXPECT_THAT(error.what(), testing::HasSubstr("byte"));
    }
  }
}

}  // namespace
}  // namespace octavo::graph
