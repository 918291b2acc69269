// SPDX-License-Identifier: Apache-2.0
// The passes, one a file, in the order in which graph/compiler.cpp runs them. Each takes a graph that verify()s and
// leaves one that does, computes the same outputs under the same names, and drops what it made dead.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace octavo::graph {

/// Identity (Dropout, Split) goes; its users read its input, which takes the name of the result if nothing else reads
/// it (an in-place Dropout's is the one that people know). One that makes a network output out of a network input or of
/// another network output stays: a value has one name.
void drop_identity(Graph& graph);

/// BatchNorm becomes Scale: factor 1 / sqrt(variance + epsilon), offset -mean * factor.
void batch_norm_to_scale(Graph& graph);

/// A Scale directly behind a Scale is one Scale.
void merge_scales(Graph& graph);

/// A Scale behind a Convolution, Deconvolution or Linear goes into its weights and bias. Exact whatever the padding,
/// because it applies to the results; a Scale *before* a padded convolution would change what the padding stands for,
/// so it stays.
void fold_scale(Graph& graph);

/// A sum of two, one of which a Convolution or Linear makes for it alone, becomes that layer's residual input.
void fuse_residual(Graph& graph);

/// ReLU (any slope), ReLU6, PReLU, sigmoid and tanh go into the Convolution, Linear, Deconvolution or Eltwise before.
void fuse_activation(Graph& graph);

/// For each value: whether it is proven never to be below zero (NaN aside), from the ops that lead to it.
[[nodiscard]] std::vector<bool> prove_nonnegative(const Graph& graph);

}  // namespace octavo::graph
