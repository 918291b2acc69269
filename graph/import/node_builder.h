// SPDX-License-Identifier: Apache-2.0
// What the converter of one node of a file adds nodes to the graph with, whatever the file's format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/graph.h"
#include "graph/import/constant_tensor.h"
#include "graph/import/import_budget.h"
#include "octavo/error.h"

namespace octavo::graph {

// See graph/import/open_extent.h.
struct NumberBounds;
struct OpenExtent;

/// A name of the file: a value of the graph, or numbers that are known already.
struct ImportedValue {
  ElementType type = ElementType::float32;
  Shape shape;                               ///< as the file has it: empty for a scalar, which the graph holds as [1]
  std::optional<ValueId> id;                 ///< none for a constant
  ConstantPtr constant{};                    ///< null for a value of the graph
  bool dequantized = false;                  ///< rounded to a grid before: lies on it
  std::shared_ptr<const OpenExtent> open{};  ///< of how many positions along an axis only a run tells
  std::shared_ptr<const NumberBounds> bounds{};  ///< of numbers that depend on that

  [[nodiscard]] bool is_constant() const { return constant != nullptr; }
};

/// The graph that is being made. Value names are unique: those of the file, and those of nodes that stand for parts.
class GraphWriter {
 public:
  explicit GraphWriter(Graph& graph) : graph_(graph) {}

  /// Adds a node of one or several outputs, checks it, infers its shapes.
  std::vector<ValueId> add(const std::string& name, Op op, std::vector<ValueId> inputs, std::size_t outputs = 1);
  void rename_value(ValueId value, const std::string& name);
  void rename_node(std::size_t node, const std::string& name);
  [[nodiscard]] Graph& graph() { return graph_; }
  /// What x is a flattening of (its dimensions from the second on as one): a Linear layer reads that itself. Else x.
  [[nodiscard]] ValueId unflattened(ValueId x) const;

 private:
  /// Names that are taken, and the number that the next of the same name may get.
  using Names = std::unordered_map<std::string, int>;
  static std::string unique(Names& taken, const std::string& wanted);

  Graph& graph_;
  Names value_names_, node_names_;
};

/// One node of a file on its way into the graph. What a converter adds has the node's name and says which part it is,
/// until finish() gives the results the names that the file has for them.
class NodeBuilder {
 public:
  /// `outputs`: the file's names of the node's results; "" for one that nobody reads.
  NodeBuilder(std::string name, std::vector<std::string> outputs, GraphWriter& writer, ImportBudget& budget);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::size_t output_count() const { return outputs_.size(); }
  /// Of the import: for numbers that a converter makes.
  [[nodiscard]] ImportBudget& budget() const { return budget_; }

  /// A node of the graph on these values; constants among them become Constant nodes.
  ImportedValue add(Op op, const std::vector<ImportedValue>& inputs);
  std::vector<ImportedValue> add_many(Op op, const std::vector<ImportedValue>& inputs, std::size_t outputs);
  ImportedValue add_unary(UnaryKind kind, const ImportedValue& x, float alpha = 0, float beta = 0, float gamma = 0);
  ImportedValue add_binary(BinaryKind kind, const ImportedValue& a, const ImportedValue& b);
  /// shift + scale * x
  ImportedValue add_affine(const ImportedValue& x, float scale, float shift);
  /// Nothing is added when the shape is x's. The first dimension, where it stays, is left to the input.
  ImportedValue add_reshape(const ImportedValue& x, const Shape& shape);
  ImportedValue add_reshape(const ImportedValue& x, const Shape& shape, std::vector<std::int64_t> dims);
  ImportedValue add_permute(const ImportedValue& x, const std::vector<std::int64_t>& order);
  /// What x is a flattening of (its dimensions from the second on as one): a Linear layer reads that itself. Else x.
  [[nodiscard]] ImportedValue unflattened(const ImportedValue& x) const;
  /// The numbers, [size], of which x has one for each position of an axis, repeated along all others; nothing unless x
  /// was made so.
  [[nodiscard]] std::optional<ImportedValue> untiled(const ImportedValue& x, std::int64_t axis);
  static ImportedValue constant_value(ConstantPtr tensor);
  static ImportedValue constant_value(float number) {
    return constant_value(make_tensor(ElementType::float32, {}, std::vector<float>{number}));
  }

  /// The node's outputs, in order. Types other than the first input's are said by the caller.
  void result(ImportedValue value) { results({std::move(value)}); }
  void results(std::vector<ImportedValue> values);
  [[nodiscard]] std::vector<ImportedValue>& made() { return results_; }
  /// Gives the results the names of the file; called once, after the converter.
  [[nodiscard]] std::vector<ImportedValue> finish();

  /// An axis of a value of that rank, counted from the front.
  [[nodiscard]] static std::int64_t axis(std::int64_t axis, std::int64_t rank);

  [[noreturn]] static void malformed(std::string what, std::string hint = {});
  [[noreturn]] static void unsupported(std::string what, std::string hint = {});

 protected:
  /// The file's names, where they are known only once the results are.
  void name_outputs(std::vector<std::string> outputs) { outputs_ = std::move(outputs); }

 private:
  [[nodiscard]] ValueId id_of(const ImportedValue& value);

  std::string name_;
  std::vector<std::string> outputs_;
  GraphWriter& writer_;
  ImportBudget& budget_;
  std::size_t first_node_;
  std::vector<ImportedValue> results_;
};

/// The numbers of a value that have to be known at import; throws Error(unsupported) when a node makes them.
[[nodiscard]] const ConstantTensor& known_numbers(const ImportedValue& value, std::string_view what);
/// The same, of one number; throws Error(malformed) when there are more.
[[nodiscard]] float known_number(const ImportedValue& value, std::string_view what);

}  // namespace octavo::graph
