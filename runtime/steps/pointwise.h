// SPDX-License-Identifier: Apache-2.0
// What steps share that treat a value as one run of numbers.
#pragma once

#include <cstdint>
#include <optional>

#include "graph/ops.h"

namespace octavo::runtime {

/// Items below which a second thread costs more than it brings, for loops of about one operation an item.
inline constexpr std::int64_t kPointwiseGrain = 16 * 1024;

/// y[i] = f(x[i]); in place when x == y.
using PointwiseKernel = void (*)(const graph::Unary& op, const float* x, float* y, std::int64_t count);
[[nodiscard]] PointwiseKernel pointwise_kernel(const graph::Unary& op);
/// Of the functions in unary_math.cpp; null for the others.
[[nodiscard]] PointwiseKernel math_kernel(graph::UnaryKind kind);

/// The activation as a function of each number, where it is one; nothing for none and PReLU.
[[nodiscard]] std::optional<graph::Unary> function_of(const graph::Activation& activation);

}  // namespace octavo::runtime
