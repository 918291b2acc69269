// SPDX-License-Identifier: Apache-2.0
// A windowed integer layer as a step: jit::Layer run over the images of a batch by a team of threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "graph/ops.h"
#include "jit/conv_spec.h"
#include "runtime/step.h"

namespace octavo::runtime {

/// What FusedConvolution and FusedLinear become. The spec says one image; `images` of them lie one after the other. A
/// layer that pools does so whatever its algorithm: in its epilogue, or in a second pass where its plan is not
/// Winograd.
struct IntegerLayerRequest {
  jit::ConvSpec spec;
  std::int64_t images = 1;
  graph::BlobPtr weights, bias, slopes;  ///< bias and slopes may be null
  std::string algorithm;                 ///< for LayerInfo, without the ISA: "int8 direct 3x3"
};

/// Throws what jit::tuned_plan() and jit::Layer() throw.
[[nodiscard]] std::unique_ptr<Step> make_integer_step(const IntegerLayerRequest& request, const BuildContext& context,
                                                      Slot input, std::optional<Slot> residual, Slot output);

}  // namespace octavo::runtime
