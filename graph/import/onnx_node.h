// SPDX-License-Identifier: Apache-2.0
// What the converter of one ONNX node sees, and how it adds nodes to the graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "graph/graph.h"
#include "graph/import/onnx_attributes.h"
#include "graph/import/onnx_budget.h"
#include "graph/import/onnx_tensor.h"

namespace octavo::graph {

/// A name of the file: a value of the graph, or numbers that are known already.
struct OnnxValue {
  OnnxType type = OnnxType::float32;
  Shape shape;                ///< as ONNX has it: empty for a scalar, which the graph holds as [1]
  std::optional<ValueId> id;  ///< none for a constant
  OnnxTensorPtr constant{};   ///< null for a value of the graph
  bool dequantized = false;   ///< made by DequantizeLinear: lies on a grid

  [[nodiscard]] bool is_constant() const { return constant != nullptr; }
};

/// The graph that is being made. Value names are unique: those of the file, and those of nodes that stand for parts.
class OnnxGraphWriter {
 public:
  explicit OnnxGraphWriter(Graph& graph) : graph_(graph) {}

  /// Adds a node of one or several outputs, checks it, infers its shapes.
  std::vector<ValueId> add(const std::string& name, Op op, std::vector<ValueId> inputs, std::size_t outputs = 1);
  void rename_value(ValueId value, const std::string& name);
  void rename_node(std::size_t node, const std::string& name);
  [[nodiscard]] Graph& graph() { return graph_; }

 private:
  static std::string unique(std::unordered_set<std::string>& taken, const std::string& wanted);

  Graph& graph_;
  std::unordered_set<std::string> value_names_, node_names_;
};

class OnnxNode {
 public:
  OnnxNode(const OnnxNodeProto& proto, const OnnxTensorSource& source, std::int64_t opset,
           std::vector<std::optional<OnnxValue>> inputs, OnnxGraphWriter& writer, OnnxBudget& budget);

  [[nodiscard]] const std::string& type() const { return proto_.op_type; }
  [[nodiscard]] std::int64_t opset() const { return opset_; }
  [[nodiscard]] const OnnxAttributes& attributes() const { return attributes_; }
  /// Of the import: for numbers that a converter makes.
  [[nodiscard]] OnnxBudget& budget() const { return budget_; }

  [[nodiscard]] std::size_t input_count() const { return inputs_.size(); }
  [[nodiscard]] std::size_t output_count() const { return proto_.outputs.size(); }
  [[nodiscard]] bool has_input(std::size_t i) const { return i < inputs_.size() && inputs_[i].has_value(); }
  /// Throws Error(malformed) when the node has no such input.
  [[nodiscard]] const OnnxValue& input(std::size_t i = 0) const;
  [[nodiscard]] const Shape& shape(std::size_t i = 0) const { return input(i).shape; }
  [[nodiscard]] std::int64_t rank(std::size_t i = 0) const { return static_cast<std::int64_t>(shape(i).size()); }
  /// The numbers of an input that have to be known at import; throws Error(unsupported) when a node makes them.
  [[nodiscard]] const OnnxTensor& constant(std::size_t i, std::string_view what) const;
  /// An input of whole numbers that is known; nothing when the node has no such input.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(std::size_t i, std::string_view what) const;
  [[nodiscard]] float scalar(std::size_t i, std::string_view what) const;

  /// A node of the graph on these values; constants among them become Constant nodes.
  OnnxValue add(Op op, const std::vector<OnnxValue>& inputs);
  std::vector<OnnxValue> add_many(Op op, const std::vector<OnnxValue>& inputs, std::size_t outputs);
  OnnxValue add_unary(UnaryKind kind, const OnnxValue& x, float alpha = 0, float beta = 0, float gamma = 0);
  OnnxValue add_binary(BinaryKind kind, const OnnxValue& a, const OnnxValue& b);
  /// shift + scale * x
  OnnxValue add_affine(const OnnxValue& x, float scale, float shift);
  /// Nothing is added when the shape is x's. The first dimension, where it stays, is left to the input.
  OnnxValue add_reshape(const OnnxValue& x, const Shape& shape);
  OnnxValue add_reshape(const OnnxValue& x, const Shape& shape, std::vector<std::int64_t> dims);
  OnnxValue add_permute(const OnnxValue& x, const std::vector<std::int64_t>& order);
  /// What x is a flattening of (its dimensions from the second on as one): a Linear layer reads that itself. Else x.
  [[nodiscard]] OnnxValue unflattened(const OnnxValue& x) const;
  static OnnxValue constant_value(OnnxTensorPtr tensor);
  static OnnxValue constant_value(float number) {
    return constant_value(make_tensor(OnnxType::float32, {}, std::vector<float>{number}));
  }

  /// The node's outputs, in order. Types other than the first input's are said by the caller.
  void result(OnnxValue value) { results({std::move(value)}); }
  void results(std::vector<OnnxValue> values);
  /// Gives the results the names of the file; called once, after the converter.
  [[nodiscard]] std::vector<OnnxValue> finish();

  /// An axis of a value of that rank, counted from the front.
  [[nodiscard]] static std::int64_t axis(std::int64_t axis, std::int64_t rank);

  [[noreturn]] static void malformed(std::string what, std::string hint = {});
  [[noreturn]] static void unsupported(std::string what, std::string hint = {});

 private:
  [[nodiscard]] ValueId id_of(const OnnxValue& value);
  [[nodiscard]] std::string base_name() const;

  const OnnxNodeProto& proto_;
  OnnxAttributes attributes_;
  std::int64_t opset_;
  std::vector<std::optional<OnnxValue>> inputs_;
  OnnxGraphWriter& writer_;
  OnnxBudget& budget_;
  std::size_t first_node_;
  std::vector<OnnxValue> results_;
};

}  // namespace octavo::graph
