// SPDX-License-Identifier: Apache-2.0
// What the converter of one BigDL layer sees, and how it adds nodes to the graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/import/bigdl_attributes.h"
#include "graph/import/bigdl_module.h"
#include "graph/import/bigdl_tensor.h"
#include "graph/import/onnx_node.h"

namespace octavo::graph {

/// What flows between BigDL's modules: one value, or a table of such things.
struct BigdlActivity {
  std::optional<ValueId> value;
  std::shared_ptr<const std::vector<BigdlActivity>> table;  ///< where there is no value
};
[[nodiscard]] BigdlActivity bigdl_table(std::vector<BigdlActivity> items);
/// The values of a table and of the tables in it, in order. Throws Error(malformed) beyond kMaxBigdlList of them.
[[nodiscard]] std::vector<ValueId> flat_values(const BigdlActivity& activity);

class BigdlLayer {
 public:
  BigdlLayer(const BigdlModule& module, BigdlActivity input, BigdlTensors& tensors, GraphWriter& writer);

  [[nodiscard]] const BigdlModule& module() const { return module_; }
  [[nodiscard]] const BigdlAttributes& attributes() const { return attributes_; }
  [[nodiscard]] BigdlTensors& tensors() const { return tensors_; }
  /// What makes a value.
  [[nodiscard]] const Node* producer(ValueId value) const { return writer_.graph().producer(value); }

  /// What the layer is applied to. x(): one value; items(): a table of values; each throws Error(malformed) otherwise.
  [[nodiscard]] const BigdlActivity& input() const { return input_; }
  [[nodiscard]] ValueId x() const;
  [[nodiscard]] std::vector<ValueId> items(std::size_t least = 1) const;
  [[nodiscard]] const Shape& shape(ValueId value) const { return writer_.graph().values[value].shape; }
  [[nodiscard]] const Shape& shape() const { return shape(x()); }
  [[nodiscard]] std::int64_t rank() const { return static_cast<std::int64_t>(shape().size()); }
  /// x() of exactly that many dimensions; throws Error(unsupported) otherwise.
  [[nodiscard]] ValueId x_of_rank(std::size_t rank) const;
  /// A dimension as BigDL counts it, from 1 or, negative, from the end; counted from 0 here.
  [[nodiscard]] static std::int64_t axis(std::int64_t dimension, std::int64_t rank);
  /// The same of a layer that may have been written for values without a batch, of `ranks` dimensions (0: any).
  [[nodiscard]] static std::int64_t batched_axis(std::int64_t dimension, std::int64_t ranks, std::int64_t rank);

  /// The layer's numbers: "weight" and "bias" of early files, the list of parameters of later ones. The shape has to
  /// have as many elements as the file's; it replaces the file's.
  [[nodiscard]] bool has_parameter(std::size_t which) const;
  [[nodiscard]] BlobPtr parameter(std::size_t which, const Shape& shape) const;
  [[nodiscard]] BlobPtr parameter(std::size_t which) const;  ///< of the file's shape
  [[nodiscard]] static BlobPtr reshaped(const BlobPtr& blob, const Shape& shape);

  /// A node on the way, or (main) the one that carries the layer's name; the last one if none is.
  ValueId add(Op op, std::vector<ValueId> inputs);
  ValueId add_main(Op op, std::vector<ValueId> inputs);
  std::vector<ValueId> add_many(Op op, std::vector<ValueId> inputs, std::size_t outputs);
  ValueId add_unary(UnaryKind kind, ValueId x, float alpha = 0, float beta = 0, float gamma = 0);
  /// shift + scale * x
  ValueId add_affine(ValueId x, float scale, float shift);
  /// `dims` as in Reshape; the first dimension, where it stays, is left to the input.
  ValueId add_reshape(ValueId x, const Shape& shape);
  ValueId add_reshape_dims(ValueId x, std::vector<std::int64_t> dims);
  ValueId add_permute(ValueId x, const std::vector<std::int64_t>& order);
  ValueId add_constant(BlobPtr blob);
  /// Between BigDL's channels-last layout and channels first, of four dimensions.
  ValueId channels_first(ValueId x, bool last) { return last ? add_permute(x, {0, 3, 1, 2}) : x; }
  ValueId channels_last(ValueId y, bool last) { return last ? add_permute(y, {0, 2, 3, 1}) : y; }

  void result(ValueId value) { result_ = BigdlActivity{value, nullptr}; }
  void result(BigdlActivity activity) { result_ = std::move(activity); }
  /// Names nodes and values after the layer; called once, after the converter.
  [[nodiscard]] BigdlActivity finish();

  [[noreturn]] static void malformed(std::string what, std::string hint = {});
  [[noreturn]] static void unsupported(std::string what, std::string hint = {});

 private:
  const BigdlModule& module_;
  BigdlAttributes attributes_{module_};
  BigdlActivity input_;
  BigdlTensors& tensors_;
  GraphWriter& writer_;
  std::size_t first_node_;
  std::optional<std::size_t> main_node_;
  BigdlActivity result_;
};

}  // namespace octavo::graph
