// SPDX-License-Identifier: Apache-2.0
// The `.octavo` model file. See docs/model-file.md.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "octavo/image.h"
#include "octavo/model.h"

namespace octavo::runtime {

/// Everything that a model file holds.
struct ModelContent {
  graph::Graph graph;                           ///< imported, canonical or quantized
  std::vector<LayerQuantization> quantization;  ///< what quantize() decided; empty for a model never quantized
  std::optional<ImageInput> image_input;
  std::vector<std::string> labels;
};

[[nodiscard]] bool is_octavo_file(std::span<const std::byte> first_bytes);

/// Writes whole or not at all; equal models give equal bytes. Throws Error: io, invalid_argument (a name or label that
/// is not UTF-8).
void write_octavo_file(const std::filesystem::path& file, const ModelContent& content);
/// Maps the file; its numbers stay in the mapping, which the graph's blobs keep. Every byte is checked. The graph is
/// verified, its shapes are inferred. Throws Error: io, malformed, unsupported (a newer version).
[[nodiscard]] ModelContent read_octavo_file(const std::filesystem::path& file);

}  // namespace octavo::runtime
