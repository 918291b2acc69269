// SPDX-License-Identifier: Apache-2.0
// Which tensor of its checkpoint a SavedModel gives to which variable. The names of the two need not be alike: what
// TensorFlow itself runs to load the file is a part of the graph, and says it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/import/tensorflow_file.h"

namespace octavo::graph {

/// By variables' names (shared names, or those of nodes without), the checkpoint's keys that `restore` (a node, or a
/// call that was inlined) assigns to them. Of what is assigned in a way that is not understood, nothing is said. Throws
/// Error(malformed): a variable that is given two keys; attributes of the wrong kind.
[[nodiscard]] std::map<std::string, std::string> restored_variables(const std::vector<TensorflowNodeDef>& nodes,
                                                                    const std::string& restore);

}  // namespace octavo::graph
