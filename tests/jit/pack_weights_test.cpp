// SPDX-License-Identifier: Apache-2.0
// Packed weights read back in the layout's words.
#include "jit/pack_weights.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "jit/vector_unit.h"
#include "jit/window_layout.h"
#include "tests/jit/layer_case.h"
#include "tests/jit/random_spec.h"

namespace octavo::jit {
namespace {

using testing::LayerCase;
using testing::RandomSpecs;

TEST(ChannelAtTest, EveryChannelOfAWindowHasOnePlace) {
  for (const Isa isa : {Isa::avx2, Isa::avx512vnni}) {
    for (std::int64_t channels = 1; channels <= 300; ++channels) {
      std::vector<int> seen(static_cast<std::size_t>(window_bytes(channels)));
      for (std::int64_t position = 0; position < window_bytes(channels); ++position)
        ++seen.at(static_cast<std::size_t>(channel_at(isa, channels, position)));
      for (const int count : seen) EXPECT_EQ(count, 1);
    }
  }
}

/// Walks a packed block from front to back.
class Reader {
 public:
  explicit Reader(const std::byte* at) : at_(at) {}
  template <class T>
  T next() {
    T value;
    std::memcpy(&value, at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }
  [[nodiscard]] const std::byte* at() const { return at_; }

 private:
  const std::byte* at_;
};

/// The block in the order of jit/pack_weights.h; returns where it ends.
const std::byte* expect_block(const LayerCase& c, const ChannelBlock& block, const std::byte* packed) {
  const ConvSpec& spec = c.spec;
  const WindowRun run(spec);
  const std::int64_t width = block.column_vectors * vector_facts(spec.isa).lanes, taps = spec.kernel_h * spec.kernel_w;
  Reader reader(packed);
  const auto expect_floats = [&](const std::vector<float>& values, std::int64_t stride, std::int64_t offset) {
    for (std::int64_t i = 0; i < width; ++i)
      EXPECT_EQ(reader.next<float>(),
                i < block.channels ? values[static_cast<std::size_t>((block.first + i) * stride + offset)] : 0.0F);
  };
  if (spec.epilogue.bias) expect_floats(c.bias, 1, 0);
  if (spec.epilogue.activation == ActivationKind::prelu) expect_floats(c.slopes, 1, 0);
  for (std::int64_t window = 0; window < run.windows(); ++window) {
    const std::int64_t channels = window < run.full ? run.channels : run.tail_channels;
    const auto weight = [&](std::int64_t lane, std::int64_t channel, std::int64_t tap) -> std::int32_t {
      if (lane >= block.channels || channel >= channels) return 0;
      const std::int64_t in = window * run.channels + channel;
      return c.q[static_cast<std::size_t>(((block.first + lane) * spec.channels_per_group() + in) * taps + tap)];
    };
    expect_floats(c.scales, run.windows(), window);
    if (!spec.nonnegative_input) {
      for (std::int64_t lane = 0; lane < width; ++lane) {
        std::int32_t sum = 0;
        for (std::int64_t channel = 0; channel < channels; ++channel)
          for (std::int64_t tap = 0; tap < taps; ++tap) sum += weight(lane, channel, tap);
        EXPECT_EQ(reader.next<std::int32_t>(), -128 * sum);
      }
    }
    for (std::int64_t tap = 0; tap < taps; ++tap)
      for (std::int64_t step = 0; step < window_bytes(channels); step += 4)
        for (std::int64_t lane = 0; lane < width; ++lane)
          for (std::int64_t j = 0; j < 4; ++j)
            EXPECT_EQ(reader.next<std::int8_t>(), weight(lane, channel_at(spec.isa, channels, step + j), tap));
  }
  return reader.at();
}

TEST(PackWeightsTest, BlocksFollowEachOtherInTheOrderOfTheLayout) {
  for (unsigned i = 0; i < 60 && !HasFailure(); ++i) {
    RandomSpecs specs(5 + i, i % 3 == 0 ? Isa::avx2 : Isa::avx512vnni);
    const LayerCase c(specs.convolution(), i);
    SCOPED_TRACE(c.spec.name());
    const PackedLayout layout(c.spec, specs.between(1, 4));
    std::vector<std::byte> packed(layout.bytes());
    std::size_t end = 0;
    for (std::int64_t b = 0; b < layout.blocks() && !HasFailure(); ++b) {
      const ChannelBlock block = layout.block(b);
      EXPECT_EQ(block.offset, end);
      EXPECT_EQ(block.offset % (4U * static_cast<unsigned>(vector_facts(c.spec.isa).lanes)), 0U);
      pack_block(c.spec, block, c.weights(), packed.data() + block.offset);
      end = static_cast<std::size_t>(expect_block(c, block, packed.data() + block.offset) - packed.data());
    }
    EXPECT_EQ(end, packed.size());
  }
}

}  // namespace
}  // namespace octavo::jit
