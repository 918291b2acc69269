// SPDX-License-Identifier: Apache-2.0
#include "jit/conv_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "octavo/error.h"
#include "tests/jit/layer_case.h"

namespace octavo::jit {
namespace {

using testing::SquareConv;

ConvSpec vgg_spec() {
  ConvSpec spec = SquareConv{.in_channels = 64, .out_channels = 128, .size = 56, .kernel = 3, .pad = 1}.spec();
  spec.nonnegative_input = true;
  spec.isa = Isa::avx512vnni;
  spec.epilogue.bias = true;
  spec.epilogue.activation = ActivationKind::relu;
  return spec;
}

/// One field changed: every way in which a spec can differ from vgg_spec().
std::vector<std::function<void(ConvSpec&)>> changes() {
  return {
      [](ConvSpec& s) { s.in_channels = 128; },
      [](ConvSpec& s) { s.out_channels = 64; },
      [](ConvSpec& s) { s.groups = 2; },
      [](ConvSpec& s) { s.groups = s.out_channels = 64; },
      [](ConvSpec& s) { s.in_h = 57; },
      [](ConvSpec& s) { s.in_w = 57; },
      [](ConvSpec& s) { s.out_h = 55; },
      [](ConvSpec& s) { s.out_w = 55; },
      [](ConvSpec& s) { s.kernel_h = 2; },
      [](ConvSpec& s) { s.kernel_w = 2; },
      [](ConvSpec& s) { s.stride_h = 2; },
      [](ConvSpec& s) { s.stride_w = 2; },
      [](ConvSpec& s) { s.dilation_h = 2; },
      [](ConvSpec& s) { s.dilation_w = 2; },
      [](ConvSpec& s) { s.pad_top = 0; },
      [](ConvSpec& s) { s.pad_left = 0; },
      [](ConvSpec& s) { s.pad_left = s.pad_top = 0; },
      [](ConvSpec& s) { s.src_pixel_stride = 96; },
      [](ConvSpec& s) { s.dst_pixel_stride = 160; },
      [](ConvSpec& s) { s.window.channels = 0; },
      [](ConvSpec& s) { s.window.channels = 32; },
      [](ConvSpec& s) { s.window.tile_h = 8; },
      [](ConvSpec& s) { s.window.tile_w = 8; },
      [](ConvSpec& s) { s.nonnegative_input = false; },
      [](ConvSpec& s) { s.epilogue.bias = false; },
      [](ConvSpec& s) { s.epilogue.residual = true; },
      [](ConvSpec& s) { s.epilogue.activation = ActivationKind::none; },
      [](ConvSpec& s) { s.epilogue.activation = ActivationKind::relu6; },
      [](ConvSpec& s) { s.epilogue.activation = ActivationKind::prelu; },
      [](ConvSpec& s) { s.epilogue.activation = ActivationKind::sigmoid; },
      [](ConvSpec& s) { s.epilogue.activation = ActivationKind::tanh; },
      [](ConvSpec& s) { s.epilogue = {.activation = ActivationKind::leaky_relu, .slope = 0.1F}; },
      [](ConvSpec& s) { s.epilogue = {.activation = ActivationKind::leaky_relu, .slope = 0.10000001F}; },
      [](ConvSpec& s) { s.epilogue = {.activation = ActivationKind::leaky_relu, .slope = -1e-5F}; },
      [](ConvSpec& s) { s.isa = Isa::reference; },
  };
}

std::string rejection(const ConvSpec& spec) {
  try {
    spec.validate();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid_argument);
    return error.what();
  }
  return {};
}

TEST(ConvSpec, NameSaysTheLayerInWords) {
  EXPECT_EQ(vgg_spec().name(), "conv3x3_s1_p1_ic64_oc128_56x56_w64_u8_bias_relu_avx512vnni");
  ConvSpec depthwise =
      SquareConv{.in_channels = 32, .out_channels = 32, .size = 112, .kernel = 3, .stride = 2, .pad = 1, .groups = 32}
          .spec();
  EXPECT_EQ(depthwise.name(), "dwconv3x3_s2_p1_ic32_oc32_112x112_to56x56_w64_s8_reference");
}

TEST(ConvSpec, EveryFieldChangesTheName) {
  std::set<std::string> names = {vgg_spec().name()};
  for (const auto& change : changes()) {
    ConvSpec spec = vgg_spec();
    change(spec);
    EXPECT_TRUE(names.insert(spec.name()).second) << spec.name();
  }
}

TEST(ConvSpec, NamesAreIdentifiers) {
  for (const auto& change : changes()) {
    ConvSpec spec = vgg_spec();
    change(spec);
    EXPECT_THAT(spec.name(), ::testing::MatchesRegex("[a-z][a-z0-9_]*"));
  }
}

TEST(ConvSpec, AStrideThatIsSpelledOutIsTheSameLayer) {
  ConvSpec spec = vgg_spec();
  spec.src_pixel_stride = spec.in_channels;
  EXPECT_EQ(spec.name(), vgg_spec().name());
}

TEST(ConvSpec, WindowsCoverTheChannelsOfAGroup) {
  ConvSpec spec = SquareConv{.in_channels = 96, .out_channels = 10, .size = 1}.spec();
  spec.window.channels = 64;
  EXPECT_EQ(spec.window_channels(), 64);
  EXPECT_EQ(spec.windows(), 2);
  spec.window.channels = 0;
  EXPECT_EQ(spec.window_channels(), 96);
  EXPECT_EQ(spec.windows(), 1);
  spec.groups = 2;
  spec.window.channels = 64;
  EXPECT_EQ(spec.window_channels(), 48);
  EXPECT_EQ(spec.windows(), 1);
}

TEST(ConvSpec, ValidSpecsPass) {
  EXPECT_EQ(rejection(vgg_spec()), "");
  EXPECT_EQ(rejection(SquareConv{.in_channels = 25088, .out_channels = 4096, .size = 1}.spec()), "");
  ConvSpec truncated = vgg_spec();  // an output smaller than the formula's: rows at the bottom are not read
  truncated.out_h = 3;
  EXPECT_EQ(rejection(truncated), "");
}

TEST(ConvSpec, EveryIntegerFieldIsBoundedOnBothSides) {
  const std::vector<std::pair<const char*, std::function<std::int64_t&(ConvSpec&)>>> fields = {
      {"in_channels", [](ConvSpec& s) -> std::int64_t& { return s.in_channels; }},
      {"out_channels", [](ConvSpec& s) -> std::int64_t& { return s.out_channels; }},
      {"groups", [](ConvSpec& s) -> std::int64_t& { return s.groups; }},
      {"in_h", [](ConvSpec& s) -> std::int64_t& { return s.in_h; }},
      {"in_w", [](ConvSpec& s) -> std::int64_t& { return s.in_w; }},
      {"out_h", [](ConvSpec& s) -> std::int64_t& { return s.out_h; }},
      {"out_w", [](ConvSpec& s) -> std::int64_t& { return s.out_w; }},
      {"kernel_h", [](ConvSpec& s) -> std::int64_t& { return s.kernel_h; }},
      {"kernel_w", [](ConvSpec& s) -> std::int64_t& { return s.kernel_w; }},
      {"stride_h", [](ConvSpec& s) -> std::int64_t& { return s.stride_h; }},
      {"stride_w", [](ConvSpec& s) -> std::int64_t& { return s.stride_w; }},
      {"dilation_h", [](ConvSpec& s) -> std::int64_t& { return s.dilation_h; }},
      {"dilation_w", [](ConvSpec& s) -> std::int64_t& { return s.dilation_w; }},
      {"pad_top", [](ConvSpec& s) -> std::int64_t& { return s.pad_top; }},
      {"pad_left", [](ConvSpec& s) -> std::int64_t& { return s.pad_left; }},
      {"src_pixel_stride", [](ConvSpec& s) -> std::int64_t& { return s.src_pixel_stride; }},
      {"dst_pixel_stride", [](ConvSpec& s) -> std::int64_t& { return s.dst_pixel_stride; }},
      {"window.channels", [](ConvSpec& s) -> std::int64_t& { return s.window.channels; }},
      {"window.tile_h", [](ConvSpec& s) -> std::int64_t& { return s.window.tile_h; }},
      {"window.tile_w", [](ConvSpec& s) -> std::int64_t& { return s.window.tile_w; }},
  };
  for (const auto& [name, field] : fields) {
    for (const std::int64_t bad :
         {std::int64_t{-1}, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
      ConvSpec spec = vgg_spec();
      field(spec) = bad;
      EXPECT_THAT(rejection(spec), ::testing::HasSubstr(name)) << bad;
    }
  }
}

TEST(ConvSpec, GroupsMustDivideBothChannelCounts) {
  ConvSpec spec = vgg_spec();
  spec.groups = 3;
  EXPECT_THAT(rejection(spec), ::testing::HasSubstr("does not divide in_channels"));
  spec.in_channels = 96;
  EXPECT_THAT(rejection(spec), ::testing::HasSubstr("does not divide out_channels"));
}

TEST(ConvSpec, PixelStridesHoldAPixel) {
  ConvSpec spec = vgg_spec();
  spec.src_pixel_stride = 63;
  EXPECT_THAT(rejection(spec), ::testing::HasSubstr("src_pixel_stride"));
  spec = vgg_spec();
  spec.dst_pixel_stride = 127;
  EXPECT_THAT(rejection(spec), ::testing::HasSubstr("dst_pixel_stride"));
}

TEST(ConvSpec, AnOutputFarBeyondTheInputIsRejected) {
  ConvSpec spec = vgg_spec();
  spec.out_w = 1 << 20;
  EXPECT_THAT(rejection(spec), ::testing::HasSubstr("out_w"));
}

TEST(ConvSpec, TensorsThatCannotBeAddressedAreRejected) {
  ConvSpec spec = SquareConv{.in_channels = 1 << 20, .out_channels = 16, .size = 1 << 20}.spec();
  EXPECT_THAT(rejection(spec), ::testing::HasSubstr("input has more than 2^44"));
}

TEST(ConvSpec, AWindowWhoseSumsCouldOverflowIsRejected) {
  ConvSpec spec = SquareConv{.in_channels = 66311, .out_channels = 16, .size = 1}.spec();
  spec.window.channels = 0;
  EXPECT_LT(66311LL * 255 * 127, 1LL << 31) << "the largest window that fits";
  EXPECT_EQ(rejection(spec), "");
  spec.in_channels = 66312;
  EXPECT_THAT(rejection(spec), ::testing::HasSubstr("choose a smaller window"));
  spec.window.channels = 64;
  EXPECT_EQ(rejection(spec), "");
}

TEST(ConvSpec, ALeakySlopeMustBeFinite) {
  ConvSpec spec = vgg_spec();
  spec.epilogue.activation = ActivationKind::leaky_relu;
  spec.epilogue.slope = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(rejection(spec), ::testing::HasSubstr("slope"));
}

}  // namespace
}  // namespace octavo::jit
