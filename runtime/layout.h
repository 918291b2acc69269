// SPDX-License-Identifier: Apache-2.0
// How a value lies in memory: dense fp32, in one of two orders.
//
// Channels-last is the order between layers: the integer kernels read windows of consecutive channels, and oneDNN's
// fp32 convolutions (brgconv) reach the processor's limit in it, so that no blocked layout is needed anywhere.
#pragma once

#include <cstdint>

#include "graph/blob.h"

namespace octavo::runtime {

using graph::Shape;

enum class Layout {
  plain,  ///< row-major in the logical order of the dimensions
  nhwc,   ///< 4-D values only: [N][H][W][C], while the shape says [N, C, H, W]
};

/// The dimensions in the order in which they lie in memory.
[[nodiscard]] Shape memory_dims(const Shape& shape, Layout layout);
/// Where the logical dimension `axis` (negative: from the end) stands among memory_dims().
[[nodiscard]] std::int64_t memory_axis(const Shape& shape, std::int64_t axis, Layout layout);
/// Both orders give the same bytes (not 4-D, one channel, or one pixel).
[[nodiscard]] bool layouts_coincide(const Shape& shape);

/// Memory seen from one of its dimensions: [outer][axis][inner].
struct AxisView {
  std::int64_t outer = 1, axis = 1, inner = 1;
};
[[nodiscard]] AxisView view_from_axis(const Shape& shape, std::int64_t axis, Layout layout);
/// From the channels, which are dimension 1; a vector has one channel.
[[nodiscard]] AxisView view_from_channels(const Shape& shape, Layout layout);

}  // namespace octavo::runtime
