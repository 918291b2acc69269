// SPDX-License-Identifier: Apache-2.0
// Depthwise layers by machine code: packed weights, kernels, and which of them a tile calls.
#pragma once

#include <memory>

#include "jit/conv_spec.h"
#include "jit/engine.h"
#include "jit/layer.h"
#include "jit/plan.h"

namespace octavo::jit {

/// For a valid depthwise spec. Throws Error: invalid_argument (plan, sizes of the weights), unsupported (a field too
/// large), resource (executable memory).
[[nodiscard]] std::unique_ptr<Engine> make_depthwise_engine(const ConvSpec& spec, const Plan& plan,
                                                            const WindowedWeights& weights, KernelCache& cache);

}  // namespace octavo::jit
