// SPDX-License-Identifier: Apache-2.0
// From a graph's nodes to ONNX's: one function an op, in onnx_layers.cpp (layers with weights, pools, normalization),
// onnx_functions.cpp (arithmetic), onnx_movement.cpp (what moves numbers) and onnx_regions.cpp (boxes).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/export/onnx_writer.h"
#include "graph/graph.h"

namespace octavo::graph {

/// The node that is written, and names for what stands between its parts. The last ONNX node makes its output; its name
/// goes to the ONNX node of the layer itself, or to the last one.
class OnnxNodeExporter {
 public:
  OnnxNodeExporter(const Graph& graph, const Node& node, OnnxWriter& writer)
      : graph_(graph), node_(node), writer_(writer) {}

  /// Throws Error(unsupported) for what ONNX cannot say.
  void run();

 private:
  [[nodiscard]] const std::string& in(std::size_t i = 0) const { return graph_.values[node_.inputs[i]].name; }
  [[nodiscard]] const std::string& out(std::size_t i = 0) const { return graph_.values[node_.outputs[i]].name; }
  [[nodiscard]] const Shape& in_shape(std::size_t i = 0) const { return graph_.values[node_.inputs[i]].shape; }
  [[nodiscard]] const Shape& out_shape(std::size_t i = 0) const { return graph_.values[node_.outputs[i]].shape; }
  [[nodiscard]] std::int64_t rank(std::size_t i = 0) const { return static_cast<std::int64_t>(in_shape(i).size()); }
  [[noreturn]] static void cannot(const std::string& what);
  [[noreturn]] static void not_written(std::string_view op);

  /// "layer/part", made unique.
  [[nodiscard]] std::string part(std::string_view name) { return writer_.unique(node_.name + "/" + std::string(name)); }
  /// A node on the way; its result's name.
  std::string step(std::string_view type, std::vector<std::string> inputs);
  OnnxNodeWriter step(std::string_view type, std::vector<std::string> inputs, std::string& result);
  /// The layer itself: the last node when nothing follows, else a step whose result is put into `result`.
  OnnxNodeWriter layer(std::string_view type, const std::vector<std::string>& inputs, bool alone, std::string& result);
  /// The last node.
  OnnxNodeWriter last(std::string_view type, std::vector<std::string> inputs);

  [[nodiscard]] std::string constant(std::string_view name, const Shape& shape, std::span<const float> values);
  [[nodiscard]] std::string constant(std::string_view name, float value);
  [[nodiscard]] std::string constant(std::string_view name, const Blob& blob, const Shape& shape);
  [[nodiscard]] std::string integers(std::string_view name, const std::vector<std::int64_t>& values);
  /// Casts to the type of that number and, for a truth value, back.
  [[nodiscard]] std::string cast(const std::string& value, std::int64_t type);

  /// The weights' name: fp32, or 8-bit numbers behind DequantizeLinear. `turned`: as the transposed matrix.
  [[nodiscard]] std::string weights(const Blob& blob, bool turned = false);
  /// Writes what follows a layer's product: residual and activation. `result` is the product's name, or empty when
  /// nothing follows (the layer itself is the last node then).
  void finish_layer(const std::string& result, bool residual, const Activation& activation);
  [[nodiscard]] static bool plain(bool residual, const Activation& activation);

  void write(const Input& op);
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
  void write(const Identity& op);
  void write(const Constant& op);
  void write(const Binary& op);
  void write(const Select& op);
  void write(const MatMul& op);
  void write(const Gather& op);
  void write(const StridedSlice& op);
  void write(const Pad& op);
  void write(const LayerNorm& op);
  void write(const Resize& op);
  void write(const Normalize& op);
  void write(const NonMaxSuppression& op);
  void write(const RoiAlign& op);
  template <class T>
  void write(const T& op) {
    not_written(op_name(op));
  }

  void write_power(const Unary& op);
  void write_activation(const std::string& x, const Activation& activation);
  [[nodiscard]] std::vector<std::int64_t> sized(const Shape& shape) const;

  const Graph& graph_;
  const Node& node_;
  OnnxWriter& writer_;
  bool named_ = false;  ///< an ONNX node has the node's name
};

}  // namespace octavo::graph
