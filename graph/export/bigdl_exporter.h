// SPDX-License-Identifier: Apache-2.0
// From a graph's nodes to BigDL's modules: one function an op, in bigdl_layers.cpp (layers with weights, pools,
// normalization), bigdl_functions.cpp (arithmetic) and bigdl_movement.cpp (what moves numbers).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "graph/export/bigdl_writer.h"
#include "graph/graph.h"

namespace octavo::graph {

/// Which module makes a value: its name.
using BigdlSources = std::map<ValueId, std::string>;

/// Nodes that one module of BigDL stands for, found beforehand.
struct BigdlPatterns {
  std::map<const Node*, const Node*> affine;   ///< BatchNorm -> the Scale behind it
  std::map<const Node*, ValueId> log_softmax;  ///< the last node of x - log(sum(exp(x))) -> x
  std::map<ValueId, BlobPtr> constants;        ///< values of Constant nodes
  std::set<const Node*> covered;               ///< written with another node
};
[[nodiscard]] BigdlPatterns find_bigdl_patterns(const Graph& graph);

class BigdlNodeExporter {
 public:
  BigdlNodeExporter(const Graph& graph, const Node& node, const BigdlPatterns& patterns, BigdlWriter& writer,
                    BigdlSources& sources)
      : graph_(graph), node_(node), patterns_(patterns), writer_(writer), sources_(sources) {}

  /// Throws Error(unsupported) for what BigDL cannot say.
  void run();

 private:
  [[nodiscard]] const std::string& in(std::size_t i = 0) const;
  [[nodiscard]] const Shape& in_shape(std::size_t i = 0) const { return graph_.values[node_.inputs[i]].shape; }
  [[nodiscard]] const Shape& out_shape(std::size_t i = 0) const { return graph_.values[node_.outputs[i]].shape; }
  [[nodiscard]] std::int64_t rank(std::size_t i = 0) const { return static_cast<std::int64_t>(in_shape(i).size()); }
  [[noreturn]] static void cannot(const std::string& what, const std::string& hint = {});
  [[noreturn]] static void not_written(std::string_view op);

  /// A module on the way, of a name of its own, which it returns; the layer itself has the node's name.
  std::string step(std::string_view type, const std::string& source);
  BigdlModuleWriter step(std::string_view type, const std::vector<std::string>& sources, std::string& name);
  BigdlModuleWriter layer(std::string_view type, const std::vector<std::string>& sources);
  /// The node's i-th output is what this module makes.
  void made(const std::string& name, std::size_t output = 0) { sources_[node_.outputs[output]] = name; }
  void made() { made(node_.name); }

  /// What follows a layer: the sum with its second input, and an activation. Ends with made().
  void finish_layer(std::string name, bool residual, const Activation& activation);
  [[nodiscard]] std::string activated(const std::string& source, const Activation& activation);
  [[nodiscard]] std::string reshaped(const std::string& source, const Shape& from, const Shape& to);
  [[nodiscard]] std::string narrowed(const std::string& source, std::int64_t axis, std::int64_t begin,
                                     std::int64_t length);
  [[nodiscard]] std::string multiplied(const std::string& source, float factor);
  [[nodiscard]] std::string affine(const std::string& source, float scale, float shift);
  /// Zeros around a picture.
  [[nodiscard]] std::string bordered(const std::string& source, const Pair& begin, const Pair& end);
  /// Of a window: in front of it what its module cannot pad itself, which is what differs between the sides.
  struct Padded {
    std::string source;
    Pair pad{0, 0};
  };
  [[nodiscard]] Padded padded(const Pair& kernel, const Pair& stride, const Pair& begin, const Pair& end,
                              bool zeros_count);

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
  void write(const Embed& op);
  void write(const Identity& op);
  void write(const Binary& op);
  void write(const MatMul& op);
  void write(const StridedSlice& op);
  void write(const Pad& op);
  void write(const Resize& op);
  void write(const Normalize& op);
  void write(const PriorBox& op);
  void write(const DetectionOutput& op);
  void write(const Constant&) {}  // its readers write it
  template <class T>
  void write(const T& op) {
    not_written(op_name(op));
  }
  void write_quantized(const Convolution& op, const Padded& window);
  void write_numbers(bool offset, const BlobPtr& numbers, const Shape& shape, std::size_t of);

  const Graph& graph_;
  const Node& node_;
  const BigdlPatterns& patterns_;
  BigdlWriter& writer_;
  BigdlSources& sources_;
};

}  // namespace octavo::graph
