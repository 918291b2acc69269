// SPDX-License-Identifier: Apache-2.0
// Caffe: prototxt (+ caffemodel), of every generation of the format, as a TEST-phase network. docs/formats.md says
// layer by layer what is understood and how.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace octavo::graph {

struct CaffeImportOptions {
  bool require_weights = true;  ///< false: layers that the caffemodel lacks get seeded weights, as without a caffemodel
  std::uint64_t seed = 0;       ///< of those weights
  /// By name of the blob: for data layers of which the prototxt names only a database, and for blobs that no layer
  /// makes.
  std::map<std::string, Shape> input_shapes{};
  int level = 0;  ///< Caffe's NetState, for the rules of the layers
  std::vector<std::string> stages{};
};

/// `caffemodel` empty: the topology alone, seeded He-initialised weights (for benchmarks).
/// The blobs of a caffemodel are used where they lie in the mapped file, if they lie aligned there: the graph holds the
/// mapping.
/// Throws Error: io, malformed (file, line or byte), unsupported (layer name, type, place). The result is verified,
/// shapes inferred.
[[nodiscard]] Graph import_caffe(const std::filesystem::path& prototxt, const std::filesystem::path& caffemodel,
                                 const CaffeImportOptions& options = {});
/// From a caffemodel alone, when it carries its own topology: it does when Caffe saved it, but that is the topology of
/// training, whose inputs need a shape from the options.
[[nodiscard]] Graph import_caffe_binary(const std::filesystem::path& caffemodel,
                                        const CaffeImportOptions& options = {});

/// The mean image of a mean.binaryproto: shape [C, H, W], values in the network's channel order.
[[nodiscard]] BlobPtr read_caffe_mean(const std::filesystem::path& binaryproto);

}  // namespace octavo::graph
