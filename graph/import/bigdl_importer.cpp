// SPDX-License-Identifier: Apache-2.0
// Inputs, outputs and layers; the containers are in bigdl_containers.cpp. See graph/import/bigdl_importer.h.
#include "graph/import/bigdl_importer.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "graph/check.h"
#include "graph/import/bigdl_inputs.h"
#include "graph/import/bigdl_layers.h"
#include "graph/import/bigdl_limits.h"
#include "graph/near_names.h"
#include "graph/placed_error.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

bool has_weights(const Op& op) {
  return std::holds_alternative<Convolution>(op) || std::holds_alternative<Linear>(op) ||
         std::holds_alternative<Deconvolution>(op);
}

constexpr auto kRecurrentHint = "octavo runs feed-forward networks: recurrent layers are not supported";

}  // namespace

BigdlImporter::BigdlImporter(const std::filesystem::path& file, const BigdlImportOptions& options)
    : file_(file), options_(options), mapped_(MappedFile::open(file)), tensors_(mapped_, mapped_->bytes().size()) {
  try {
    if (mapped_->bytes().empty()) throw Error(ErrorKind::malformed, "the file is empty");
    root_ = read_bigdl_module(mapped_->bytes());
    if (root_.class_name.empty()) throw Error(ErrorKind::malformed, "not a BigDL model: it names no class");
    tensors_.collect(root_);
  } catch (const Error& error) {
    throw placed(error, file.string());
  }
  if (!options.weight_file.empty()) tensors_.read_weight_file(options.weight_file);
  graph_.name = file.stem().string();
}

Shape BigdlImporter::input_shape(const std::string& name, std::optional<Shape> stated) const {
  if (const auto given = options_.input_shapes.find(name); given != options_.input_shapes.end()) return given->second;
  if (stated && stated->front() == -1) stated->front() = 1;
  if (!stated || std::ranges::find(*stated, -1) != stated->end()) {
    throw Error(ErrorKind::invalid_argument, "the file does not say its shape",
                fmt::format("{}, input '{}'", file_.string(), name),
                fmt::format("give one: --input-shape {}=1x3x224x224, or the input_shapes of load_bigdl()", name));
  }
  return std::move(*stated);
}

BigdlActivity BigdlImporter::add_inputs() {
  const std::vector<BigdlInput> inputs = bigdl_inputs(root_);
  std::vector<std::string> names;
  for (const BigdlInput& input : inputs) names.push_back(input.name);
  for (const auto& [name, shape] : options_.input_shapes) {
    if (std::ranges::find(names, name) != names.end()) continue;
    throw Error(ErrorKind::invalid_argument, fmt::format("the network has no input '{}'", name), file_.string(),
                near_names_hint(name, names));
  }
  std::vector<BigdlActivity> values;
  for (const BigdlInput& input : inputs) {
    const Shape shape = input_shape(input.name, input.shape);
    try {
      values.push_back({writer_.add(input.name, Input{shape}, {})[0], nullptr});
    } catch (const Error& error) {
      throw placed(error, fmt::format("{}, input '{}'", file_.string(), input.name));
    }
  }
  return values.size() == 1 ? values[0] : bigdl_table(std::move(values));
}

void BigdlImporter::choose_outputs(const BigdlActivity& result) {
  std::size_t copies = 0;
  for (ValueId value : flat_values(result)) {
    const bool input = value < graph_.inputs().size();  // inputs are the first values
    if (input || std::ranges::find(graph_.outputs, value) != graph_.outputs.end()) {
      value = writer_.add(fmt::format("output_{}", ++copies), Identity{}, {value})[0];
    }
    graph_.outputs.push_back(value);
  }
}

BigdlActivity BigdlImporter::apply(const BigdlModule& module, const BigdlActivity& input) {
  if (++applied_ > kMaxBigdlNodes)
    throw Error(ErrorKind::malformed, fmt::format("more than {} layers", kMaxBigdlNodes));
  const Apply apply_to = container(module);
  if (apply_to == nullptr) return apply_layer(module, input);
  if (++depth_ > kMaxBigdlDepth) {
    throw Error(ErrorKind::malformed, fmt::format("modules nested more than {} deep", kMaxBigdlDepth));
  }
  BigdlActivity result = (this->*apply_to)(module, input);
  --depth_;
  return result;
}

BigdlActivity BigdlImporter::apply_layer(const BigdlModule& module, const BigdlActivity& input) {
  try {
    const BigdlConverter converter = find_bigdl_converter(module.family, module.type);
    if (converter == nullptr) {
      const bool recurrent = module.type.find("Recurrent") != std::string::npos || module.type == "LSTM" ||
                             module.type == "GRU" || module.type == "RNN";
      throw Error(ErrorKind::unsupported, fmt::format("octavo does not know the layer {}", module.class_name), {},
                  recurrent ? kRecurrentHint : "");
    }
    BigdlLayer layer(module, input, tensors_, writer_);
    converter(layer);
    return layer.finish();
  } catch (const Error& error) {
    // A rule of the IR that is broken is a broken file.
    const ErrorKind kind = error.kind() == ErrorKind::invalid_argument ? ErrorKind::malformed : error.kind();
    throw placed(error, kind, fmt::format("{}, module '{}' ({})", file_.string(), module.name, module.type));
  }
}

/// A Keras-style layer's name goes to the one node with weights that it is made of, and to its result.
void BigdlImporter::name_after(const BigdlModule& wrapper, std::size_t first_node, const BigdlActivity& result) {
  if (!result.value || first_node == graph_.nodes.size()) return;
  std::size_t named = graph_.nodes.size() - 1, weighted = 0;
  bool made = false;
  for (std::size_t n = first_node; n < graph_.nodes.size(); ++n) {
    if (has_weights(graph_.nodes[n].op) && ++weighted == 1) named = n;
    made = made || std::ranges::find(graph_.nodes[n].outputs, *result.value) != graph_.nodes[n].outputs.end();
  }
  if (weighted > 1) named = graph_.nodes.size() - 1;
  writer_.rename_node(named, wrapper.name);
  if (made) writer_.rename_value(*result.value, wrapper.name);
}

Graph BigdlImporter::run() {
  try {
    const BigdlActivity input = add_inputs();
    choose_outputs(apply(root_, input));
    if (graph_.outputs.empty()) throw Error(ErrorKind::malformed, "the network has no output");
    graph_.remove_dead();
    verify(graph_);
  } catch (const Error& error) {
    if (!error.where().empty()) throw;
    const ErrorKind kind = error.kind() == ErrorKind::invalid_argument ? ErrorKind::malformed : error.kind();
    throw placed(error, kind, file_.string());
  }
  return std::move(graph_);
}

}  // namespace octavo::graph
