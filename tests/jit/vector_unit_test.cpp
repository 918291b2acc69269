// SPDX-License-Identifier: Apache-2.0
// The primitives whose result is an order: what lies where after packing and transposing.
#include "jit/vector_unit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "jit/kernel_cache.h"
#include "tests/jit/each_isa.h"

namespace octavo::jit {
namespace {

struct MoveArgs {
  const void* from;
  void* to;
};

class VectorUnitTest : public testing::EachIsa {
 protected:
  [[nodiscard]] static int lanes() { return vector_facts(GetParam()).lanes; }
  [[nodiscard]] static int bytes() { return 4 * lanes(); }
  /// A kernel with `from` in rsi and `to` in rdx.
  template <class Body>
  void run(const Body& body, const void* from, void* to) {
    KernelCache cache;
    const KernelRequest request{"unit", [&] {
                                  Assembler a;
                                  const auto unit = make_vector_unit(GetParam(), a);
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

TEST_P(VectorUnitTest, PackedChannelIsAPermutationThatKeepsGroupsOfFour) {
  std::vector<bool> seen(static_cast<std::size_t>(bytes()));
  for (int position = 0; position < bytes(); ++position) {
    const int channel = packed_channel(GetParam(), position);
    ASSERT_GE(channel, 0);
    ASSERT_LT(channel, bytes());
    EXPECT_FALSE(seen[static_cast<std::size_t>(channel)]);
    seen[static_cast<std::size_t>(channel)] = true;
    EXPECT_EQ(channel - channel % 4 + position % 4, channel);
  }
}

TEST_P(VectorUnitTest, StorePacked4WritesTheOrderOfPackedChannel) {
  for (const ZeroPoint zero_point : {ZeroPoint::none, ZeroPoint::middle}) {
    std::vector<std::int32_t> values(static_cast<std::size_t>(bytes()));
    std::iota(values.begin(), values.end(), zero_point == ZeroPoint::none ? 100 : -30);
    std::vector<std::uint8_t> packed(values.size());
    run(
        [&](Assembler& a, VectorUnit& unit) {
          for (int i = 0; i < 4; ++i) unit.load({i}, a.ptr[a.rsi + i * bytes()]);
          unit.store_packed4(a.ptr[a.rdx], {0}, {1}, {2}, {3}, zero_point);
        },
        values.data(), packed.data());
    for (int position = 0; position < bytes(); ++position) {
      const int value = values[static_cast<std::size_t>(packed_channel(GetParam(), position))];
      EXPECT_EQ(packed[static_cast<std::size_t>(position)], value + (zero_point == ZeroPoint::none ? 0 : 128));
    }
  }
}

TEST_P(VectorUnitTest, PackingSaturates) {
  const std::array<std::int32_t, 8> extremes{-1'000'000, -129, -128, -1, 0, 255, 256, 1'000'000};
  std::vector<std::int32_t> values(static_cast<std::size_t>(bytes()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = extremes[i % 8];
  std::vector<std::uint8_t> all(values.size()), one(static_cast<std::size_t>(lanes()));
  run(
      [&](Assembler& a, VectorUnit& unit) {
        for (int i = 0; i < 4; ++i) unit.load({i}, a.ptr[a.rsi + i * bytes()]);
        unit.store_packed4(a.ptr[a.rdx], {0}, {1}, {2}, {3}, ZeroPoint::none);
      },
      values.data(), all.data());
  run(
      [&](Assembler& a, VectorUnit& unit) {
        unit.load({0}, a.ptr[a.rsi]);
        unit.store_packed1(a.ptr[a.rdx], {0}, ZeroPoint::none, lanes());
      },
      values.data(), one.data());
  const std::array<std::uint8_t, 8> expected{0, 0, 0, 0, 0, 255, 255, 255};
  for (int position = 0; position < bytes(); ++position)
    EXPECT_EQ(all[static_cast<std::size_t>(position)],
              expected[static_cast<std::size_t>(packed_channel(GetParam(), position)) % 8]);
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i], expected[i % 8]);
}

TEST_P(VectorUnitTest, TransposeMaxPutsTheMaximumOfEachRegisterIntoItsLane) {
  std::mt19937 random(1);
  const auto count = static_cast<std::size_t>(lanes());
  std::vector<std::uint32_t> values(count * count), maxima(count);
  for (auto& value : values) value = static_cast<std::uint32_t>(random());
  run(
      [&](Assembler& a, VectorUnit& unit) {
        std::vector<Vec> all;
        for (int i = 0; i < lanes(); ++i) {
          all.push_back({i});
          unit.load({i}, a.ptr[a.rsi + i * bytes()]);
        }
        unit.transpose_max(all, {lanes()});
        unit.store(a.ptr[a.rdx], {0});
      },
      values.data(), maxima.data());
  for (std::size_t i = 0; i < count; ++i)
    EXPECT_EQ(maxima[i], *std::max_element(values.begin() + static_cast<std::ptrdiff_t>(count * i),
                                           values.begin() + static_cast<std::ptrdiff_t>(count * (i + 1))));
}

TEST_P(VectorUnitTest, MaxOrNanIsTheGreaterOrTheSecondOfEqualsOrNan) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const std::array<float, 8> values{-inf, -1.0F, -0.0F, 0.0F, 1e-45F, 1.0F, inf, nan};
  const auto count = static_cast<std::size_t>(lanes());
  for (std::size_t rotation = 0; rotation < values.size(); ++rotation) {
    std::vector<float> operands(2 * count), results(3 * count);
    for (std::size_t i = 0; i < count; ++i) {
      operands[i] = values[i % values.size()];
      operands[count + i] = values[(i + rotation) % values.size()];
    }
    run(
        [&](Assembler& a, VectorUnit& unit) {
          for (int i = 0; i < 3; ++i) {  // into a third register, into the first operand, into the second
            unit.load({0}, a.ptr[a.rsi]);
            unit.load({1}, a.ptr[a.rsi + bytes()]);
            const Vec d{(i + 2) % 3};
            unit.max_or_nan(d, {0}, {1}, Mask{1});
            unit.store(a.ptr[a.rdx + i * bytes()], d);
          }
        },
        operands.data(), results.data());
    for (std::size_t i = 0; i < results.size(); ++i) {
      const float a = operands[i % count], b = operands[count + i % count];
      if (std::isnan(a) || std::isnan(b)) {
        EXPECT_TRUE(std::isnan(results[i])) << a << ", " << b;
      } else {
        EXPECT_EQ(std::bit_cast<std::uint32_t>(results[i]), std::bit_cast<std::uint32_t>(a > b ? a : b))
            << a << ", " << b;
      }
    }
  }
}

TEST_P(VectorUnitTest, Dot4IsExactForTheLargestProductsOfEitherSign) {
  const auto count = static_cast<std::size_t>(bytes());
  std::vector<std::uint8_t> operands(2 * count);
  const std::array<std::uint8_t, 6> u8{255, 255, 0, 128, 255, 1};
  const std::array<std::int8_t, 5> s8{127, -127, 127, -1, -128};
  for (std::size_t i = 0; i < count; ++i) {
    operands[i] = u8[i / 4 % u8.size()];
    operands[count + i] = static_cast<std::uint8_t>(s8[(i / 4 + i % 4 * (i / 20 % 2)) % s8.size()]);
  }
  std::vector<std::int32_t> sums(2 * static_cast<std::size_t>(lanes()));
  run(
      [&](Assembler& a, VectorUnit& unit) {
        for (int i = 0; i < 2; ++i) unit.zero({i});
        unit.load({2}, a.ptr[a.rsi]);
        unit.load({3}, a.ptr[a.rsi + bytes()]);
        for (int times = 0; times < 3; ++times) {
          unit.dot4({0}, {2}, Vec{3});
          unit.dot4({1}, {2}, a.ptr[a.rsi + bytes()]);
        }
        for (int i = 0; i < 2; ++i) unit.store(a.ptr[a.rdx + i * bytes()], {i});
      },
      operands.data(), sums.data());
  for (std::size_t lane = 0; lane < static_cast<std::size_t>(lanes()); ++lane) {
    std::int32_t expected = 0;
    for (std::size_t i = 4 * lane; i < 4 * lane + 4; ++i)
      expected += 3 * operands[i] * static_cast<std::int8_t>(operands[count + i]);
    EXPECT_EQ(sums[lane], expected) << lane;
    EXPECT_EQ(sums[static_cast<std::size_t>(lanes()) + lane], expected) << lane;
  }
}

TEST_P(VectorUnitTest, MasksOfEveryOriginSelectTheirLanes) {
  std::vector<float> values(static_cast<std::size_t>(lanes()), 3.0F);
  for (int count = 0; count <= lanes(); ++count) {
    std::vector<float> results(3 * values.size(), -1.0F);
    run(
        [&](Assembler& a, VectorUnit& unit) {
          const std::uint64_t lanes_set = (std::uint64_t{1} << count) - 1;
          unit.set_mask(Mask{1}, lanes_set, a.rax);
          a.mov(a.rcx, lanes_set);
          unit.set_mask(Mask{2}, a.rcx);
          a.mov(a.rcx, count);
          unit.set_mask_of_first(Mask{3}, a.rcx, a.rax);
          for (int i = 0; i < 3; ++i) {
            unit.load({0}, a.ptr[a.rsi], Mask{i + 1});  // zeroes the others
            unit.store(a.ptr[a.rdx + i * bytes()], {0});
            unit.set({1}, 5.0F);
            unit.mul({0}, {0}, Vec{1}, Mask{i + 1});
            unit.store(a.ptr[a.rdx + i * bytes()], {0}, Mask{i + 1});
          }
        },
        values.data(), results.data());
    for (std::size_t i = 0; i < results.size(); ++i)
      EXPECT_EQ(results[i], static_cast<int>(i % values.size()) < count ? 15.0F : 0.0F) << i << " of " << count;
  }
}

TEST_P(VectorUnitTest, MaxAndMinReturnTheirLastOperandForNaN) {
  const auto count = static_cast<std::size_t>(lanes());
  std::vector<float> values(2 * count, 1.0F), results(2 * count);
  std::fill_n(values.begin(), count, std::numeric_limits<float>::quiet_NaN());
  run(
      [&](Assembler& a, VectorUnit& unit) {
        unit.load({0}, a.ptr[a.rsi]);
        unit.load({1}, a.ptr[a.rsi + bytes()]);
        unit.max({2}, {1}, Vec{0});
        unit.min({3}, {0}, Vec{1});
        unit.store(a.ptr[a.rdx], {2});
        unit.store(a.ptr[a.rdx + bytes()], {3});
      },
      values.data(), results.data());
  EXPECT_TRUE(std::isnan(results[0]));
  EXPECT_EQ(results[count], 1.0F);
}

INSTANTIATE_TEST_SUITE_P(, VectorUnitTest, testing::isas_with_code(), testing::isa_of_test);

}  // namespace
}  // namespace octavo::jit
