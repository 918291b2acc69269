// SPDX-License-Identifier: Apache-2.0
// Model: a graph and what belongs to it, immutable; every change makes a new model that shares the numbers.
#include "octavo/model.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include "graph/compiler.h"
#include "octavo/error.h"
#include "runtime/blobs_of.h"
#include "runtime/model_impl.h"
#include "runtime/program_builder.h"
#include "runtime/program_impl.h"
#include "runtime/tuner.h"

namespace octavo {
namespace {

using runtime::ModelContent;

/// One for the process: equal kernels of all models are emitted once.
std::shared_ptr<jit::KernelCache> shared_kernels() {
  static const auto kernels = std::make_shared<jit::KernelCache>();
  return kernels;
}

Model make_model(ModelContent content) { return Model(std::make_shared<const Model::Impl>(std::move(content))); }

graph::QuantizationWindow to_internal(const Window& window) { return {window.channels, window.tile_h, window.tile_w}; }

bool has_quantized_blob(const graph::Node& node) {
  bool found = false;
  runtime::for_each_blob(node.op,
                         [&](std::string_view, const graph::BlobPtr& blob) { found = found || blob->quantized(); });
  return found;
}

std::vector<std::string> names_of(const graph::Graph& graph, const std::vector<graph::ValueId>& values) {
  std::vector<std::string> names;
  for (const graph::ValueId value : values) names.push_back(graph.values[value].name);
  return names;
}

/// The input's shape with the batch of the file where 0 is given.
Shape complete(Shape wanted, const Shape& stored) {
  if (!wanted.empty() && wanted[0] == 0 && !stored.empty()) wanted[0] = stored[0];
  return wanted;
}

}  // namespace

Model Model::quantize(const QuantizeOptions& options) const {
  graph::QuantizationRules rules;
  if (options.window) rules.convolution_window = rules.linear_window = to_internal(*options.window);
  rules.keep_float = options.keep_float;
  for (const auto& [layer, window] : options.layer_windows) rules.layer_windows[layer] = to_internal(window);
  if (options.correct_bias) rules.input_means = graph::channel_means(impl_->content.graph);
  std::vector<graph::QuantizationDecision> decisions;
  ModelContent content = impl_->content;
  content.graph = graph::quantize_weights(graph::compile_to(content.graph, graph::Stage::quantized), rules, &decisions);
  content.quantization.clear();
  for (auto& d : decisions) {
    content.quantization.push_back(
        {std::move(d.layer), std::move(d.op), d.quantized, std::move(d.reason), d.weights, d.bias_corrected});
  }
  return make_model(std::move(content));
}

bool Model::quantized() const { return std::ranges::any_of(impl_->content.graph.nodes, has_quantized_blob); }

Model Model::dequantize() const {
  ModelContent content = impl_->content;
  std::map<graph::BlobPtr, graph::BlobPtr> done;  // shared weights stay shared
  for (graph::Node& node : content.graph.nodes) {
    if (!has_quantized_blob(node)) continue;
    runtime::for_each_blob(node.op, [&](std::string_view, graph::BlobPtr& blob) {
      if (!blob->quantized()) return;
      graph::BlobPtr& real = done[blob];
      if (!real) real = graph::make_blob(blob->shape, graph::to_float(*blob));
      blob = real;
    });
    if (auto* conv = std::get_if<graph::Convolution>(&node.op)) conv->window = {};
    if (auto* linear = std::get_if<graph::Linear>(&node.op)) linear->window = {};
  }
  content.quantization.clear();
  return make_model(std::move(content));
}

std::vector<LayerQuantization> Model::quantization() const {
  if (!impl_->content.quantization.empty()) return impl_->content.quantization;
  std::vector<LayerQuantization> layers;
  for (const graph::Node& node : impl_->content.graph.nodes) {
    std::int64_t weights = 0;
    runtime::for_each_blob(node.op, [&](std::string_view name, const graph::BlobPtr& blob) {
      if (name != "bias") weights += graph::element_count(blob->shape);
    });
    if (weights == 0) continue;
    layers.push_back({node.name, std::string(graph::op_name(node.op)), false, "fp32: not quantized yet", weights});
  }
  return layers;
}

Program Model::compile(const CompileOptions& options, const std::vector<Shape>& inputs) const {
  std::map<std::string, Shape> shapes;
  const auto nodes = impl_->content.graph.inputs();
  if (!inputs.empty() && inputs.size() != nodes.size()) {
    throw Error(
        ErrorKind::invalid_argument,
        std::to_string(inputs.size()) + " input shapes for a network of " + std::to_string(nodes.size()) + " inputs",
        name());
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    shapes[nodes[i]->name] = complete(inputs[i], std::get<graph::Input>(nodes[i]->op).shape);
  }
  return runtime::compile_graph(impl_->content.graph, options, shared_kernels(), shapes);
}

std::vector<TunedLayer> Model::tune(const TuneOptions& options, const std::vector<Shape>& inputs) const {
  CompileOptions untuned;
  untuned.threads = options.threads;
  untuned.isa = options.isa;
  untuned.accuracy = options.accuracy;
  untuned.tuning = "none";
  const Program program = compile(untuned, inputs);
  std::vector<runtime::LayerToTune> layers;
  for (const auto& step : program.impl().steps)
    if (const jit::ConvSpec* spec = step->spec()) layers.push_back({*spec, step->info.name});
  if (layers.empty())
    throw Error(ErrorKind::invalid_argument, "no layer is quantized: there is nothing to tune", name(),
                "quantize() the model first");
  return runtime::tune_layers(layers, options, *shared_kernels());
}

Tensor Model::predict(const Tensor& input, const CompileOptions& options) const {
  const std::size_t inputs = impl_->content.graph.inputs().size();
  if (inputs != 1) {
    throw Error(ErrorKind::invalid_argument,
                "the network has " + std::to_string(inputs) + " inputs, one tensor is given", name(),
                "compile() it and pass all of them to Program::predict()");
  }
  CompileOptions resolved = options;
  if (!resolved.isa) resolved.isa = default_isa();
  const runtime::ProgramKey key{.inputs = {input.shape()},
                                .threads = resolved.threads,
                                .isa = *resolved.isa,
                                .accuracy = resolved.accuracy,
                                .outputs = resolved.outputs,
                                .tuning = resolved.tuning};
  return impl_->programs->get(key, [&] { return compile(resolved, {input.shape()}); }).predict(input);
}

const std::string& Model::name() const { return impl_->content.graph.name; }

std::vector<std::string> Model::input_names() const {
  std::vector<std::string> names;
  for (const graph::Node* node : impl_->content.graph.inputs()) names.push_back(node->name);
  return names;
}

std::vector<Shape> Model::input_shapes() const {
  std::vector<Shape> shapes;
  for (const graph::Node* node : impl_->content.graph.inputs()) {
    shapes.push_back(std::get<graph::Input>(node->op).shape);
  }
  return shapes;
}

std::vector<std::string> Model::output_names() const {
  return names_of(impl_->content.graph, impl_->content.graph.outputs);
}

std::vector<std::string> Model::logit_names() const {
  const graph::Graph& graph = impl_->content.graph;
  std::vector<graph::ValueId> logits;
  for (const graph::ValueId output : graph.outputs) {
    const graph::Node* node = graph.producer(output);
    while (node != nullptr && std::holds_alternative<graph::Identity>(node->op)) node = graph.producer(node->inputs[0]);
    const bool softmax = node != nullptr && std::holds_alternative<graph::Softmax>(node->op);
    logits.push_back(softmax ? node->inputs[0] : output);
  }
  return names_of(graph, logits);
}

std::vector<std::string> Model::layer_names() const {
  std::vector<std::string> names;
  for (const graph::Node& node : impl_->content.graph.nodes) {
    if (!std::holds_alternative<graph::Input>(node.op)) names.push_back(node.name);
  }
  return names;
}

std::optional<std::int64_t> Model::detection_classes() const {
  for (const graph::ValueId output : impl_->content.graph.outputs) {
    const graph::Node* const node = impl_->content.graph.producer(output);
    const auto* const op = node == nullptr ? nullptr : std::get_if<graph::DetectionOutput>(&node->op);
    if (op != nullptr) return op->classes;
  }
  return std::nullopt;
}

std::int64_t Model::parameter_count() const {
  std::set<graph::BlobPtr> seen;
  std::int64_t count = 0;
  for (const graph::Node& node : impl_->content.graph.nodes) {
    runtime::for_each_blob(node.op, [&](std::string_view, const graph::BlobPtr& blob) {
      if (seen.insert(blob).second) count += graph::element_count(blob->shape);
    });
  }
  return count;
}

std::string Model::print(std::string_view stage) const {
  const graph::Graph& graph = impl_->content.graph;
  const graph::Stage wanted = std::max(graph::parse_stage(stage), graph::stage_of(graph));
  return graph::print(graph::compile_to(graph, wanted));
}

const std::optional<ImageInput>& Model::image_input() const { return impl_->content.image_input; }

const std::vector<std::string>& Model::labels() const { return impl_->content.labels; }

Model Model::with_image_input(ImageInput input) const {
  ModelContent content = impl_->content;
  content.image_input = std::move(input);
  return Model(std::make_shared<const Impl>(std::move(content), impl_->programs));
}

Model Model::with_labels(std::vector<std::string> labels) const {
  ModelContent content = impl_->content;
  content.labels = std::move(labels);
  return Model(std::make_shared<const Impl>(std::move(content), impl_->programs));
}

}  // namespace octavo
