// SPDX-License-Identifier: Apache-2.0
// A copy of a value in the other layout, or in the caller's memory.
#pragma once

#include "runtime/step.h"

namespace octavo::runtime {

[[nodiscard]] std::unique_ptr<Step> make_reorder(const Shape& shape, Layout from, Layout to, Slot input, Slot output);

}  // namespace octavo::runtime
