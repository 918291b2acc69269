// SPDX-License-Identifier: Apache-2.0
// An ONNX file: its nodes, what they are connected by, and where its numbers lie. The file is mapped, not read; tensors
// stay where they are until a node asks for them. No limit of 2 GB applies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "graph/import/onnx_graph_proto.h"
#include "graph/import/onnx_tensor.h"

namespace octavo::graph {

class OnnxModelFile {
 public:
  /// Throws Error: io; malformed (with the byte); unsupported (functions of its own, sparse weights, another kind of
  /// file).
  explicit OnnxModelFile(const std::filesystem::path& file);

  [[nodiscard]] const std::filesystem::path& path() const { return file_; }
  [[nodiscard]] std::int64_t opset() const { return opset_; }
  [[nodiscard]] const OnnxGraphProto& graph() const { return graph_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }
  /// Where in the file a part of it lies.
  [[nodiscard]] std::size_t offset_of(std::span<const std::byte> part) const {
    return static_cast<std::size_t>(part.data() - bytes_.data());
  }
  /// What keeps the bytes alive, and the folder of external data.
  [[nodiscard]] OnnxTensorSource source() const { return {owner_, file_.parent_path()}; }
  /// Where the numbers of its weights lie outside it.
  [[nodiscard]] std::vector<std::filesystem::path> external_files() const;

 private:
  using Bytes = std::span<const std::byte>;
  void read_model();
  void read_opset(Bytes message);

  std::filesystem::path file_;
  std::shared_ptr<const void> owner_;
  Bytes bytes_;
  std::int64_t opset_ = 0;
  OnnxGraphProto graph_;
};

/// Whether the bytes are those of an ONNX model, as far as its outermost fields tell.
[[nodiscard]] bool is_onnx(std::span<const std::byte> bytes);

}  // namespace octavo::graph
