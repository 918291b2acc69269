// SPDX-License-Identifier: Apache-2.0
// What steps share that treat a value as one run of numbers.
#pragma once

#include <cstdint>

#include "runtime/layout.h"

namespace octavo::runtime {

/// Items below which a second thread costs more than it brings, for loops of about one operation an item.
inline constexpr std::int64_t kPointwiseGrain = 16 * 1024;

}  // namespace octavo::runtime
