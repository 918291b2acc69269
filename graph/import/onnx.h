// SPDX-License-Identifier: Apache-2.0
// ONNX, operator sets 7 to 28. docs/formats.md says operator by operator what is understood and how.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/import/onnx_tensor.h"

namespace octavo::graph {

struct OnnxImportOptions {
  /// By name. Needed for inputs of which the file leaves more open than the first dimension (which is then 1).
  std::map<std::string, Shape> input_shapes{};
  /// The values to end with; empty: the file's outputs. Nodes that they do not need are not looked at.
  std::vector<std::string> outputs{};
  /// Inputs that always have the same numbers: they become part of the network.
  std::map<std::string, ConstantPtr> fixed_inputs{};
};

/// Weights are used where they lie in the mapped file, if they lie aligned there: the graph holds the mapping.
/// Throws Error: io, malformed (file, node, byte), unsupported (node name, operator). The result is verified, shapes
/// inferred.
[[nodiscard]] Graph import_onnx(const std::filesystem::path& file, const OnnxImportOptions& options = {});

}  // namespace octavo::graph
