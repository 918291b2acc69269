// SPDX-License-Identifier: Apache-2.0
// What the converter of one Caffe layer sees, and how it adds nodes to the graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "graph/import/caffe_net.h"
#include "graph/import/caffe_weights.h"

namespace octavo::graph {

class CaffeLayerContext {
 public:
  /// `name` is the name of the layer's node in the graph, `top_names[i]` that of the value of its i-th top.
  CaffeLayerContext(const CaffeLayer& layer, std::string name, std::vector<ValueId> bottoms,
                    std::vector<std::string> top_names, Graph& graph, CaffeWeights& weights);

  [[nodiscard]] const caffe::LayerParameter& param() const { return layer_.param; }
  [[nodiscard]] const std::vector<ValueId>& bottoms() const { return bottoms_; }
  /// Shape of a bottom; malformed when the layer has no such bottom.
  [[nodiscard]] const Shape& shape(std::size_t bottom = 0) const;
  /// An axis of bottom 0, counted from the front.
  [[nodiscard]] std::size_t axis(std::int64_t axis) const;
  /// Throws Error(malformed) unless the number of bottoms is in range.
  void require_bottoms(std::size_t least, std::size_t most) const;

  /// The layer's blobs, of exactly these shapes.
  [[nodiscard]] std::vector<BlobPtr> blobs(const std::vector<BlobNeed>& needs) {
    return weights_.blobs(param(), needs);
  }

  /// The layer as one node: its bottoms in, its tops out.
  void add(Op op);
  /// The layer's last node, of other inputs than its bottoms.
  void add(Op op, std::vector<ValueId> inputs);
  /// A node that the layer needs on the way; it is named "layer/part".
  [[nodiscard]] ValueId add_part(std::string_view part, Op op, std::vector<ValueId> inputs);
  /// One node for each bottom and its top (Caffe applies some layers to several bottoms alike).
  void add_each(const Op& op);

  /// The values of the layer's tops, once it is converted.
  [[nodiscard]] const std::vector<ValueId>& tops() const { return tops_; }

  [[noreturn]] static void malformed(std::string what, std::string hint = {});
  [[noreturn]] static void unsupported(std::string what, std::string hint = {});

 private:
  void add_node(std::string name, Op op, std::vector<ValueId> inputs, const std::vector<std::string>& outputs);

  const CaffeLayer& layer_;
  std::string name_;
  std::vector<ValueId> bottoms_;
  std::vector<std::string> top_names_;
  Graph& graph_;
  CaffeWeights& weights_;
  std::vector<ValueId> tops_;
};

}  // namespace octavo::graph
