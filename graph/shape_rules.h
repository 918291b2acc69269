// SPDX-License-Identifier: Apache-2.0
// From the shapes of a node's inputs to those of its outputs: one rule an op. Internal to graph/.
//
// A rule throws Error(invalid_argument) with the rule that is broken; the caller adds the node. It assumes what
// verify() checks without shapes: arity, attributes in range, blobs of the right size. Dimensions come in positive and
// below kMaxElements.
#pragma once

#include <cstddef>
#include <vector>

#include "graph/ops.h"

namespace octavo::graph {

/// Elements of a value.
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 40;

using Shapes = std::vector<Shape>;

// What rules have in common: shape_inference.cpp.
[[nodiscard]] std::int64_t rank_of(const Shape& shape);
/// canonical_axis() as an index into the shape.
[[nodiscard]] std::size_t axis_of(std::int64_t axis, const Shape& shape);
/// A scalar is [1].
[[nodiscard]] Shape at_least_one(Shape shape);

/// Shapes of all outputs of `op`, of which the node has `outputs`.
[[nodiscard]] Shapes output_shapes(const Op& op, const Shapes& inputs, std::size_t outputs);

// Ops that slide a window over an image: shape_inference_spatial.cpp.
[[nodiscard]] Shape shape_of(const Convolution& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Deconvolution& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Pool& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Lrn& op, const Shapes& inputs);

// Ops that join, cut, permute or reduce axes: shape_inference_axes.cpp.
[[nodiscard]] Shape shape_of(const Linear& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Concat& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Flatten& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Reshape& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Permute& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Crop& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Tile& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Reduction& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const ArgMax& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Embed& op, const Shapes& inputs);
[[nodiscard]] Shapes shapes_of(const Slice& op, const Shape& input, std::size_t outputs);

// Ops on values of any rank: shape_inference_tensor.cpp.
[[nodiscard]] Shape shape_of(const Constant& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Binary& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Select& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const MatMul& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Gather& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const StridedSlice& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Pad& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const LayerNorm& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Resize& op, const Shapes& inputs);

// Ops of detection networks: shape_inference_detection.cpp.
[[nodiscard]] Shape shape_of(const Normalize& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const PriorBox& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const DetectionOutput& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Proposal& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const RoiPooling& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const NonMaxSuppression& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const RoiAlign& op, const Shapes& inputs);
/// Priors at a cell.
[[nodiscard]] std::int64_t priors_per_cell(const PriorBox& op);

// Ops that keep the shape and check that their parameters fit it: shape_inference_pointwise.cpp.
[[nodiscard]] Shape shape_of(const Unary& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const PRelu& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const BatchNorm& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Scale& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Softmax& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Eltwise& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Quantize& op, const Shapes& inputs);
[[nodiscard]] Shape shape_of(const Dequantize& op, const Shapes& inputs);
/// Throws unless a prelu has a slope for each channel of the output.
void check_activation(const Activation& activation, const Shape& output);

}  // namespace octavo::graph
