// SPDX-License-Identifier: Apache-2.0
// From a graph's nodes to Caffe's layers: one function an op, in caffe_layers.cpp and caffe_regions.cpp (detection).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "graph/graph.h"
#include "octavo_caffe.pb.h"

namespace octavo::graph {

class CaffeNodeExporter {
 public:
  /// `taken`: names of layers and blobs, to which those of parts are added.
  CaffeNodeExporter(const Graph& graph, const Node& node, caffe::NetParameter& net,
                    std::unordered_set<std::string>& taken)
      : graph_(graph), node_(node), net_(net), taken_(taken) {}

  /// Throws Error(unsupported) for what Caffe cannot say.
  void run();
  /// The same of the last node of x - log(sum(exp(x))): Caffe has the softmax and the logarithm.
  void run_as_log_softmax();

 private:
  [[nodiscard]] const std::string& in(std::size_t i = 0) const { return graph_.values[node_.inputs[i]].name; }
  [[nodiscard]] const std::string& out(std::size_t i = 0) const { return graph_.values[node_.outputs[i]].name; }
  [[nodiscard]] const Shape& in_shape(std::size_t i = 0) const { return graph_.values[node_.inputs[i]].shape; }
  [[nodiscard]] const Shape& out_shape(std::size_t i = 0) const { return graph_.values[node_.outputs[i]].shape; }
  [[noreturn]] static void cannot(const std::string& what, const std::string& hint = {});
  [[noreturn]] static void not_written(std::string_view op);

  /// The layer itself: all inputs in, all outputs out.
  caffe::LayerParameter& layer(std::string_view type);
  /// The layer itself, when `more` parts follow it: its first input in, a blob of its own out, whose name is `result`.
  caffe::LayerParameter& layer(std::string_view type, bool more, std::string& result);
  /// A part behind it; the last one makes the node's output.
  caffe::LayerParameter& part(std::string_view type, const std::string& from, bool last, std::string& result);
  static void add_blob(caffe::LayerParameter& layer, const BlobPtr& blob);
  static void add_blob(caffe::LayerParameter& layer, const Shape& shape, const std::vector<float>& values);
  void finish_layer(std::string result, bool residual, const Activation& activation);
  [[nodiscard]] static bool plain(bool residual, const Activation& activation);
  template <class Spatial>
  void set_window(const Spatial& op, caffe::ConvolutionParameter& param);

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
  void write(const Binary& op);
  void write(const Resize& op);
  void write(const Normalize& op);
  void write(const PriorBox& op);
  void write(const DetectionOutput& op);
  void write(const Proposal& op);
  void write(const RoiPooling& op);
  template <class T>
  void write(const T& op) {
    not_written(op_name(op));
  }

  const Graph& graph_;
  const Node& node_;
  caffe::NetParameter& net_;
  std::unordered_set<std::string>& taken_;
};

}  // namespace octavo::graph
