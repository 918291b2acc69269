// SPDX-License-Identifier: Apache-2.0
// Calls of functions, as files of TensorFlow 2 are made of them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/import/tensorflow_file.h"

namespace octavo::graph {

struct InlinedNodes {
  std::vector<TensorflowNodeDef> nodes;
  std::map<std::string, std::string> results;  ///< of calls, "call" and "call:1": what makes them
};

/// The nodes with every call of a function (PartitionedCall and the like) replaced by the function's nodes, whose names
/// begin with that of the call. Throws Error: malformed (a function that calls itself, one that is missing, more nodes
/// than are allowed).
[[nodiscard]] InlinedNodes with_functions_inlined(std::vector<TensorflowNodeDef> nodes,
                                                  const std::map<std::string, TensorflowFunction>& functions);

}  // namespace octavo::graph
