// SPDX-License-Identifier: Apache-2.0
#include "graph/blob.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kHuge = std::int64_t{1} << 32;

TEST(ElementCount, IsTheProductOfTheDimensions) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({7}), 7);
  EXPECT_EQ(element_count({2, 3, 5, 7}), 210);
  EXPECT_EQ(element_count({3, 0, 5}), 0);
  EXPECT_EQ(element_count({kHuge, kHuge / 4}), std::int64_t{1} << 62);
}

TEST(ElementCount, RefusesNegativeDimensionsAndOverflow) {
  EXPECT_THAT(error_of([] { return element_count({2, -1}); }), HasSubstr("[2,-1] has a negative dimension"));
  EXPECT_THAT(error_of([] { return element_count({-2, -1}); }), HasSubstr("negative"));
  EXPECT_THAT(error_of([] { return element_count({0, -1}); }), HasSubstr("negative"));
  EXPECT_THAT(error_of([] { return element_count({kHuge, kHuge}); }), HasSubstr("too many elements"));
  EXPECT_EQ(element_count({kHuge, kHuge, 0}), 0);  // nothing is not too much
}

TEST(MakeBlob, RefusesACountThatIsNotTheShapes) {
  EXPECT_THAT(error_of([] { return make_blob({2, 2}, {1, 2, 3}); }), HasSubstr("needs 4 values, not 3"));
}

TEST(Blob, OutlivesTheVectorItWasMadeOf) {
  BlobPtr blob;
  {
    std::vector<float> numbers{1, 2, 3};
    blob = make_blob({3}, std::move(numbers));
  }
  EXPECT_THAT(blob->f32.values, ElementsAre(1, 2, 3));
  EXPECT_FALSE(blob->quantized());
}

TEST(ToFloat, CopiesFp32) { EXPECT_THAT(to_float(*make_blob({2}, {0.5F, -1})), ElementsAre(0.5F, -1)); }

TEST(ToFloat, MultipliesEachWindowByItsScale) {
  // 2 outputs, 3 inputs in windows of 2 (the second one is short), 2 taps.
  Blob blob;
  blob.shape = {2, 3, 1, 2};
  blob.q = Data<std::int8_t>({1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6});
  blob.scales = Data<float>({1, 10, 100, 1000});
  blob.window = 2;
  EXPECT_THAT(to_float(blob), ElementsAre(1, 2, 3, 4, 50, 60, -100, -200, -300, -400, -5000, -6000));
}

TEST(ToFloat, TreatsALinearsColumnsAsInputsOfOneTap) {
  Blob blob;
  blob.shape = {1, 3};
  blob.q = Data<std::int8_t>({1, 2, 3});
  blob.scales = Data<float>({0.5F});
  blob.window = 3;
  EXPECT_THAT(to_float(blob), ElementsAre(0.5F, 1, 1.5F));
}

}  // namespace
}  // namespace octavo::graph::test
