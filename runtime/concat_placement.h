// SPDX-License-Identifier: Apache-2.0
// Concatenation without copies: convolutions that write their channels where the Concat wants them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/graph.h"

namespace octavo::runtime {

/// Where a value lies within another one, both channels-last: channels from `first_channel` on, of `channels`.
struct ChannelPlace {
  graph::ValueId whole = 0;
  std::int64_t first_channel = 0, channels = 0;
};

/// By value: its place within the output of the Concat along channels that alone reads it, for those that an 8-bit
/// convolution writes (without a residual, which would have to lie likewise, and without pooling, which may be a second
/// pass). Shapes are inferred.
[[nodiscard]] std::vector<std::optional<ChannelPlace>> place_in_concats(const graph::Graph& graph);

}  // namespace octavo::runtime
