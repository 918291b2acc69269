// SPDX-License-Identifier: Apache-2.0
// See graph/import/onnx_importer.h.
#include "graph/import/onnx_importer.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "graph/check.h"
#include "graph/import/onnx_limits.h"
#include "graph/import/onnx_open.h"
#include "graph/import/onnx_operators.h"
#include "graph/import/open_extent.h"
#include "graph/near_names.h"
#include "graph/placed_error.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

/// "node 'conv1' (Conv)"
std::string place_of(const OnnxNodeProto& node) {
  const std::string& name = !node.name.empty() || node.outputs.empty() ? node.name : node.outputs[0];
  return fmt::format("node '{}' ({})", name, node.op_type);
}

/// Runs `step` and gives the node as the place of what it throws. A rule of the IR that is broken is a broken file.
template <class Step>
void at_node(const OnnxModelFile& file, const OnnxNodeProto& node, Step step) {
  try {
    step();
  } catch (const Error& error) {
    const ErrorKind kind = error.kind() == ErrorKind::invalid_argument ? ErrorKind::malformed : error.kind();
    throw placed(error, kind, fmt::format("{}, {}", file.path().string(), place_of(node)));
  }
}

bool is_standard(const std::string& domain) {
  return domain.empty() || domain == "ai.onnx" || domain == "com.microsoft";
}

}  // namespace

OnnxImporter::OnnxImporter(const OnnxModelFile& file, const OnnxImportOptions& options)
    : file_(file), options_(options), source_(file.source()) {
  const std::string& name = file.graph().name;
  graph_.name = name.empty() ? file.path().stem().string() : name;
  scopes_.push_back({file.graph()});
}

Shape OnnxImporter::input_shape(const OnnxValueInfo& input) const {
  const std::string where = fmt::format("{}, input '{}'", file_.path().string(), input.name);
  if (!input.is_tensor) throw Error(ErrorKind::unsupported, "a sequence, a map or an optional value", where);
  if (const auto given = options_.input_shapes.find(input.name); given != options_.input_shapes.end()) {
    return given->second;
  }
  Shape shape = input.shape;
  if (!shape.empty() && shape[0] == -1) shape[0] = 1;
  const bool open = std::find(shape.begin(), shape.end(), -1) != shape.end();
  if (!input.has_shape || open) {
    throw Error(ErrorKind::invalid_argument, "the file leaves its shape open", where,
                "give one: --input-shape NAME=1x3x224x224, or the input_shapes of load_onnx()");
  }
  return shape;
}

void OnnxImporter::add_inputs() {
  auto& [proto, values] = scopes_.front();
  for (const auto& [name, tensor] : options_.fixed_inputs) values[name] = OnnxNode::constant_value(tensor);
  for (const OnnxValueInfo& input : proto.inputs) {
    if (proto.initializers.contains(input.name) || values.contains(input.name)) continue;
    const Shape shape = input_shape(input);
    try {
      ImportedValue value;
      value.type = input.type;
      value.shape = shape;
      value.id = writer_.add(input.name, Input{shape.empty() ? Shape{1} : shape}, {})[0];
      values[input.name] = std::move(value);
    } catch (const Error& error) {
      throw Error(error.kind(), error.what(), fmt::format("{}, input '{}'", file_.path().string(), input.name));
    }
  }
}

const ImportedValue* OnnxImporter::look_up(const std::string& name) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const auto found = scope->values.find(name); found != scope->values.end()) return &found->second;
    const auto stored = scope->graph.initializers.find(name);
    if (stored == scope->graph.initializers.end()) continue;
    ConstantPtr tensor = decode_onnx_tensor(stored->second, source_);
    if (tensor->type != ElementType::float32 || scopes_.size() > 1) budget_.take(tensor->count());
    return &(scope->values[name] = OnnxNode::constant_value(std::move(tensor)));
  }
  return nullptr;
}

const ImportedValue& OnnxImporter::find(const std::string& name) {
  const ImportedValue* const value = look_up(name);
  if (value == nullptr) {
    throw Error(ErrorKind::malformed, fmt::format("'{}' is not made by any node before it", name));
  }
  return *value;
}

OnnxNode OnnxImporter::context(const OnnxNodeProto& proto) {
  std::vector<std::optional<ImportedValue>> inputs;
  for (const std::string& name : proto.inputs) {
    inputs.push_back(name.empty() ? std::nullopt : std::optional<ImportedValue>(find(name)));
  }
  return {proto, source_, file_.opset(), std::move(inputs), writer_, budget_};
}

