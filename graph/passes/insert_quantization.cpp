// SPDX-License-Identifier: Apache-2.0
// Explicit Quantize -> Integer* -> Dequantize: see graph/compiler.h.
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "graph/compiler.h"
#include "graph/passes/passes.h"

namespace octavo::graph {
namespace {

class Inserter {
 public:
  explicit Inserter(Graph graph) : graph_(std::move(graph)), nonnegative_(prove_nonnegative(graph_)) {
    for (const Node& node : graph_.nodes) names_.insert(node.name);
  }

  Graph run() {
    std::vector<Node> nodes = std::exchange(graph_.nodes, {});
    for (Node& node : nodes) {
      auto* conv = std::get_if<Convolution>(&node.op);
      auto* linear = std::get_if<Linear>(&node.op);
      if (conv != nullptr && conv->weights->quantized()) {
        split(node, *conv);
      } else if (linear != nullptr && linear->weights->quantized()) {
        split(node, *linear);
      } else {
        graph_.nodes.push_back(std::move(node));
      }
    }
    return std::move(graph_);
  }

 private:
  /// The layer keeps its name for the integer node; its result keeps its name as Dequantize's.
  template <class T>
  void split(const Node& node, const T& layer) {
    const ValueId x = node.inputs[0];
    const ValueId integers = new_value(node.name + "/integers", x);
    const ValueId sums = new_value(node.name + "/sums", node.outputs[0]);
    graph_.add_node(unused(node.name + "/quantize"), Quantize{layer.window, nonnegative_[x]}, {x}, {integers});

    T integer = layer;
    integer.bias = nullptr;
    integer.add_residual = false;
    integer.activation = {};
    if constexpr (std::is_same_v<T, Convolution>) {
      graph_.add_node(node.name, IntegerConvolution{std::move(integer)}, {integers}, {sums});
    } else {
      graph_.add_node(node.name, IntegerLinear{std::move(integer)}, {integers}, {sums});
    }

    Dequantize dequantize{layer.weights, layer.bias, layer.add_residual, layer.activation};
    std::vector<ValueId> inputs{sums};
    if (layer.add_residual) inputs.push_back(node.inputs[1]);
    graph_.add_node(unused(node.name + "/dequantize"), std::move(dequantize), std::move(inputs), node.outputs);
  }

  ValueId new_value(std::string name, ValueId like) {
    const ValueId value = graph_.add_value(std::move(name));
    graph_.values[value].shape = graph_.values[like].shape;
    return value;
  }

  std::string unused(std::string name) {
    while (!names_.insert(name).second) name += '_';
    return name;
  }

  Graph graph_;
  std::vector<bool> nonnegative_;
  std::unordered_set<std::string> names_;
};

}  // namespace

Graph insert_quantization(Graph graph) {
  verify(graph);
  return Inserter(std::move(graph)).run();
}

}  // namespace octavo::graph
