// SPDX-License-Identifier: Apache-2.0
// What a BigDL model takes, as far as it says so: Keras-style layers and Input modules have shapes; the first layer may
// leave no choice.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/import/bigdl_module.h"

namespace octavo::graph {

struct BigdlInput {
  std::string name;
  std::optional<Shape> shape;  ///< with the batch, which may be -1, as may be other dimensions
};

/// One of them, called "input", or, of a graph, as many as it names.
[[nodiscard]] std::vector<BigdlInput> bigdl_inputs(const BigdlModule& root);

}  // namespace octavo::graph
