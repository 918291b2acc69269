// SPDX-License-Identifier: Apache-2.0
// BigDL's protobuf models of all releases, float and quantized. docs/formats.md says layer by layer what is understood.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "graph/graph.h"

namespace octavo::graph {

struct BigdlImportOptions {
  /// The file with the numbers, when they were saved apart from the network.
  std::filesystem::path weight_file{};
  /// By name. A BigDL model does not say what it takes, unless its first layers or Keras-style ones do.
  std::map<std::string, Shape> input_shapes{};
};

/// Weights are used where they lie in the mapped file, if they lie aligned there: the graph holds the mapping.
/// Throws Error: io, malformed (file, module, byte), unsupported (module and class), invalid_argument (an input's shape
/// is needed). The result is verified, shapes inferred.
[[nodiscard]] Graph import_bigdl(const std::filesystem::path& file, const BigdlImportOptions& options = {});

}  // namespace octavo::graph
