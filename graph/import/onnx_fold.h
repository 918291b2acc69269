// SPDX-License-Identifier: Apache-2.0
// ONNX nodes whose inputs are known, computed at import.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/import/fold.h"
#include "graph/import/onnx_node.h"

namespace octavo::graph {

/// The node's outputs, if all that they depend on is known and octavo folds this operator; nothing otherwise.
[[nodiscard]] std::optional<std::vector<ConstantPtr>> fold_onnx(const OnnxNode& node, ImportBudget& budget);

// Internal to onnx_fold*.cpp. Each is called with all inputs known, and gives null for what it does not fold.
[[nodiscard]] ConstantPtr fold_onnx_movement(const OnnxNode& node, ImportBudget& budget);
[[nodiscard]] ConstantPtr fold_onnx_math(const OnnxNode& node, ImportBudget& budget);
[[nodiscard]] ConstantPtr fold_onnx_reduction(const OnnxNode& node, ImportBudget& budget);
[[nodiscard]] ConstantPtr fold_onnx_quantization(const OnnxNode& node, ImportBudget& budget);

/// `axes` of Squeeze (empty: all dimensions of 1) and Unsqueeze, by attribute (before opset 13) or input 1.
[[nodiscard]] Shape onnx_squeezed(const OnnxNode& node);
[[nodiscard]] Shape onnx_unsqueezed(const OnnxNode& node);

/// Transpose's permutation, and Slice's parameters by attributes (before opset 10) or inputs 1 to 4.
[[nodiscard]] std::vector<std::int64_t> onnx_order(const OnnxNode& node);
[[nodiscard]] StridedSlice onnx_slice(const OnnxNode& node);

}  // namespace octavo::graph
