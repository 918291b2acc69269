// SPDX-License-Identifier: Apache-2.0
// Caffe: prototxt (+ caffemodel), layer formats V1 and V2, as a TEST-phase network.
#pragma once

#include <filesystem>
#include <string>

#include "graph/graph.h"

namespace octavo::graph {

struct CaffeImportOptions {
  bool require_weights =
      true;  ///< false: a layer without blobs gets weights of zero size only if none are needed for shapes
  std::uint64_t seed = 0;  ///< with no caffemodel: He-initialised weights from this seed
};

/// `caffemodel` empty: the topology alone, seeded He-initialised weights (for benchmarks).
/// Throws Error: io, malformed (file, line or byte), unsupported (layer name, type, place). The result is verified,
/// shapes inferred.
[[nodiscard]] Graph import_caffe(const std::filesystem::path& prototxt, const std::filesystem::path& caffemodel,
                                 const CaffeImportOptions& options = {});
/// From a caffemodel alone, when it carries its own topology (it does when Caffe saved it).
[[nodiscard]] Graph import_caffe_binary(const std::filesystem::path& caffemodel,
                                        const CaffeImportOptions& options = {});

/// The three-channel mean image of a mean.binaryproto: shape [C, H, W], values in the network's channel order.
[[nodiscard]] BlobPtr read_caffe_mean(const std::filesystem::path& binaryproto);

}  // namespace octavo::graph
