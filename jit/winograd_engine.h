// SPDX-License-Identifier: Apache-2.0
// Winograd layers by machine code: transformed weights, kernels, and which of them a work tile and a channel block
// call, with which pointers (jit/winograd_layout.h).
#pragma once

#include <memory>

#include "jit/conv_spec.h"
#include "jit/engine.h"
#include "jit/layer.h"
#include "jit/plan.h"

namespace octavo::jit {

/// For a valid spec and a plan with Winograd tiles. Throws Error: invalid_argument (plan, sizes of the weights),
/// unsupported (a tile that spans more than 2 GB), resource (executable memory).
[[nodiscard]] std::unique_ptr<Engine> make_winograd_engine(const ConvSpec& spec, const Plan& plan,
                                                           const WindowedWeights& weights, KernelCache& cache);

}  // namespace octavo::jit
