// SPDX-License-Identifier: Apache-2.0
// A fp32 layer with weights on oneDNN: the primitive, and around it what post-operations do not cover.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/onednn.h"
#include "runtime/step.h"

namespace octavo::runtime {

/// The parts of a Convolution, Deconvolution or Linear that are the same for all three.
struct OnednnLayer {
  OnednnCall call;
  std::string implementation;    ///< oneDNN's name for the code that it chose
  std::optional<Slot> residual;  ///< added by oneDNN's sum: copied to the output first unless it already lies there
  std::optional<graph::Unary> function;  ///< of each number of the result, behind oneDNN
  std::vector<float> slopes;             ///< PReLU, or empty
};

/// The step whose output lies in `layout`; `channels` is the output seen from its channels or features.
[[nodiscard]] BuiltStep make_onednn_step(const StepRequest& request, OnednnLayer layer, Layout layout,
                                         const AxisView& channels);

}  // namespace octavo::runtime
