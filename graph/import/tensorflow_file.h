// SPDX-License-Identifier: Apache-2.0
// A TensorFlow graph: its nodes, what they are connected by, and where its numbers lie. A binary GraphDef is mapped,
// not read; tensors stay where they are until a node asks for them. No limit of 2 GB applies.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/import/constant_tensor.h"

namespace octavo::graph {

class TensorflowCheckpoint;

struct TensorflowNodeDef {
  std::string name, op;
  std::vector<std::string> inputs;    ///< "node", "node:1"
  std::vector<std::string> controls;  ///< nodes that run before it
  std::vector<std::pair<std::string, std::span<const std::byte>>> attributes;
};

/// A function of a graph's library, which nodes call by name.
struct TensorflowFunction {
  std::vector<std::string> inputs;                           ///< names of its arguments, in order
  std::vector<std::pair<std::string, std::string>> results;  ///< names, and what in the body they are
  std::vector<TensorflowNodeDef> nodes;                      ///< inputs as in bodies: "node:output:0", or an argument
};

class TensorflowFile {
 public:
  /// A GraphDef, binary or text, or the folder of a SavedModel. Throws Error: io; malformed (with the byte, or line and
  /// column); unsupported.
  explicit TensorflowFile(const std::filesystem::path& file);
  ~TensorflowFile();

  [[nodiscard]] const std::filesystem::path& path() const { return file_; }
  /// In the file's order, which need not be topological. Calls of functions are replaced by the functions' nodes.
  [[nodiscard]] const std::vector<TensorflowNodeDef>& nodes() const { return nodes_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// What keeps the attributes' bytes alive.
  [[nodiscard]] const std::shared_ptr<const void>& owner() const { return owner_; }

  /// Of a SavedModel's signature, by its own names: "node:0". Empty for a GraphDef.
  [[nodiscard]] const std::map<std::string, std::string>& signature_inputs() const { return signature_inputs_; }
  [[nodiscard]] const std::map<std::string, std::string>& signature_outputs() const { return signature_outputs_; }
  /// A name of the file; of a call's result, the name of what makes it in the function.
  [[nodiscard]] const std::string& maker_of(const std::string& name) const;
  /// A variable's value, from the SavedModel's checkpoint. Throws Error(unsupported) when there is none of that name.
  [[nodiscard]] ConstantPtr variable(const std::string& name) const;

 private:
  using Bytes = std::span<const std::byte>;
  void read_file();
  void read_text(std::string_view text);
  void read_saved_model(Bytes message);
  void read_meta_graph(Bytes message);
  void read_graph(Bytes message);
  void read_library(Bytes message);
  [[nodiscard]] TensorflowNodeDef read_node(Bytes message, bool body);
  [[nodiscard]] std::size_t offset_of(Bytes part) const;

  std::filesystem::path file_;
  std::shared_ptr<const void> owner_;
  Bytes whole_;
  std::size_t bytes_ = 0, inputs_ = 0;
  std::vector<TensorflowNodeDef> nodes_;
  std::map<std::string, TensorflowFunction> functions_;
  std::map<std::string, std::string> results_of_calls_;
  std::map<std::string, std::string> signature_inputs_, signature_outputs_;
  std::unique_ptr<TensorflowCheckpoint> checkpoint_;
};

/// Whether the bytes are those of a binary GraphDef, or the words those of a text one, as far as their beginning tells.
[[nodiscard]] bool is_tensorflow(std::span<const std::byte> bytes);
[[nodiscard]] bool is_tensorflow_text(std::string_view start);
/// Whether a folder is that of a SavedModel.
[[nodiscard]] bool is_saved_model(const std::filesystem::path& folder);

}  // namespace octavo::graph
