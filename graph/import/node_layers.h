// SPDX-License-Identifier: Apache-2.0
// What nodes of several formats become: arithmetic, products, reductions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/import/fold.h"
#include "graph/import/node_builder.h"

namespace octavo::graph {

// node_arithmetic.cpp
/// x + c, x * c and the like with constants as few numbers as can be: one for all, one a channel, or a part of x's
/// dimensions; with two values of one shape, Eltwise; else Binary.
[[nodiscard]] ImportedValue add_arithmetic(NodeBuilder& node, BinaryKind kind, const ImportedValue& a,
                                           const ImportedValue& b);

/// The same of any number of values of one shape, if Eltwise has it.
[[nodiscard]] std::optional<EltwiseKind> eltwise_kind(BinaryKind kind);

// node_linear.cpp
/// The product of matrices of any rank, as numpy's matmul; Linear when b is one constant matrix.
[[nodiscard]] ImportedValue add_matrix_product(NodeBuilder& node, const ImportedValue& a, const ImportedValue& b);
/// x by weights [out][in]; the features are x's last dimension. `bias` may be null.
[[nodiscard]] ImportedValue add_linear(NodeBuilder& node, const ImportedValue& x, const ConstantTensor& weights,
                                       BlobPtr bias);
/// A matrix, transposed: what was stored in 8 bits stays so.
[[nodiscard]] ConstantPtr turned(const ConstantTensor& matrix, ImportBudget& budget);

// node_einsum.cpp
/// An Einstein sum of one or two values, by an equation like "abc,cd->abd"; a product by one constant matrix is Linear.
/// Throws Error(unsupported) for diagonals and more values.
[[nodiscard]] ImportedValue add_einsum(NodeBuilder& node, const std::string& equation,
                                       const std::vector<ImportedValue>& operands);

// node_gather.cpp
/// The parts of x along `axis` that the indices name, in the shape of the indices: a slice for a single one that is
/// known, Embed for rows of a constant matrix, else Gather.
[[nodiscard]] ImportedValue add_gather(NodeBuilder& node, const ImportedValue& x, const ImportedValue& indices,
                                       std::int64_t axis);

// node_weights.cpp
/// Weights as a blob: in 8 bits where they were stored so with scales that octavo's kernels take; else fp32. The first
/// dimension of `weights` is the outputs'.
[[nodiscard]] BlobPtr layer_weights(const ConstantTensor& weights, bool keep_bits, QuantizationWindow& window);

// node_reduction.cpp
/// One number for each position of the other axes; the result has shape `over.shape`.
[[nodiscard]] ImportedValue add_reduction(NodeBuilder& node, ReductionKind kind, const ImportedValue& x,
                                          const ReducedAxes& over);

// node_movement.cpp
/// Of [N, C, H, W]: channels as blocks of `block` x `block` pixels. `depth_first`: a block's places are the slower part
/// of the channel's number.
[[nodiscard]] ImportedValue add_depth_to_space(NodeBuilder& node, const ImportedValue& image, std::int64_t block,
                                               bool depth_first);
/// Blocks of pixels as channels, the places of a block as the slower part.
[[nodiscard]] ImportedValue add_space_to_depth(NodeBuilder& node, const ImportedValue& image, std::int64_t block);

}  // namespace octavo::graph
