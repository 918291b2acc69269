// SPDX-License-Identifier: Apache-2.0
// What rounding to 8 bits costs a layer's output, predicted from its weights and the scheme alone: no data.
//
// The model: inputs are independent Gaussian numbers (cut off at zero where they are known not to be negative); a
// number rounded to a multiple of `scale` carries noise of variance scale^2 / 12; a window's scale follows from the
// expected maximum of its numbers, sqrt(2 ln n) standard deviations. Then the noise of an output is a sum over the
// products that it is made of: of the inputs' noise times the weights, and of the weights' noise times the inputs.
// Winograd layers round after the transforms, which amplify it (Lavin & Gray 2015; Barabasz et al. 2020): the noise of
// position p of an output tile reaches output i times A[i][p]; less of it does, as
// positions make up for each other's errors: weights by jit/winograd_rounding.h, inputs by WinogradAxis::carries().
// Weights stored in 8 bits have lost their own rounding already; it is counted from their scales.
#pragma once

#include <cstdint>

#include "jit/conv_spec.h"
#include "jit/layer.h"

namespace octavo::jit {

/// Signal-to-noise of the layer's output, in dB, computed with Winograd tiles of that size (none: directly). A few
/// dozen output channels are looked at. For a valid spec, weights that passed check_weights(), and, but for none, a
/// spec that winograd_fits(). Infinite for a layer whose weights are all zero.
[[nodiscard]] double predicted_signal_to_noise(const ConvSpec& spec, const WindowedWeights& weights,
                                               WinogradLimit algorithm);

/// The largest Winograd tile, up to `largest`, whose predicted signal-to-noise is at least `budget_db`; none where no
/// tile's is, or where the layer can only be computed directly.
[[nodiscard]] WinogradLimit winograd_within(const ConvSpec& spec, const WindowedWeights& weights, WinogradLimit largest,
                                            double budget_db);

}  // namespace octavo::jit
