// SPDX-License-Identifier: Apache-2.0
// The plans of layers that are neither depthwise nor computed by Winograd's transform: output tiles, register blocks
// and the order in which tiles and channel blocks are walked.
#pragma once

#include "jit/plan_family.h"

namespace octavo::jit {

/// For specs that are not depthwise() and do not pool.
[[nodiscard]] PlanFamily direct_family();

}  // namespace octavo::jit
