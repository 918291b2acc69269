// SPDX-License-Identifier: Apache-2.0
// Torch7: networks of nn, cudnn and nngraph in `.t7` files. docs/formats.md says module by module what is understood
// and how.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "graph/graph.h"

namespace octavo::graph {

struct TorchImportOptions {
  /// A Torch7 file does not say what its network takes. By name: "input", or "input_1", "input_2", ... of a network
  /// that takes a table. Needed unless the network begins with a layer that says it (Linear, View, Reshape, or batch
  /// normalization of vectors): the batch is 1 then.
  std::map<std::string, Shape> input_shapes{};
};

/// fp32 weights are used where they lie in the mapped file, if they lie aligned there: the graph holds the mapping.
/// Throws Error: io; malformed (file, byte, module); unsupported (module and its class); invalid_argument (an input's
/// shape is missing). The result is verified, shapes inferred.
[[nodiscard]] Graph import_torch(const std::filesystem::path& file, const TorchImportOptions& options = {});

/// Whether a file is one of Torch7, by its first bytes.
[[nodiscard]] bool is_torch(std::span<const std::byte> bytes);

}  // namespace octavo::graph
