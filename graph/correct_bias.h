// SPDX-License-Identifier: Apache-2.0
// The bias that makes up for what rounding the weights does to the mean of a layer's results.
#pragma once

#include <cstdint>
#include <span>

#include "graph/blob.h"

namespace octavo::graph {

/// bias - sum of (rounded - weights) * the mean of what each weight is multiplied by, for each output. Exact away from
/// the borders: where padding stands for some of the taps, they are corrected for as well.
/// `weights`: fp32, [out][in / groups](...), `rounded`: the same in 8 bits; `bias`: [out] or null; `input_means`: of
/// each input channel, or of each of equal runs of them (a flattened value's); NaN: not known, nothing is corrected.
/// Null where that is nothing at all: no mean is known, their number does not fit, or fp32 cannot hold the result.
[[nodiscard]] BlobPtr corrected_bias(const Blob& weights, const Blob& rounded, const BlobPtr& bias, std::int64_t groups,
                                     std::span<const double> input_means);

}  // namespace octavo::graph
