// SPDX-License-Identifier: Apache-2.0
// From a graph's nodes to TensorFlow's: one function an op, in tensorflow_layers.cpp (layers with weights, pools,
// normalization), tensorflow_functions.cpp (arithmetic) and tensorflow_movement.cpp (what moves numbers).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "graph/export/tensorflow_writer.h"
#include "graph/graph.h"

namespace octavo::graph {

/// The names under which the graph's values are in the TensorFlow graph: in the graph's order of dimensions, or, of
/// maps, as [N, H, W, C]. What is missing is made when it is asked for.
struct TensorflowNames {
  std::map<ValueId, std::string> plain, pixels;
};

/// The node that is written, and names for what stands between its parts. The last TensorFlow node has the name of the
/// node's result.
class TensorflowNodeExporter {
 public:
  TensorflowNodeExporter(const Graph& graph, const Node& node, TensorflowWriter& writer, TensorflowNames& names)
      : graph_(graph), node_(node), writer_(writer), names_(names) {}

  /// Throws Error(unsupported) for what TensorFlow cannot say.
  void run();
  /// A value in the graph's order of dimensions, or as [N, H, W, C].
  [[nodiscard]] std::string plain_name(ValueId value);
  [[nodiscard]] std::string pixels_name(ValueId value);

 private:
  [[nodiscard]] std::string in(std::size_t i = 0) { return plain_name(node_.inputs[i]); }
  [[nodiscard]] std::string pixels(std::size_t i = 0) { return pixels_name(node_.inputs[i]); }
  [[nodiscard]] const Shape& in_shape(std::size_t i = 0) const { return graph_.values[node_.inputs[i]].shape; }
  [[nodiscard]] const Shape& out_shape(std::size_t i = 0) const { return graph_.values[node_.outputs[i]].shape; }
  [[nodiscard]] std::int64_t rank(std::size_t i = 0) const { return static_cast<std::int64_t>(in_shape(i).size()); }
  [[nodiscard]] const std::string& out_name(std::size_t i = 0) const { return graph_.values[node_.outputs[i]].name; }
  /// Whether the inputs are maps of which at least one is there as [N, H, W, C].
  [[nodiscard]] bool in_pixels() const;
  /// Input i in the order in which this node works.
  [[nodiscard]] std::string operand(std::size_t i = 0) { return pixels_ ? pixels(i) : in(i); }
  /// The axis (from the front) in that order.
  [[nodiscard]] std::int64_t own_axis(std::int64_t axis) const;
  /// A list with an entry for each dimension, in that order.
  template <class T>
  [[nodiscard]] std::vector<T> own_order(const std::vector<T>& list) const {
    if (!pixels_) return list;
    return {list[0], list[2], list[3], list[1]};
  }
  [[noreturn]] static void cannot(const std::string& what);
  [[noreturn]] static void not_written(std::string_view op);

  /// A node on the way; its result's name.
  std::string step(std::string_view type, const std::vector<std::string>& inputs);
  TensorflowNodeWriter step(std::string_view type, const std::vector<std::string>& inputs, std::string& result);
  /// The last node, whose result is the graph's.
  TensorflowNodeWriter last(std::string_view type, const std::vector<std::string>& inputs);
  /// `last` where nothing follows; else a step whose result is put into `result`.
  TensorflowNodeWriter layer(std::string_view type, const std::vector<std::string>& inputs, bool alone,
                             std::string& result);
  /// What was made is the node's result.
  void done(const std::string& made);

  [[nodiscard]] std::string part(std::string_view name) const { return out_name() + "/" + std::string(name); }
  [[nodiscard]] std::string constant(std::string_view name, const Shape& shape, std::span<const float> values);
  [[nodiscard]] std::string constant(std::string_view name, float value);
  [[nodiscard]] std::string constant(std::string_view name, const Blob& blob, const Shape& shape);
  [[nodiscard]] std::string integers(std::string_view name, const std::vector<std::int64_t>& values);
  /// A truth value as 1 or 0, and a number as a truth value.
  [[nodiscard]] std::string as_number(const std::string& truth);
  [[nodiscard]] std::string as_truth(const std::string& number);
  [[nodiscard]] std::string as_integer(const std::string& number);
  [[nodiscard]] std::string whole_number(const std::string& integer);
  [[nodiscard]] std::string scaled(const std::string& x, float factor, float offset);

  /// What follows a layer's product: bias, residual, activation; `product` is empty when nothing does.
  void finish_layer(std::string product, const BlobPtr& bias, bool residual, const Activation& activation);
  [[nodiscard]] static bool plain_layer(const BlobPtr& bias, bool residual, const Activation& activation);
  [[nodiscard]] std::string activated(const std::string& x, const Activation& activation);
  [[nodiscard]] std::string function_of(const std::string& x, const Unary& op);
  [[nodiscard]] std::string power_of(const std::string& x, const Unary& op);
  [[nodiscard]] std::string prelu_of(const std::string& x, const BlobPtr& slopes);
  void write_padding(TensorflowNodeWriter& writer, const Pair& kernel, const Pair& stride, const Pair& dilation,
                     const Pair& begin, const Pair& end, const Shape& picture);

  void write(const Input& op);
  void write(const Constant& op);
  void write(const Identity& op);
  void write(const Convolution& op);
  void write(const Deconvolution& op);
  void write(const Linear& op);
  void write(const Unary& op);
  void write(const PRelu& op);
  void write(const BatchNorm& op);
  void write(const Scale& op);
  void write(const Lrn& op);
  void write(const Pool& op);
  void write(const Softmax& op);
  void write(const Concat& op);
  void write(const Slice& op);
  void write(const Eltwise& op);
  void write(const Flatten& op);
  void write(const Reshape& op);
  void write(const Permute& op);
  void write(const Crop& op);
  void write(const Tile& op);
  void write(const Reduction& op);
  void write(const ArgMax& op);
  void write(const Embed& op);
  void write(const Binary& op);
  void write(const Select& op);
  void write(const MatMul& op);
  void write(const Gather& op);
  void write(const StridedSlice& op);
  void write(const Pad& op);
  void write(const LayerNorm& op);
  void write(const Resize& op);
  void write(const Normalize& op);
  template <class T>
  void write(const T& op) {
    not_written(op_name(op));
  }
  void write_reshape();

  const Graph& graph_;
  const Node& node_;
  TensorflowWriter& writer_;
  TensorflowNames& names_;
  bool pixels_ = false;  ///< this node works on [N, H, W, C]
};

}  // namespace octavo::graph
