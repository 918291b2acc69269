// SPDX-License-Identifier: Apache-2.0
// TensorFlow: frozen graphs (GraphDef, binary or text) and the folders of SavedModels. docs/formats.md says operator by
// operator what is understood and how.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace octavo::graph {

struct TensorflowImportOptions {
  /// Names of nodes that the network begins with, whatever makes their values in the file; empty: the placeholders that
  /// the outputs need, in the file's order.
  std::vector<std::string> inputs{};
  /// "node" or "node:1"; empty: the outputs of a SavedModel's signature, or the nodes that no other reads.
  std::vector<std::string> outputs{};
  /// By node, in TensorFlow's order of dimensions. Needed for inputs of which the file leaves more open than the first
  /// dimension (which is then 1).
  std::map<std::string, Shape> input_shapes{};
  /// Pictures and maps come in and go out as [N, C, H, W], as everywhere in octavo. If not, inputs and outputs keep
  /// TensorFlow's order.
  bool channels_first = true;
};

/// Weights are used where they lie in the mapped file, if they lie aligned there: the graph holds the mapping.
/// Throws Error: io, malformed (file, node, byte), unsupported (node name, operator), invalid_argument (names that the
/// file does not have; a shape that is missing). The result is verified, shapes inferred.
[[nodiscard]] Graph import_tensorflow(const std::filesystem::path& file, const TensorflowImportOptions& options = {});

}  // namespace octavo::graph
