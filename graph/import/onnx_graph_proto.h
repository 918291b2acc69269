// SPDX-License-Identifier: Apache-2.0
// A graph of an ONNX file, the model's own or one that a node holds (the body of a Loop, a branch of an If): its nodes,
// what they are connected by, and where its numbers lie.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "graph/import/onnx_tensor.h"

namespace octavo::graph {

struct OnnxNodeProto {
  std::string name, op_type, domain;
  std::vector<std::string> inputs, outputs;  ///< "": left out
  std::vector<std::pair<std::string, std::span<const std::byte>>> attributes;
};

/// A graph's input or output.
struct OnnxValueInfo {
  std::string name;
  ElementType type = ElementType::float32;
  bool has_shape = false, is_tensor = true;
  Shape shape;  ///< -1: a dimension that the file leaves open
};

struct OnnxGraphProto {
  std::string name;
  std::vector<OnnxNodeProto> nodes;
  std::vector<OnnxValueInfo> inputs, outputs;
  std::map<std::string, std::span<const std::byte>> initializers;
};

/// `base`: where the message begins in the file, for errors. Throws Error: malformed (with the byte), unsupported
/// (sparse weights).
[[nodiscard]] OnnxGraphProto read_onnx_graph(std::span<const std::byte> message, std::size_t base = 0);

/// A name of the file. Throws Error(malformed) beyond 4096 bytes.
[[nodiscard]] std::string onnx_name(std::span<const std::byte> bytes);

}  // namespace octavo::graph
