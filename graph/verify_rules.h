// SPDX-License-Identifier: Apache-2.0
// What has to hold of a graph before its shapes are known. Internal to graph/.
#pragma once

#include <cstddef>

#include "graph/graph.h"

namespace octavo::graph {

/// How many inputs and outputs a node of this op may have.
struct Arity {
  std::size_t min_inputs = 1, max_inputs = 1, max_outputs = 1;
};
[[nodiscard]] Arity arity_of(const Op& op);

/// Throws Error(invalid_argument), without a place, unless the op's attributes are in range and its blobs are there and
/// have the size that the attributes say. `inputs`: how many the node has.
void verify_op(const Op& op, std::size_t inputs);

/// verify_op() for ops of detection networks.
void verify_detection(const Normalize& op);
void verify_detection(const PriorBox& op);
void verify_detection(const DetectionOutput& op);
void verify_detection(const Proposal& op);
void verify_detection(const RoiPooling& op);
void verify_detection(const NonMaxSuppression& op);
void verify_detection(const RoiAlign& op);

/// verify() without the shapes of values.
void verify_structure(const Graph& graph);

}  // namespace octavo::graph
