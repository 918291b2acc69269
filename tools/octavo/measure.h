// SPDX-License-Identifier: Apache-2.0
// The noise of each int8 layer, measured on pictures.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "octavo/model.h"
#include "tools/octavo/console.h"
#include "tools/octavo/json_output.h"

namespace octavo::tool {

/// On eight of the pictures, evenly spread, prepared as the model describes (a note says so where it does not).
/// Unreadable ones are noted and left out. The worst layer first. Throws Error(io) when none can be read.
[[nodiscard]] std::vector<LayerError> measured_layers(const Model& model, const std::filesystem::path& pictures,
                                                      const QuantizeOptions& options, const CompileOptions& compile);

[[nodiscard]] Table measure_table(const std::vector<LayerError>& layers);
[[nodiscard]] Json measure_json(const std::vector<LayerError>& layers);

}  // namespace octavo::tool
