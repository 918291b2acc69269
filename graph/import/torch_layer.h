// SPDX-License-Identifier: Apache-2.0
// What the converter of one Torch7 module sees, and how it adds nodes to the graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "graph/import/import_budget.h"
#include "graph/import/node_builder.h"
#include "graph/import/torch_module.h"

namespace octavo::graph {

/// What flows between modules: a tensor, or a table of such.
struct TorchActivity {
  std::optional<ValueId> tensor;
  std::vector<TorchActivity> table;

  TorchActivity() = default;
  TorchActivity(ValueId value) : tensor(value) {}  // NOLINT(google-explicit-constructor): a tensor is an activity
  explicit TorchActivity(std::vector<TorchActivity> values) : table(std::move(values)) {}
  [[nodiscard]] bool is_table() const { return !tensor.has_value(); }
  [[nodiscard]] std::size_t size() const;  ///< tensors and tables, itself included
};

/// The network that is being made: applies modules to what comes in, each as often as it is met.
class TorchNetwork {
 public:
  TorchNetwork(const TorchFile& file, Graph& graph) : file_(file), writer_(graph), budget_(file.bytes()) {}

  /// `place`: which module of its container it is.
  TorchActivity apply(const TorchValue& module, const TorchActivity& input, const std::string& place);
  /// The tensor's numbers; a tensor that several modules share is decoded once.
  [[nodiscard]] BlobPtr blob(const TorchValue& tensor);

  [[nodiscard]] const TorchFile& file() const { return file_; }
  [[nodiscard]] GraphWriter& writer() { return writer_; }
  [[nodiscard]] ImportBudget& budget() { return budget_; }

 private:
  [[nodiscard]] std::string label_of(const TorchModule& module);
  [[nodiscard]] std::string place_of(const TorchModule& module) const;

  const TorchFile& file_;
  GraphWriter writer_;
  ImportBudget budget_;
  std::map<std::uint32_t, BlobPtr> blobs_;         ///< by tensor
  std::map<std::string, int, std::less<>> count_;  ///< of modules, by name or, without one, by type
  std::vector<std::string> path_;                  ///< to the module that is being converted
  std::size_t applied_ = 0, carried_ = 0;
};

class TorchLayer {
 public:
  TorchLayer(TorchNetwork& network, const TorchModule& module, const TorchActivity& input, std::string label)
      : network_(network), module_(module), input_(input), label_(std::move(label)) {}

  [[nodiscard]] const TorchModule& module() const { return module_; }
  [[nodiscard]] const std::string& label() const { return label_; }

  // What comes in. Each throws Error(malformed) when it is something else.
  [[nodiscard]] const TorchActivity& input() const { return input_; }
  [[nodiscard]] ValueId tensor() const { return tensor_of(input_); }
  [[nodiscard]] const std::vector<TorchActivity>& table() const;
  [[nodiscard]] std::vector<ValueId> tensors() const;  ///< a table of one tensor or more
  [[nodiscard]] static ValueId tensor_of(const TorchActivity& activity);

  [[nodiscard]] Shape shape(ValueId value) const { return network_.writer().graph().values[value].shape; }
  [[nodiscard]] std::int64_t rank(ValueId value) const { return static_cast<std::int64_t>(shape(value).size()); }
  /// A dimension as Lua counts it (from 1, or from the end when negative; one further where the value has a dimension
  /// more than the `dims` that the module was made for), from 0.
  [[nodiscard]] std::int64_t axis(std::int64_t dimension, ValueId value, std::optional<std::int64_t> dims = {}) const;

  /// Adds a node, called after the module and the op.
  ValueId add(Op op, const std::vector<ValueId>& inputs);
  std::vector<ValueId> add_many(Op op, const std::vector<ValueId>& inputs, std::size_t outputs);
  ValueId add_unary(UnaryKind kind, ValueId x, float alpha = 0, float beta = 0, float gamma = 0);
  /// shift + scale * x
  ValueId add_affine(ValueId x, float scale, float shift);
  ValueId add_binary(BinaryKind kind, ValueId a, ValueId b);
  ValueId add_constant(BlobPtr value);
  ValueId add_constant(float value);
  /// Nothing is added when the shape is x's. The first dimension, where it stays, is left to the input.
  ValueId add_reshape(ValueId x, const Shape& shape);
  ValueId add_permute(ValueId x, const std::vector<std::int64_t>& order);
  /// Over one axis, which goes (the last that is left stays as [1]).
  ValueId add_squeezed_reduction(ReductionKind kind, ValueId x, std::int64_t axis);
  /// Over one axis, which stays as a dimension of 1.
  ValueId add_reduction(ReductionKind kind, ValueId x, std::int64_t axis);
  /// x from `begin` on, `count` positions of an axis; x itself when that is all.
  ValueId add_narrow(ValueId x, std::int64_t axis, std::int64_t begin, std::int64_t count);
  /// x without an axis, at one position of it.
  ValueId add_select(ValueId x, std::int64_t axis, std::int64_t at);
  ValueId add_concat(const std::vector<ValueId>& parts, std::int64_t axis);
  /// What a Linear layer on x may read: see GraphWriter::unflattened().
  [[nodiscard]] ValueId unflattened(ValueId x) const { return network_.writer().unflattened(x); }

  /// Runs `layer` on x as `rank` dimensions: a value of one less is a batch of one, whose dimension goes afterwards.
  ValueId with_batch(ValueId x, std::int64_t rank, const std::function<ValueId(ValueId)>& layer);

  /// The modules within, and lists of numbers. They count towards the budget: a module may be met many times.
  [[nodiscard]] std::vector<TorchValue> modules() const;
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view field) const;
  [[nodiscard]] std::vector<TorchValue> list(const TorchValue& table) const;
  /// The tensor in a field, or null when the module has none.
  [[nodiscard]] BlobPtr blob(std::string_view field) const;
  /// The tensor in a field, in this shape; throws Error(malformed) when it is missing or of another number of elements.
  [[nodiscard]] BlobPtr blob(std::string_view field, const Shape& shape) const;
  [[nodiscard]] ImportBudget& budget() const { return network_.budget(); }

  /// Another module on other inputs.
  TorchActivity apply(const TorchValue& module, const TorchActivity& input, std::size_t place) const;

  /// The value that is the layer's result gets its name.
  void name_result(const TorchActivity& result);

  [[noreturn]] static void malformed(std::string what, std::string hint = {});
  [[noreturn]] static void unsupported(std::string what, std::string hint = {});

 private:
  TorchNetwork& network_;
  const TorchModule& module_;
  const TorchActivity& input_;
  std::string label_;
  std::map<ValueId, std::size_t> made_;            ///< by this layer: the value's node
  std::map<std::string, int, std::less<>> parts_;  ///< how many there are of each op
  int named_ = 0;                                  ///< results
};

}  // namespace octavo::graph
