// SPDX-License-Identifier: Apache-2.0
// The weights of an interpolation along one axis.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/ops.h"

namespace octavo::runtime {

/// out[o] = sum over k of weights[o * taps + k] * in[indices[o * taps + k]]; a single tap weighs 1.
struct AxisTaps {
  std::int64_t taps = 1;
  std::vector<std::int64_t> indices;
  std::vector<float> weights;
};

/// `scale`: output pixels an input pixel, as the coordinate rule takes it; none: out / in, without its rounding.
[[nodiscard]] AxisTaps axis_taps(const graph::Resize& op, std::int64_t in, std::int64_t out,
                                 std::optional<float> scale);

}  // namespace octavo::runtime
