// SPDX-License-Identifier: Apache-2.0
// Model::layer_errors(): each int8 layer beside its fp32 self.
//
// Every layer becomes a network of its own, fed with what the fp32 network computes at that place, so that its own
// noise can be told from that of the layers before it. All passes have run by then: a layer is what is executed, its
// fused activation included.
#include <algorithm>
#include <cmath>

#include "graph/compiler.h"
#include "graph/passes/passes.h"
#include "octavo/error.h"
#include "runtime/model_impl.h"
#include "runtime/program_builder.h"

namespace octavo {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

bool runs_in_int8(const Node& node) {
  const auto* const conv = std::get_if<graph::Convolution>(&node.op);
  const auto* const linear = std::get_if<graph::Linear>(&node.op);
  return (conv != nullptr && conv->weights->quantized()) || (linear != nullptr && linear->weights->quantized());
}

/// The node between inputs of its own. One whose input is proven nonnegative gets a ReLU before it, which changes
/// nothing but keeps the proof: it decides how the input is rounded.
Graph alone(const Graph& network, const Node& node, bool nonnegative) {
  Graph graph;
  graph.name = node.name;
  std::vector<ValueId> inputs;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const std::string name = "input" + std::to_string(i);
    ValueId value = graph.add_value(name);
    graph.add_node(name, graph::Input{network.values[node.inputs[i]].shape}, {}, {value});
    if (i == 0 && nonnegative) {
      const ValueId proven = graph.add_value("proven");
      graph.add_node("proven", graph::Unary{.kind = graph::UnaryKind::relu}, {value}, {proven});
      value = proven;
    }
    inputs.push_back(value);
  }
  const ValueId output = graph.add_value("output");
  graph.add_node(node.name, node.op, inputs, {output});
  graph.outputs = {output};
  return graph;
}

struct Sums {
  double signal = 0, noise = 0;
  void add(std::span<const float> reference, std::span<const float> other) {
    for (std::size_t i = 0; i < reference.size(); ++i) {
      const double r = reference[i], d = r - static_cast<double>(other[i]);
      signal += r * r;
      noise += d * d;
    }
  }
  [[nodiscard]] double decibels() const { return 10 * std::log10(signal / noise); }
};

/// An int8 layer under measurement.
struct Measured {
  const Node* node;
  Program program;
  std::vector<std::size_t> inputs;  ///< where the fp32 network's outputs hold them
  std::size_t output = 0;           ///< likewise; of the int8 network, too
  Sums alone{}, network{};
};

double predicted(const Program& program, const std::string& layer) {
  for (const LayerInfo& info : program.layers()) {
    if (info.name == layer) return info.predicted_db;
  }
  return std::nan("");
}

/// Graph outputs that are asked for by value; each value once.
class Taps {
 public:
  explicit Taps(const Graph& graph) : graph_(graph) {}
  std::size_t add(ValueId value) {
    const auto found = std::find(values_.begin(), values_.end(), value);
    if (found != values_.end()) return static_cast<std::size_t>(found - values_.begin());
    values_.push_back(value);
    names_.push_back(graph_.values[value].name);
    return values_.size() - 1;
  }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  const Graph& graph_;
  std::vector<ValueId> values_;
  std::vector<std::string> names_;
};

}  // namespace

std::vector<LayerError> Model::layer_errors(std::span<const Tensor> inputs, const QuantizeOptions& options,
                                            const CompileOptions& compile_options,
                                            const std::function<void(double)>& progress) const {
  if (inputs.empty() || impl_->content.graph.inputs().size() != 1) {
    throw Error(ErrorKind::invalid_argument,
                inputs.empty() ? "there is nothing to measure on" : "layers are measured in networks of one input",
                name());
  }
  const Model int8 = quantized() ? *this : quantize(options);
  const Model fp32 = quantized() ? dequantize() : *this;
  const Graph network = graph::compile_to(int8.impl_->content.graph, graph::Stage::quantized,
                                          {{input_names().front(), inputs.front().shape()}});
  const std::vector<bool> nonnegative = graph::prove_nonnegative(network);
  const auto kernels = std::make_shared<jit::KernelCache>();
  CompileOptions single = compile_options;
  single.outputs.clear();

  Taps taps(network);
  std::vector<Measured> layers;
  for (const Node& node : network.nodes) {
    if (!runs_in_int8(node)) continue;
    Measured layer{&node,
                   runtime::compile_graph(alone(network, node, nonnegative[node.inputs[0]]), single, kernels),
                   {},
                   taps.add(node.outputs[0])};
    for (const ValueId input : node.inputs) layer.inputs.push_back(taps.add(input));
    layers.push_back(std::move(layer));
  }
  if (layers.empty()) return {};
  CompileOptions tapped = compile_options;
  tapped.outputs = taps.names();
  const Program reference = fp32.compile(tapped, {inputs.front().shape()});
  const Program rounded = int8.compile(tapped, {inputs.front().shape()});

  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::vector<Tensor> exact = reference.predict(inputs.subspan(i, 1));
    const std::vector<Tensor> noisy = rounded.predict(inputs.subspan(i, 1));
    for (Measured& layer : layers) {
      std::vector<Tensor> own;
      for (const std::size_t input : layer.inputs) own.push_back(exact[input]);
      layer.alone.add(exact[layer.output].values(), layer.program.predict(own).front().values());
      layer.network.add(exact[layer.output].values(), noisy[layer.output].values());
    }
    if (progress) progress(static_cast<double>(i + 1) / static_cast<double>(inputs.size()));
  }

  std::vector<LayerError> errors;
  for (const Measured& layer : layers) {
    errors.push_back({layer.node->name, std::string(graph::op_name(layer.node->op)), layer.alone.decibels(),
                      layer.network.decibels(), predicted(layer.program, layer.node->name)});
  }
  // What is not a number (a NaN somewhere) is the worst of all.
  const auto key = [](const LayerError& error) { return std::isnan(error.alone_db) ? -HUGE_VAL : error.alone_db; };
  std::stable_sort(errors.begin(), errors.end(),
                   [&](const LayerError& a, const LayerError& b) { return key(a) < key(b); });
  return errors;
}

}  // namespace octavo