void OnnxImporter::convert(const OnnxNodeProto& proto) {
  if (++converted_ > kMaxOnnxNodes) {
    throw Error(ErrorKind::unsupported, "more than 65,536 nodes, those of loops counted each time");
  }
  std::vector<ImportedValue> results;
  if (auto outputs = convert_control(proto)) {
    results = std::move(*outputs);
  } else {
    OnnxNode node = context(proto);
    if (reads_open_values(node) && is_standard(proto.domain)) {
      convert_onnx_open(node);
      results = node.finish();
    } else if (auto folded = fold_onnx(node, budget_)) {
      for (ConstantPtr& tensor : *folded) results.push_back(OnnxNode::constant_value(std::move(tensor)));
    } else {
      const OnnxConverter converter = is_standard(proto.domain) ? find_onnx_converter(proto.op_type) : nullptr;
      if (converter == nullptr) {
        throw Error(ErrorKind::unsupported,
                    proto.domain.empty()
                        ? fmt::format("octavo does not know the operator {}", proto.op_type)
                        : fmt::format("octavo does not know the operator {}.{}", proto.domain, proto.op_type));
      }
      converter(node);
      results = node.finish();
    }
  }
  auto& values = scopes_.back().values;
  for (std::size_t i = 0; i < proto.outputs.size(); ++i) {
    if (proto.outputs[i].empty()) continue;
    if (values.contains(proto.outputs[i])) {
      throw Error(ErrorKind::malformed, fmt::format("'{}' is made twice", proto.outputs[i]));
    }
    // An output that the converter does not make is an error only where something reads it: see find().
    if (i < results.size()) values[proto.outputs[i]] = std::move(results[i]);
  }
}

void OnnxImporter::convert_nodes(const OnnxGraphProto& graph) {
  for (const OnnxNodeProto& node : graph.nodes) {
    at_node(file_, node, [&] { convert(node); });
  }
}

std::vector<bool> OnnxImporter::needed_nodes() const {
  const std::vector<OnnxNodeProto>& nodes = file_.graph().nodes;
  std::vector<bool> needed(nodes.size(), options_.outputs.empty());
  std::set<std::string> names(options_.outputs.begin(), options_.outputs.end());
  for (std::size_t i = nodes.size(); !options_.outputs.empty() && i-- > 0;) {
    const auto is_read = [&](const std::string& output) { return !output.empty() && names.contains(output); };
    needed[i] = std::any_of(nodes[i].outputs.begin(), nodes[i].outputs.end(), is_read);
    if (!needed[i]) continue;
    names.insert(nodes[i].inputs.begin(), nodes[i].inputs.end());
    const std::string& type = nodes[i].op_type;
    if (type == "If" || type == "Loop" || type == "Scan") {  // its bodies may read whatever stands before it
      std::fill(needed.begin(), needed.begin() + static_cast<std::ptrdiff_t>(i), true);
      break;
    }
  }
  return needed;
}

void OnnxImporter::choose_outputs() {
  std::vector<OnnxValueInfo> outputs = file_.graph().outputs;
  if (!options_.outputs.empty()) outputs.clear();
  for (const std::string& name : options_.outputs) {
    if (look_up(name) == nullptr) {
      std::vector<std::string> names;
      for (const OnnxNodeProto& node : file_.graph().nodes) {
        names.insert(names.end(), node.outputs.begin(), node.outputs.end());
      }
      throw Error(ErrorKind::invalid_argument, fmt::format("there is no value '{}'", name), file_.path().string(),
                  near_names_hint(name, names));
    }
    outputs.emplace_back().name = name;
  }
  for (const OnnxValueInfo& output : outputs) {
    try {
      const ImportedValue value = find(output.name);
      OnnxNodeProto keeper;
      keeper.op_type = "Identity";
      keeper.name = keeper.outputs.emplace_back(output.name);
      OnnxNode node(keeper, source_, file_.opset(), {value}, writer_, budget_);
      if (value.open && !value.open->rest_is_marked) {
        node.result(with_rest(node, value, -1.0F));
        graph_.outputs.push_back(*node.finish()[0].id);
      } else if (value.is_constant() || graph_.values[*value.id].name != output.name) {
        node.result(node.add(Identity{}, {value}));
        graph_.outputs.push_back(*node.finish()[0].id);
      } else {
        graph_.outputs.push_back(*value.id);
      }
    } catch (const Error& error) {
      throw Error(error.kind(), error.what(), fmt::format("{}, output '{}'", file_.path().string(), output.name));
    }
  }
}

Graph OnnxImporter::run() {
  add_inputs();
  const std::vector<bool> needed = needed_nodes();
  for (std::size_t i = 0; i < needed.size(); ++i) {
    const OnnxNodeProto& node = file_.graph().nodes[i];
    if (needed[i]) at_node(file_, node, [&] { convert(node); });
  }
  choose_outputs();
  try {
    if (graph_.outputs.empty()) throw Error(ErrorKind::malformed, "the network has no output");
    graph_.remove_dead();
    verify(graph_);
  } catch (const Error& error) {
    throw Error(ErrorKind::malformed, error.what(), file_.path().string());
  }
  return std::move(graph_);
}

}  // namespace octavo::graph
