// SPDX-License-Identifier: Apache-2.0
// See graph/import/caffe_importer.h.
#include "graph/import/caffe_importer.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "graph/import/caffe_layers.h"
#include "graph/near_names.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

/// "deploy.prototxt:12, layer 'conv1' (Convolution)"
std::string place_of(const CaffeLayer& layer) {
  return fmt::format("{}, layer '{}' ({})", layer.place, layer.param.name(), layer.param.type());
}

/// Runs `step` and gives the layer as the place of what it throws. A rule of the IR that is broken is a broken file.
template <class Step>
void at_layer(const CaffeLayer& layer, Step step) {
  try {
    step();
  } catch (const Error& error) {
    const ErrorKind kind = error.kind() == ErrorKind::invalid_argument ? ErrorKind::malformed : error.kind();
    throw Error(kind, error.what(), place_of(layer));
  }
}

/// Parameters of training that octavo does not even know by name change nothing.
void refuse_unknown_fields(const CaffeLayer& layer) {
  for (const UnknownCaffeField& field : layer.unknown) {
    if (field.message == "ParamSpec" || field.message == "FillerParameter") continue;
    throw Error(ErrorKind::malformed,
                fmt::format("unknown field '{}' of {}, in layer '{}' ({})", field.name, field.message,
                            layer.param.name(), layer.param.type()),
                field.place);
  }
}

}  // namespace

CaffeImporter::CaffeImporter(CaffeNet net, const CaffeModelFile* model, const CaffeImportOptions& options)
    : net_(std::move(net)), weights_(model, options.require_weights, options.seed), options_(options) {}

CaffeImporter::Role CaffeImporter::role_of(const CaffeLayer& layer) const {
  const std::string& type = layer.param.type();
  if (is_caffe_data(type)) return Role::data;
  if (is_caffe_loss(type)) return Role::loss;
  if (type == "Silence" || type == "HDF5Output") return Role::silence;
  if (find_caffe_converter(type) != nullptr) return Role::compute;
  throw Error(ErrorKind::unsupported,
              fmt::format("layer '{}' is of type {}, which octavo does not know", layer.param.name(),
                          type.empty() ? "''" : type),
              layer.place, near_names_hint(type, caffe_layer_types()));
}

/// A loss whose probabilities nothing else computes leaves the layer that does.
void CaffeImporter::decide_roles() {
  std::set<std::pair<std::string, std::string>> heads;  // what makes probabilities, of which blob
  for (const CaffeLayer& layer : net_.layers) {
    roles_.push_back(role_of(layer));
    if (roles_.back() == Role::compute && layer.param.bottom_size() > 0) {
      heads.emplace(layer.param.type(), layer.param.bottom(0));
    }
  }
  for (std::size_t i = 0; i < net_.layers.size(); ++i) {
    const auto& param = net_.layers[i].param;
    const std::string head(caffe_loss_head(param.type()));
    if (!head.empty() && param.bottom_size() > 0 && heads.emplace(head, param.bottom(0)).second) {
      roles_[i] = Role::loss_head;
    }
    if (roles_[i] != Role::compute && roles_[i] != Role::loss_head) continue;
    for (const std::string& top : param.top()) last_writer_[top] = i;
  }
}

std::string CaffeImporter::value_name(const std::string& top, const std::string& layer, std::size_t index) const {
  const auto last = last_writer_.find(top);
  return last == last_writer_.end() || last->second <= index ? top : fmt::format("{}@{}", top, layer);
}

/// Caffe does not mind two layers of one name; the graph does.
std::string CaffeImporter::unique_layer_name(const std::string& name) {
  const std::string wanted = name.empty() ? "layer" : name;
  std::string unique = wanted;
  while (!layer_names_.emplace(unique, 1).second) unique = fmt::format("{}_{}", wanted, ++layer_names_[wanted]);
  return unique;
}

std::vector<ValueId> CaffeImporter::bottoms_of(const CaffeLayer& layer) {
  std::vector<ValueId> values;
  for (const std::string& bottom : layer.param.bottom()) {
    auto found = blobs_.find(bottom);
    if (const auto given = options_.input_shapes.find(bottom);
        found == blobs_.end() && given != options_.input_shapes.end()) {
      add_input(bottom, given->second, bottom);
      found = blobs_.find(bottom);
    }
    if (found == blobs_.end()) {
      CaffeLayerContext::malformed(fmt::format("its bottom '{}' is not made by any layer before it", bottom));
    }
    if (found->second.labels) {
      CaffeLayerContext::unsupported(fmt::format("its bottom '{}' holds labels, which exist in training only", bottom),
                                     "use the network's deploy prototxt");
    }
    values.push_back(found->second.value);
  }
  consumed_.insert(values.begin(), values.end());
  return values;
}

void CaffeImporter::set_top(const CaffeLayer& layer, const std::string& top, Blob blob) {
  const auto& bottoms = layer.param.bottom();
  if (blobs_.contains(top) && std::find(bottoms.begin(), bottoms.end(), top) == bottoms.end()) {
    CaffeLayerContext::malformed(fmt::format("its top '{}' is made by another layer, too", top));
  }
  blobs_[top] = blob;
}

