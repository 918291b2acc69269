// SPDX-License-Identifier: Apache-2.0
// The scalar reference of Winograd layers: the specification of their numerics, and what runs without a supported ISA.
//
// For each Winograd tile, the field of (h + 2) x (w + 2) input pixels that its outputs read; pixels outside the image,
// or that none of its outputs reads, are 0. For each channel:
//   V = B^T d B      down the columns, then along the rows, in fp32 by WinogradAxis::transform_input()
// For each position of V and each window of input channels (of a group), as for direct layers with inputs of any sign:
//   m = max |V| over the window's channels, as an integer maximum of (bits & 0x7fffffff)
//   m bits >= 0x7f800000 (NaN, Inf): scale = NaN;  m < 0x1p-118: scale = 0
//   otherwise scale = m / 127
// and q of a row's positions in WinogradAxis::rounding_order(), channel by channel (inverse = 127 / m, or 0 without
// one):
//   W = V + the carries of what earlier ones lost, one fma each;  r = rne(min(W * inverse, 127)), min(NaN, 127) = 127
//   q = max(r, -128) + 128;  lost = fma(-r, scale, V)
//   s32 = sum over the window's channels of (q - 128) * q_u, q_u from transform_weights() (jit/winograd_weights.h)
//   M = 0; for each window in order: M = fma(float(s32) * u_scale, scale, M)
// Then Y = A^T M A, down the columns, then along the rows, by WinogradAxis::transform_output(); + bias, + residual,
// activation. With pooling, of each 2x2 outputs: NaN where one of them is, otherwise the largest
// max(max(a, b), max(c, d)) row by row, max(a, b) = a > b ? a : b.
#pragma once

#include <cstddef>
#include <memory>

#include "jit/conv_spec.h"
#include "jit/engine.h"
#include "jit/layer.h"
#include "jit/plan.h"

namespace octavo::jit {

/// A layer run by plain loops; a copy of the weights is kept. Throws Error(invalid_argument) where the sizes of the
/// weights or the plan do not fit the spec.
[[nodiscard]] std::unique_ptr<Engine> make_winograd_reference(const ConvSpec& spec, const Plan& plan,
                                                              const WindowedWeights& weights);

/// Throws Error(invalid_argument) when the plan's Winograd tiles or work tiles are none that the spec can have.
void check_winograd_plan(const ConvSpec& spec, const Plan& plan);

}  // namespace octavo::jit
