// SPDX-License-Identifier: Apache-2.0
// Arithmetic on constants at import: the shape computations of exporters, and weights that nodes rearrange or rescale.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/import/onnx_node.h"

namespace octavo::graph {

/// The node's outputs, if all that they depend on is known and octavo folds this operator; nothing otherwise.
[[nodiscard]] std::optional<std::vector<OnnxTensorPtr>> fold_onnx(const OnnxNode& node, OnnxBudget& budget);

// Internal to onnx_fold*.cpp. Each is called with all inputs known, and gives null for what it does not fold.
[[nodiscard]] OnnxTensorPtr fold_onnx_movement(const OnnxNode& node, OnnxBudget& budget);
[[nodiscard]] OnnxTensorPtr fold_onnx_math(const OnnxNode& node, OnnxBudget& budget);
[[nodiscard]] OnnxTensorPtr fold_onnx_reduction(const OnnxNode& node, OnnxBudget& budget);
[[nodiscard]] OnnxTensorPtr fold_onnx_quantization(const OnnxNode& node, OnnxBudget& budget);

/// What is computed element by element, stored as the type holds it: rounded to fp32, or wrapped to the integer type.
[[nodiscard]] OnnxTensorPtr tensor_of(OnnxType type, Shape shape, const std::vector<double>& values);
/// An integer as the type holds it (two's complement).
[[nodiscard]] std::int64_t wrapped(OnnxType type, std::int64_t value);
/// A real number as an integer type: cut off towards zero, moved into the type's range, NaN to 0.
[[nodiscard]] std::int64_t truncated(OnnxType type, double value);

/// The shape that Reshape's second input asks for, of `x`.
struct OnnxReshape {
  Shape shape;                     ///< with all dimensions known
  std::vector<std::int64_t> dims;  ///< as for graph::Reshape: 0 copies, -1 is inferred
};
[[nodiscard]] OnnxReshape onnx_reshape(const Shape& x, const std::vector<std::int64_t>& wanted, bool allow_zero);
/// Axes counted from the front of a value of that rank; throws Error(malformed) when one is named twice.
[[nodiscard]] std::vector<std::int64_t> onnx_axes(const std::vector<std::int64_t>& axes, std::int64_t rank);
/// `axes` of Squeeze (empty: all dimensions of 1) and Unsqueeze, by attribute (before opset 13) or input 1.
[[nodiscard]] Shape onnx_squeezed(const OnnxNode& node);
[[nodiscard]] Shape onnx_unsqueezed(const OnnxNode& node);

/// Slice's parameters, by attributes (before opset 10) or inputs 1 to 4.
struct OnnxSlice {
  std::vector<std::int64_t> axes, begins, ends, steps;
};
[[nodiscard]] OnnxSlice onnx_slice(const OnnxNode& node);

}  // namespace octavo::graph