void CaffeImporter::add_inputs(const CaffeLayer& layer, std::size_t index) {
  const std::vector<Shape> shapes = caffe_data_shapes(layer, options_.input_shapes);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const std::string& top = layer.param.top(static_cast<int>(i));
    if (shapes[i].empty()) {
      set_top(layer, top, {0, true});
      continue;
    }
    if (blobs_.contains(top))
      CaffeLayerContext::malformed(fmt::format("its top '{}' is made by another layer, too", top));
    add_input(top, shapes[i], value_name(top, layer.param.name(), index));
  }
}

/// The node is named as the blob: that is how Caffe's users know an input.
void CaffeImporter::add_input(const std::string& blob, const Shape& shape, const std::string& value_name) {
  const CaffeLayer input;
  CaffeLayerContext context(input, unique_layer_name(blob), {}, {value_name}, graph_, weights_);
  context.add(Input{shape});
  blobs_[blob] = {context.tops()[0], false};
  inputs_.insert(context.tops()[0]);
}

void CaffeImporter::compute(const CaffeLayer& layer, std::size_t index, const std::string& type) {
  const std::string name = unique_layer_name(layer.param.name());
  std::vector<std::string> names;
  for (const std::string& top : layer.param.top()) names.push_back(value_name(top, name, index));
  CaffeLayerContext context(layer, name, bottoms_of(layer), std::move(names), graph_, weights_);
  const std::size_t first = graph_.nodes.size();
  find_caffe_converter(type)(context);
  for (std::size_t i = first; i < graph_.nodes.size(); ++i) {
    if (graph_.nodes[i].name != name) graph_.nodes[i].name = unique_layer_name(graph_.nodes[i].name);
    consumed_.insert(graph_.nodes[i].inputs.begin(), graph_.nodes[i].inputs.end());
  }
  for (std::size_t i = 0; i < context.tops().size(); ++i) {
    set_top(layer, layer.param.top(static_cast<int>(i)), {context.tops()[i], false});
  }
}

void CaffeImporter::convert(const CaffeLayer& layer, std::size_t index, Role role) {
  switch (role) {
    case Role::data:
      add_inputs(layer, index);
      break;
    case Role::compute:
      compute(layer, index, layer.param.type());
      break;
    case Role::loss:
      break;
    case Role::silence:
      for (const std::string& bottom : layer.param.bottom()) {
        if (const auto found = blobs_.find(bottom); found != blobs_.end()) consumed_.insert(found->second.value);
      }
      break;
    case Role::loss_head: {
      CaffeLayer head = layer;
      auto& param = head.param;
      param.mutable_bottom()->DeleteSubrange(1, param.bottom_size() - 1);
      // The second top of SoftmaxWithLoss is the probabilities, the first the loss.
      std::string top = param.top_size() > 1 ? param.top(1) : param.top_size() > 0 ? param.top(0) : param.name();
      param.clear_top();
      param.add_top(std::move(top));
      compute(head, index, std::string(caffe_loss_head(layer.param.type())));
      head_weights_[graph_.nodes.back().outputs[0]] = param.loss_weight_size() > 0 ? param.loss_weight(0) : 1.0F;
      break;
    }
  }
}

/// Values that no layer uses, in order; of the heads that losses left, the one of the greatest loss weight first
/// (auxiliary classifiers have small ones).
void CaffeImporter::choose_outputs() {
  for (const Node& node : graph_.nodes) {
    for (const ValueId value : node.outputs) {
      if (!consumed_.contains(value) && !inputs_.contains(value)) graph_.outputs.push_back(value);
    }
  }
  if (graph_.outputs.empty()) {
    throw Error(ErrorKind::malformed, "at phase TEST no layer computes an output", net_.file);
  }
  const auto weight = [&](ValueId value) {
    const auto found = head_weights_.find(value);
    return found == head_weights_.end() ? 1.0F : found->second;
  };
  std::stable_sort(graph_.outputs.begin(), graph_.outputs.end(),
                   [&](ValueId a, ValueId b) { return weight(a) > weight(b); });
}

Graph CaffeImporter::run() {
  fold_padding_layers(net_.layers);
  keep_test_layers(net_, {options_.level, options_.stages});
  graph_.name = net_.name;
  decide_roles();
  for (std::size_t i = 0; i < net_.layers.size(); ++i) {
    if (roles_[i] == Role::compute) refuse_unknown_fields(net_.layers[i]);
    at_layer(net_.layers[i], [&] { convert(net_.layers[i], i, roles_[i]); });
  }
  choose_outputs();
  graph_.remove_dead();
  try {
    verify(graph_);
    infer_shapes(graph_);
  } catch (const Error& error) {
    const ErrorKind kind = error.kind() == ErrorKind::invalid_argument ? ErrorKind::malformed : error.kind();
    throw Error(kind, error.what(), net_.file);
  }
  return std::move(graph_);
}

}  // namespace octavo::graph
