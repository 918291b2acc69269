// SPDX-License-Identifier: Apache-2.0
// An ONNX file: its nodes, what they are connected by, and where its numbers lie. The file is mapped, not read; tensors
// stay where they are until a node asks for them. No limit of 2 GB applies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
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

class OnnxModelFile {
 public:
  /// Throws Error: io; malformed (with the byte); unsupported (functions of its own, sparse weights, another kind of
  /// file).
  explicit OnnxModelFile(const std::filesystem::path& file);

  [[nodiscard]] const std::filesystem::path& path() const { return file_; }
  [[nodiscard]] std::int64_t opset() const { return opset_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<OnnxNodeProto>& nodes() const { return nodes_; }
  [[nodiscard]] const std::vector<OnnxValueInfo>& inputs() const { return inputs_; }
  [[nodiscard]] const std::vector<OnnxValueInfo>& outputs() const { return outputs_; }
  [[nodiscard]] const std::map<std::string, std::span<const std::byte>>& initializers() const { return initializers_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }
  /// What keeps the bytes alive, and the folder of external data.
  [[nodiscard]] OnnxTensorSource source() const { return {owner_, file_.parent_path()}; }

 private:
  using Bytes = std::span<const std::byte>;
  void read_model();
  void read_opset(Bytes message);
  void read_graph(Bytes message);
  void read_node(Bytes message);
  void read_initializer(Bytes message);
  [[nodiscard]] std::size_t offset_of(Bytes part) const {
    return static_cast<std::size_t>(part.data() - bytes_.data());
  }

  std::filesystem::path file_;
  std::shared_ptr<const void> owner_;
  Bytes bytes_;
  std::int64_t opset_ = 0;
  std::string name_;
  std::size_t names_ = 0;  ///< inputs and outputs of nodes so far
  std::vector<OnnxNodeProto> nodes_;
  std::vector<OnnxValueInfo> inputs_, outputs_;
  std::map<std::string, Bytes> initializers_;
};

/// Whether the bytes are those of an ONNX model, as far as its outermost fields tell.
[[nodiscard]] bool is_onnx(std::span<const std::byte> bytes);

}  // namespace octavo::graph
