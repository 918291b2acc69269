// SPDX-License-Identifier: Apache-2.0
// The primitives whose result is an order: what lies where after packing and transposing.
#include "jit/vector_unit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <random>
#include <vector>

#include "jit/kernel_cache.h"

namespace octavo::jit {
namespace {

struct MoveArgs {
  const void* from;
  void* to;
};

class VectorUnitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto list = isa_list();
    if (std::find(list.begin(), list.end(), Isa::avx512vnni) == list.end())
      GTEST_SKIP() << "this machine has no AVX-512 VNNI";
  }
  /// A kernel with `from` in rsi and `to` in rdx.
  template <class Body>
  void run(const Body& body, const void* from, void* to) {
    KernelCache cache;
    const KernelRequest request{"unit", [&] {
                                  Assembler a;
                                  const auto unit = make_vector_unit(Isa::avx512vnni, a);
                                  a.prologue();
                                  a.mov(a.rsi, a.ptr[a.rdi + offsetof(MoveArgs, from)]);
                                  a.mov(a.rdx, a.ptr[a.rdi + offsetof(MoveArgs, to)]);
                                  body(a, *unit);
                                  a.epilogue();
                                  return a.finish("unit");
                                }};
    (*cache.get({&request, 1}).front())(MoveArgs{from, to});
  }
};

TEST_F(VectorUnitTest, PackedChannelIsAPermutationThatKeepsGroupsOfFour) {
  std::array<bool, 64> seen{};
  for (int position = 0; position < 64; ++position) {
    const int channel = packed_channel(Isa::avx512vnni, position);
    ASSERT_GE(channel, 0);
    ASSERT_LT(channel, 64);
    EXPECT_FALSE(seen[static_cast<std::size_t>(channel)]);
    seen[static_cast<std::size_t>(channel)] = true;
    EXPECT_EQ(channel - channel % 4 + position % 4, channel);
  }
}

TEST_F(VectorUnitTest, StorePacked4WritesTheOrderOfPackedChannel) {
  for (const ZeroPoint zero_point : {ZeroPoint::none, ZeroPoint::middle}) {
    std::vector<std::int32_t> values(64);
    std::iota(values.begin(), values.end(), zero_point == ZeroPoint::none ? 100 : -30);
    std::vector<std::uint8_t> bytes(64);
    run(
        [&](Assembler& a, VectorUnit& unit) {
          for (int i = 0; i < 4; ++i) unit.load({i}, a.ptr[a.rsi + i * 64]);
          unit.store_packed4(a.ptr[a.rdx], {0}, {1}, {2}, {3}, zero_point);
        },
        values.data(), bytes.data());
    for (int position = 0; position < 64; ++position) {
      const int value = values[static_cast<std::size_t>(packed_channel(Isa::avx512vnni, position))];
      EXPECT_EQ(bytes[static_cast<std::size_t>(position)], value + (zero_point == ZeroPoint::none ? 0 : 128));
    }
  }
}

TEST_F(VectorUnitTest, PackingSaturates) {
  const std::array<std::int32_t, 8> extremes{-1'000'000, -129, -128, -1, 0, 255, 256, 1'000'000};
  std::vector<std::int32_t> values(64);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = extremes[i % 8];
  std::vector<std::uint8_t> all(64), one(16);
  run(
      [&](Assembler& a, VectorUnit& unit) {
        for (int i = 0; i < 4; ++i) unit.load({i}, a.ptr[a.rsi + i * 64]);
        unit.store_packed4(a.ptr[a.rdx], {0}, {1}, {2}, {3}, ZeroPoint::none);
      },
      values.data(), all.data());
  run(
      [&](Assembler& a, VectorUnit& unit) {
        unit.load({0}, a.ptr[a.rsi]);
        unit.store_packed1(a.ptr[a.rdx], {0}, ZeroPoint::none);
      },
      values.data(), one.data());
  const std::array<std::uint8_t, 8> expected{0, 0, 0, 0, 0, 255, 255, 255};
  for (int position = 0; position < 64; ++position)
    EXPECT_EQ(all[static_cast<std::size_t>(position)],
              expected[static_cast<std::size_t>(packed_channel(Isa::avx512vnni, position)) % 8]);
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i], expected[i % 8]);
}

TEST_F(VectorUnitTest, TransposeMaxPutsTheMaximumOfEachRegisterIntoItsLane) {
  std::mt19937 random(1);
  std::vector<std::uint32_t> values(256), maxima(16);
  for (auto& value : values) value = static_cast<std::uint32_t>(random());
  run(
      [&](Assembler& a, VectorUnit& unit) {
        std::array<Vec, 16> all{};
        for (int i = 0; i < 16; ++i) {
          all[static_cast<std::size_t>(i)] = {i};
          unit.load({i}, a.ptr[a.rsi + i * 64]);
        }
        unit.transpose_max(all, {16});
        unit.store(a.ptr[a.rdx], {0});
      },
      values.data(), maxima.data());
  for (std::size_t i = 0; i < 16; ++i)
    EXPECT_EQ(maxima[i], *std::max_element(values.begin() + static_cast<std::ptrdiff_t>(16 * i),
                                           values.begin() + static_cast<std::ptrdiff_t>(16 * (i + 1))));
}

TEST_F(VectorUnitTest, MaxAndMinReturnTheirLastOperandForNaN) {
  std::vector<float> values(32, 1.0F), results(32);
  std::fill_n(values.begin(), 16, std::numeric_limits<float>::quiet_NaN());
  run(
      [&](Assembler& a, VectorUnit& unit) {
        unit.load({0}, a.ptr[a.rsi]);
        unit.load({1}, a.ptr[a.rsi + 64]);
        unit.max({2}, {1}, Vec{0});
        unit.min({3}, {0}, Vec{1});
        unit.store(a.ptr[a.rdx], {2});
        unit.store(a.ptr[a.rdx + 64], {3});
      },
      values.data(), results.data());
  EXPECT_TRUE(std::isnan(results[0]));
  EXPECT_EQ(results[16], 1.0F);
}

}  // namespace
}  // namespace octavo::jit
