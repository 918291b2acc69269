// SPDX-License-Identifier: Apache-2.0
// The plan of a depthwise layer.
#pragma once

#include "jit/conv_spec.h"
#include "jit/plan.h"

namespace octavo::jit {

/// For a valid spec that is depthwise(); make_plan() calls it.
[[nodiscard]] Plan make_depthwise_plan(const ConvSpec& spec, int threads);

}  // namespace octavo::jit
