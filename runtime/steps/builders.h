// SPDX-License-Identifier: Apache-2.0
// The functions that turn a node into a step, one for each op; registry.cpp says which op goes where.
#pragma once

#include "runtime/step.h"

namespace octavo::runtime {

[[nodiscard]] BuiltStep build_identity(const StepRequest& request);
[[nodiscard]] BuiltStep build_unary(const StepRequest& request);

}  // namespace octavo::runtime
