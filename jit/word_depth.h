// SPDX-License-Identifier: Apache-2.0
// How deep a layer's 16-bit sums are on ISAs without VNNI: a matter of its weights, which a plan does not know.
#pragma once

#include "jit/layer.h"
#include "jit/plan.h"

namespace octavo::jit {

/// A plan with depth_of_weights gets the depth that is cheapest for these weights (0: none pays) and says so in its
/// reason; other plans stay as they are. Throws Error(invalid_argument) for weights or a plan that do not fit the spec.
[[nodiscard]] Plan settle_word_depth(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights);

}  // namespace octavo::jit
