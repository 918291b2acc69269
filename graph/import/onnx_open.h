// SPDX-License-Identifier: Apache-2.0
// ONNX nodes that read values of which only a run tells how large they are (graph/import/open_extent.h).
#pragma once

#include <optional>

#include "graph/import/onnx_node.h"
#include "graph/import/open_extent.h"

namespace octavo::graph {

/// Whether an input is such a value, or made of such values' sizes.
[[nodiscard]] bool reads_open_values(const OnnxNode& node);

/// Converts such a node; its outputs are open where they have to be. Throws Error(unsupported) for an operator that
/// would take what does not count for real.
void convert_onnx_open(OnnxNode& node);

// onnx_open_bounds.cpp
/// The bounds of a node's numbers, as far as they follow from those of what it reads (as operators that grow or fall
/// with each of their numbers, comparisons and choices have them).
[[nodiscard]] std::optional<NumberBounds> onnx_resulting_bounds(const OnnxNode& node);

}  // namespace octavo::graph
