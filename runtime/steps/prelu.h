// SPDX-License-Identifier: Apache-2.0
// PReLU over memory seen from its channel dimension; a step of its own, and the tail of oneDNN layers.
#pragma once

#include "runtime/layout.h"

namespace octavo::runtime {

/// y = x < 0 ? slopes[channel] * x : x; in place when x == y. `slopes` holds view.axis values.
void apply_prelu(const AxisView& view, const float* slopes, const float* x, float* y, int threads);

}  // namespace octavo::runtime
