// SPDX-License-Identifier: Apache-2.0
// The plans of depthwise layers.
#pragma once

#include "jit/plan_family.h"

namespace octavo::jit {

/// For specs that are depthwise().
[[nodiscard]] PlanFamily depthwise_family();

}  // namespace octavo::jit
