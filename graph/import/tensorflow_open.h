// SPDX-License-Identifier: Apache-2.0
// TensorFlow nodes that read values of which only a run tells how large they are (graph/import/open_extent.h): what
// NonMaxSuppression and Where found.
#pragma once

#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {

/// Whether an input is such a value.
[[nodiscard]] bool reads_open_values(const TensorflowNode& node);

/// Converts such a node; its result is open where it has to be. Throws Error(unsupported) for an operator that would
/// take what does not count for real.
void convert_tensorflow_open(TensorflowNode& node, TensorflowConverter converter);

}  // namespace octavo::graph
