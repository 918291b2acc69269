// SPDX-License-Identifier: Apache-2.0
// Finds the fastest plan of a layer by measuring (runtime/contest.h) and keeps it (runtime/tuning_file.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "jit/conv_spec.h"
#include "jit/kernel_cache.h"
#include "octavo/tune.h"

namespace octavo::runtime {

struct LayerToTune {
  jit::ConvSpec spec;  ///< its ISA is replaced by the options'
  std::string name;    ///< of a model's layer, or of a shape
};

/// Tunes each distinct spec once and writes a record after each. A layer whose best candidate does not beat the
/// planner's choice by more than the noise gets no record, and loses the one it had.
/// Throws Error: invalid_argument (a spec, an option), unsupported (the scalar reference), resource, and what
/// merge_into_tuning_file() throws.
[[nodiscard]] std::vector<TunedLayer> tune_layers(const std::vector<LayerToTune>& layers, const TuneOptions& options,
                                                  jit::KernelCache& kernels);

}  // namespace octavo::runtime
