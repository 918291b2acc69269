// SPDX-License-Identifier: Apache-2.0
// Plans of Winograd layers (jit/winograd_layout.h): which Winograd tile, how many of them in a work tile, which
// register block multiplies them.
#pragma once

#include "jit/plan_family.h"

namespace octavo::jit {

/// For specs that winograd_fits() and whose limit is not none.
[[nodiscard]] PlanFamily winograd_family();

}  // namespace octavo::jit
