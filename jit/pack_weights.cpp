// SPDX-License-Identifier: Apache-2.0
// The packing loops, in the order of the layout.
#include "jit/pack_weights.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <vector>

#include "jit/vector_unit.h"
#include "jit/window_layout.h"
#include "jit/word_split.h"

namespace octavo::jit {

namespace {

constexpr std::int64_t bytes_per_lane = 4;

/// Where the four channels of each k-step of a window begin, -1 in the filling.
std::vector<std::int64_t> step_channels(Isa isa, std::int64_t channels) {
  std::vector<std::int64_t> first;
  for (std::int64_t position = 0; position < window_bytes(channels); position += bytes_per_lane)
    first.push_back(channel_at(isa, channels, position));
  return first;
}

/// One tap of one output channel: every k-step's four weights, `step` bytes from each other in `to`. Returns their sum.
std::int32_t pack_tap(const std::int8_t* from, std::int64_t taps, std::int64_t channels,
                      const std::vector<std::int64_t>& order, std::byte* to, std::int64_t step) {
  std::int32_t sum = 0;
  for (const std::int64_t first : order) {
    std::array<std::int8_t, bytes_per_lane> four{};
    if (taps == 1 && first + bytes_per_lane <= channels) {
      std::memcpy(four.data(), from + first, four.size());
    } else {
      for (std::int64_t j = 0; j < std::min(bytes_per_lane, channels - first); ++j)
        four[static_cast<std::size_t>(j)] = from[(first + j) * taps];
    }
    for (const std::int8_t q : four) sum += q;
    std::memcpy(to, four.data(), four.size());
    to += step;
  }
  return sum;
}

}  // namespace

PackedLayout::PackedLayout(const ConvSpec& spec, std::int64_t column_vectors, std::int64_t word_depth)
    : spec_(spec),
      column_vectors_(column_vectors),
      lanes_(vector_facts(spec.isa).lanes),
      word_depth_(word_depth),
      channels_per_group_(spec.out_channels / spec.groups),
      blocks_per_group_((channels_per_group_ + column_vectors * lanes_ - 1) / (column_vectors * lanes_)),
      group_bytes_((blocks_per_group_ - 1) * block_bytes(column_vectors) +
                   block_bytes((channels_of(blocks_per_group_ - 1) + lanes_ - 1) / lanes_)) {}

std::int64_t PackedLayout::channels_of(std::int64_t block_in_group) const {
  const std::int64_t width = column_vectors_ * lanes_;
  return std::min(width, channels_per_group_ - block_in_group * width);
}

ChannelBlock PackedLayout::block(std::int64_t index) const {
  const std::int64_t in_group = index % blocks_per_group_;
  ChannelBlock block{};
  block.group = index / blocks_per_group_;
  block.first = block.group * channels_per_group_ + in_group * column_vectors_ * lanes_;
  block.channels = channels_of(in_group);
  block.column_vectors = (block.channels + lanes_ - 1) / lanes_;
  block.offset = static_cast<std::size_t>(block.group * group_bytes_ + in_group * block_bytes(column_vectors_));
  return block;
}

std::int64_t PackedLayout::block_bytes(std::int64_t column_vectors) const {
  const WindowRun run(spec_);
  const std::int64_t row = column_vectors * lanes_ * bytes_per_lane;  // of floats, of s32, or of weights of a k-step
  const std::int64_t taps = spec_.kernel_h * spec_.kernel_w;
  const std::int64_t rows = taps * (run.full * weight_rows(window_bytes(run.channels) / 4, word_depth_) +
                                    weight_rows(window_bytes(run.tail_channels) / 4, word_depth_));
  const std::int64_t rows_per_window = (spec_.nonnegative_input ? 1 : 2) + (word_depth_ != 0 ? 1 : 0);
  const std::int64_t header =
      (spec_.epilogue.bias ? 1 : 0) + (spec_.epilogue.activation == ActivationKind::prelu ? 1 : 0);
  return row * (header + run.windows() * rows_per_window + rows);
}

namespace {

/// Weights of a window that found no place in their chunks, by k-step of the window: a vector for each of the block's.
using Rests = std::map<std::int64_t, std::vector<std::int8_t>>;

/// One tap of one output channel, given its k-steps in a row, in chunks. `lane` is the channel's place among the
/// block's.
void put_chunks(const std::vector<std::byte>& tap, WordSplitter& splitter, std::byte* to, std::int64_t row,
                std::int64_t first_step, std::int64_t lane, Rests& rests) {
  splitter.start_tap();
  const auto steps = static_cast<std::int64_t>(tap.size()) / bytes_per_lane;
  std::int64_t step = 0;
  for (; step + chunk_steps <= steps; step += chunk_steps) {
    std::array<std::int8_t, chunk_bytes> weights{};
    std::memcpy(weights.data(), tap.data() + step * bytes_per_lane, weights.size());
    const SplitChunk split = splitter.split(weights);
    for (std::int64_t i = 0; i < chunk_steps; ++i, to += row) {
      std::memcpy(to, split.main.data() + i * bytes_per_lane, bytes_per_lane);
      const auto rest = std::span(split.rest).subspan(static_cast<std::size_t>(i * bytes_per_lane), bytes_per_lane);
      if (std::all_of(rest.begin(), rest.end(), [](std::int8_t w) { return w == 0; })) continue;
      auto& vectors = rests[first_step + step + i];
      vectors.resize(static_cast<std::size_t>(row));
      std::copy(rest.begin(), rest.end(), vectors.begin() + lane * bytes_per_lane);
    }
    std::memcpy(to, split.index.data(), split.index.size());
    std::memcpy(to + row, split.residual.data(), split.residual.size());
    to += 2 * row;
  }
  for (; step < steps; ++step, to += row) std::memcpy(to, tap.data() + step * bytes_per_lane, bytes_per_lane);
}

/// Appends the corrections of a window and says where they are.
CorrectionList put_corrections(const ConvSpec& spec, std::int64_t channels, const Rests& rests, std::int64_t vector,
                               std::vector<std::byte>& corrections) {
  const CorrectionList list{static_cast<std::int64_t>(rests.size()), static_cast<std::int64_t>(corrections.size())};
  const std::int64_t steps = window_bytes(channels) / bytes_per_lane;
  for (const auto& [step, weights] : rests) {
    const std::int64_t tap = step / steps, kx = tap % spec.kernel_w;
    const Correction correction{
        static_cast<std::int32_t>(tap / spec.kernel_w),
        static_cast<std::int32_t>(kx * spec.dilation_w * window_bytes(channels) + step % steps * bytes_per_lane)};
    const std::size_t at = corrections.size();
    corrections.resize(at + static_cast<std::size_t>(vector) + weights.size());
    std::memcpy(corrections.data() + at, &correction, sizeof(correction));
    std::memcpy(corrections.data() + at + vector, weights.data(), weights.size());
  }
  return list;
}

void pack(const ConvSpec& spec, const ChannelBlock& block, const WindowedWeights& weights, std::int64_t word_depth,
          std::byte* to, std::vector<std::byte>& corrections) {
  const WindowRun run(spec);
  const std::int64_t vector = vector_facts(spec.isa).lanes * bytes_per_lane, row = block.column_vectors * vector;
  const std::int64_t taps = spec.kernel_h * spec.kernel_w, filter = spec.channels_per_group() * taps;
  const auto put_floats = [&](std::span<const float> from, std::int64_t stride, std::int64_t offset) {
    for (std::int64_t c = 0; c < block.channels; ++c)
      std::memcpy(to + c * bytes_per_lane, &from[static_cast<std::size_t>((block.first + c) * stride + offset)], 4);
    to += row;
  };
  if (spec.epilogue.bias) put_floats(weights.bias, 1, 0);
  if (spec.epilogue.activation == ActivationKind::prelu) put_floats(weights.slopes, 1, 0);
  const auto full_order = step_channels(spec.isa, run.channels),
             tail_order = step_channels(spec.isa, run.tail_channels);
  for (std::int64_t window = 0; window < run.windows(); ++window) {
    const std::int64_t channels = window < run.full ? run.channels : run.tail_channels;
    const auto& order = window < run.full ? full_order : tail_order;
    const auto steps = static_cast<std::int64_t>(order.size());
    const std::int64_t tap_bytes = weight_rows(steps, word_depth) * row;
    put_floats(weights.scales, run.windows(), window);
    std::byte* const compensation = to;
    if (!spec.nonnegative_input) to += row;
    std::byte* const list = to;
    if (word_depth != 0) to += row;
    Rests rests;
    WordSplitter splitter(word_depth);
    std::vector<std::byte> in_a_row(order.size() * bytes_per_lane);
    for (std::int64_t c = 0; c < block.channels; ++c) {
      const std::int8_t* from = weights.q.data() + (block.first + c) * filter + window * run.channels * taps;
      std::int32_t sum = 0;
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        std::byte* const place = to + c * bytes_per_lane + tap * tap_bytes;
        if (word_depth == 0) {
          sum += pack_tap(from + tap, taps, channels, order, place, row);
        } else {
          sum += pack_tap(from + tap, taps, channels, order, in_a_row.data(), bytes_per_lane);
          put_chunks(in_a_row, splitter, place, row, tap * steps, c, rests);
        }
      }
      if (!spec.nonnegative_input) {
        const std::int32_t start = -128 * sum;
        std::memcpy(compensation + c * bytes_per_lane, &start, sizeof(start));
      }
    }
    if (word_depth != 0) {
      const CorrectionList where = put_corrections(spec, channels, rests, vector, corrections);
      std::memcpy(list, &where, sizeof(where));
    }
    to += taps * tap_bytes;
  }
}

}  // namespace

void pack_block(const ConvSpec& spec, const ChannelBlock& block, const WindowedWeights& weights, std::byte* to) {
  std::vector<std::byte> none;
  pack(spec, block, weights, 0, to, none);
}

void pack_block_by_words(const ConvSpec& spec, const ChannelBlock& block, const WindowedWeights& weights,
                         std::int64_t word_depth, std::byte* to, std::vector<std::byte>& corrections) {
  pack(spec, block, weights, word_depth, to, corrections);
}

}  // namespace octavo::jit
