// SPDX-License-Identifier: Apache-2.0
// See graph/import/tensorflow_importer.h.
#include "graph/import/tensorflow_importer.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "graph/check.h"
#include "graph/import/open_extent.h"
#include "graph/import/tensorflow_limits.h"
#include "graph/import/tensorflow_open.h"
#include "graph/import/tensorflow_operators.h"
#include "graph/near_names.h"
#include "graph/placed_error.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

bool is_placeholder(const TensorflowNodeDef& node) { return node.op == "Placeholder" || node.op == "PlaceholderV2"; }

/// Nodes that are there for what they do, not for a value that a network gives.
bool gives_nothing(const TensorflowNodeDef& node) {
  constexpr std::array kOps{"NoOp",   "Assert",      "Const",      "Placeholder", "SaveV2",        "RestoreV2",
                            "Assign", "VarHandleOp", "VariableV2", "Print",       "ControlTrigger"};
  return std::find(kOps.begin(), kOps.end(), node.op) != kOps.end();
}

/// Operators that TensorFlow's own tool put into a graph to compute in 8 bits.
bool of_quantized_graph(std::string_view op) { return op.starts_with("Quantize") || op.starts_with("Requant"); }

}  // namespace

TensorflowImporter::TensorflowImporter(const TensorflowFile& file, const TensorflowImportOptions& options)
    : file_(file), options_(options) {
  graph_.name = file.path().stem().string();
  if (graph_.name.empty()) graph_.name = file.path().parent_path().filename().string();
  for (std::size_t i = 0; i < file.nodes().size(); ++i) {
    const std::string& name = file.nodes()[i].name;
    if (!positions_.emplace(name, i).second) {
      throw Error(ErrorKind::malformed, fmt::format("two nodes are called '{}'", name), file.path().string());
    }
  }
  values_.resize(file.nodes().size());
}

std::string TensorflowImporter::place_of_node(std::size_t node) const {
  const TensorflowNodeDef& definition = file_.nodes()[node];
  return fmt::format("{}, node '{}' ({})", file_.path().string(), definition.name, definition.op);
}

TensorflowImporter::Tap TensorflowImporter::tap(const std::string& wanted, std::string_view reader) const {
  const std::string first = wanted.ends_with(":0") ? wanted.substr(0, wanted.size() - 2) : wanted;
  const std::string name = file_.maker_of(first);
  std::string node = name;
  Tap result;
  if (const std::size_t colon = name.rfind(':'); colon != std::string::npos) {
    const char* end = name.data() + name.size();
    const auto [stop, problem] = std::from_chars(name.data() + colon + 1, end, result.output);
    if (problem == std::errc{} && stop == end && result.output < kMaxTensorflowOutputs) node.resize(colon);
  }
  const auto found = positions_.find(node);
  if (found != positions_.end()) {
    result.node = found->second;
    return result;
  }
  if (!reader.empty())
    throw Error(ErrorKind::malformed, fmt::format("'{}' reads '{}', which is not there", reader, name),
                file_.path().string());
  std::vector<std::string> names;
  for (const TensorflowNodeDef& known : file_.nodes()) names.push_back(known.name);
  throw Error(ErrorKind::invalid_argument, fmt::format("there is no node '{}'", name), file_.path().string(),
              near_names_hint(node, names));
}

void TensorflowImporter::choose_inputs() {
  for (const std::string& name : options_.inputs) inputs_.insert(tap(name, {}).node);
  if (!options_.inputs.empty()) return;
  for (std::size_t i = 0; i < file_.nodes().size(); ++i) {
    if (is_placeholder(file_.nodes()[i])) inputs_.insert(i);
  }
}

std::vector<std::string> TensorflowImporter::output_names() const {
  if (!options_.outputs.empty()) return options_.outputs;
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file_.signature_outputs()) names.push_back(tensor);
  if (!names.empty()) return names;
  std::vector<bool> read(file_.nodes().size(), false);
  for (std::size_t i = 0; i < file_.nodes().size(); ++i) {
    const TensorflowNodeDef& node = file_.nodes()[i];
    if (node.op == "Assert" || node.op == "Print") continue;  // reads for its own sake
    for (const std::string& input : node.inputs) read[tap(input, node.name).node] = true;
  }
  for (std::size_t i = 0; i < file_.nodes().size(); ++i) {
    if (!read[i] && !gives_nothing(file_.nodes()[i])) names.push_back(file_.nodes()[i].name);
  }
  return names;
}

std::vector<TensorflowImporter::Tap> TensorflowImporter::sources_of(std::size_t node) const {
  std::vector<Tap> sources;
  if (inputs_.contains(node)) return sources;
  const TensorflowNodeDef& definition = file_.nodes()[node];
  for (const std::string& input : definition.inputs) sources.push_back(tap(input, definition.name));
  // A constant of a branch hangs on the branch's Switch by nothing else.
  if (definition.op != "Const") return sources;
  for (const std::string& control : definition.controls) {
    const auto found = positions_.find(control);
    if (found == positions_.end()) continue;
    const std::string& op = file_.nodes()[found->second].op;
    if (op == "Identity" || op == "Switch") sources.push_back({found->second, 0});
  }
  return sources;
}

std::vector<std::size_t> TensorflowImporter::needed_order(const std::vector<Tap>& outputs) {
  enum class Mark : unsigned char { unseen, open, done };
  std::vector<Mark> marks(file_.nodes().size(), Mark::unseen);
  std::vector<std::size_t> order;
  struct Visit {
    std::size_t node = 0, next = 0;
    std::vector<Tap> sources;
  };
  std::vector<Visit> stack;
  for (const Tap& output : outputs) {
    if (marks[output.node] == Mark::unseen) stack.push_back({output.node, 0, sources_of(output.node)});
    while (!stack.empty()) {
      Visit& visit = stack.back();
      marks[visit.node] = Mark::open;
      if (visit.next == visit.sources.size()) {
        marks[visit.node] = Mark::done;
        order.push_back(visit.node);
        stack.pop_back();
        continue;
      }
      const std::size_t source = visit.sources[visit.next++].node;
      if (marks[source] == Mark::open) {
        const bool loop = std::any_of(stack.begin(), stack.end(), [&](const Visit& on_the_way) {
          return file_.nodes()[on_the_way.node].op == "NextIteration";
        });
        throw Error(loop ? ErrorKind::unsupported : ErrorKind::malformed,
                    loop ? "a loop (While)" : "nodes that read each other in a circle", place_of_node(source));
      }
      if (marks[source] == Mark::unseen) stack.push_back({source, 0, sources_of(source)});
    }
  }
  return order;
}

Shape TensorflowImporter::input_shape(const TensorflowNodeDef& node) const {
  if (const auto given = options_.input_shapes.find(node.name); given != options_.input_shapes.end()) {
    return given->second;
  }
  ImportBudget budget(0);
  const TensorflowAttributes attributes(node, nullptr, budget);
  std::optional<TensorflowShape> shape = attributes.shape("shape");
  if (const ConstantPtr value = node.op == "Const" ? attributes.tensor("value") : nullptr) {
    shape = TensorflowShape{true, value->shape};
  }
  bool open = !shape || !shape->known_rank;
  if (!open) {
    if (!shape->dims.empty() && shape->dims[0] == -1) shape->dims[0] = 1;
    open = std::any_of(shape->dims.begin(), shape->dims.end(), [](std::int64_t dim) { return dim <= 0; });
  }
  if (open) {
    throw Error(
        ErrorKind::invalid_argument, "the file leaves its shape open", {},
        fmt::format("give one: --input-shape {}=1x224x224x3, or the input_shapes of load_tensorflow()", node.name));
  }
  return shape->dims;
}

void TensorflowImporter::add_input(std::size_t node) {
  const TensorflowNodeDef& definition = file_.nodes()[node];
  ImportBudget budget(0);
  const TensorflowAttributes attributes(definition, nullptr, budget);
  ImportedValue value;
  value.type = attributes.type("dtype").value_or(attributes.type("T").value_or(ElementType::float32));
  if (value.type == ElementType::string) {
    throw Error(ErrorKind::unsupported, "strings", {},
                "name the nodes behind what reads them, where numbers begin: --tf-inputs, or the inputs of "
                "load_tensorflow()");
  }
  value.shape = input_shape(definition);
  value.id = writer_.add(definition.name, Input{value.shape.empty() ? Shape{1} : value.shape}, {})[0];
  values_[node] = {std::make_shared<TensorflowValue>(tensorflow_value(std::move(value)))};
}

void TensorflowImporter::follow_conditions(const TensorflowNodeDef& definition,
                                           const std::vector<TensorflowValuePtr>& inputs,
                                           const std::vector<TensorflowValuePtr>& controls,
                                           TensorflowValue& traits) const {
  const auto follow = [&](const TensorflowValuePtr& value) {
    traits.dead = traits.dead || value->dead;
    traits.random = traits.random || value->random;
    traits.conditions.insert(value->conditions.begin(), value->conditions.end());
  };
  if (definition.op == "Merge") return;
  for (const TensorflowValuePtr& value : inputs) follow(value);
  for (const TensorflowValuePtr& value : controls) follow(value);
}

void TensorflowImporter::convert(std::size_t node) {
  const TensorflowNodeDef& definition = file_.nodes()[node];
  if (inputs_.contains(node)) {
    add_input(node);
    return;
  }
  std::vector<TensorflowValuePtr> inputs, controls;
  const std::vector<Tap> sources = sources_of(node);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto& values = values_[sources[i].node];
    if (sources[i].output >= values.size()) {
      throw Error(ErrorKind::unsupported,
                  fmt::format("output {} of '{}'", sources[i].output, file_.nodes()[sources[i].node].name));
    }
    (i < definition.inputs.size() ? inputs : controls).push_back(values[sources[i].output]);
  }
  TensorflowValue traits;
  follow_conditions(definition, inputs, controls, traits);
  if (traits.dead) {
    values_[node].assign(2, std::make_shared<TensorflowValue>(traits));
    return;
  }
  const TensorflowConverter converter = find_tensorflow_converter(definition.op);
  if (converter == nullptr) {
    throw Error(ErrorKind::unsupported, fmt::format("octavo does not know the operator {}", definition.op), {},
                of_quantized_graph(definition.op) ? "convert the float graph, and let --quantize round it" : "");
  }
  TensorflowNode context(definition, file_, std::move(inputs), writer_, budget_);
  if (reads_open_values(context)) {
    convert_tensorflow_open(context, converter);
  } else {
    converter(context);
  }
  values_[node] = context.finish_values();
  for (const TensorflowValuePtr& value : values_[node]) {
    value->dead = value->dead || traits.dead;
    if (!context.settles_random()) value->random = value->random || traits.random;
    value->conditions.insert(traits.conditions.begin(), traits.conditions.end());
  }
}

void TensorflowImporter::add_output(const std::string& name, const Tap& tap) {
  const auto& values = values_[tap.node];
  if (tap.output >= values.size()) throw Error(ErrorKind::unsupported, fmt::format("output {}", tap.output));
  const TensorflowValuePtr& value = values[tap.output];
  if (value->dead) throw Error(ErrorKind::unsupported, "an output on a branch that is not taken");
  TensorflowNodeDef keeper;
  keeper.op = "Identity";
  keeper.name = name;
  TensorflowNode node(keeper, file_, {value}, writer_, budget_);
  const bool image = options_.channels_first && value->is_image();
  ImportedValue held = image ? node.image() : node.in();
  if (held.open) held = held.open->rest_is_marked ? closed(held) : with_rest(node, held, -1.0F);
  const bool taken =
      held.id && std::find(graph_.outputs.begin(), graph_.outputs.end(), *held.id) != graph_.outputs.end();
  if (held.is_constant() || taken || graph_.values[*held.id].name != name) {
    node.result(node.add(Identity{}, {held}));
    graph_.outputs.push_back(*node.finish_values()[0]->plain->id);
  } else {
    graph_.outputs.push_back(*held.id);
  }
}

Graph TensorflowImporter::run() {
  choose_inputs();
  std::vector<Tap> outputs;
  const std::vector<std::string> names = output_names();
  for (const std::string& name : names) outputs.push_back(tap(name, {}));
  if (outputs.empty()) throw Error(ErrorKind::malformed, "the network has no output", file_.path().string());
  const std::vector<std::size_t> order = needed_order(outputs);
  const auto at_node = [&](std::size_t node, const auto& step) {
    try {
      step();
    } catch (const Error& error) {
      const bool broken = error.kind() == ErrorKind::invalid_argument && !inputs_.contains(node);
      throw placed(error, broken ? ErrorKind::malformed : error.kind(), place_of_node(node));
    }
  };
  // Inputs first, in the order that was asked for, or the file's.
  std::set<std::size_t> needed(order.begin(), order.end());
  std::vector<std::size_t> given;
  for (const std::string& name : options_.inputs) given.push_back(tap(name, {}).node);
  if (options_.inputs.empty()) given.assign(inputs_.begin(), inputs_.end());
  for (const std::size_t node : given) {
    if (needed.erase(node) != 0) at_node(node, [&] { convert(node); });
  }
  for (const std::size_t node : order) {
    if (needed.contains(node)) at_node(node, [&] { convert(node); });
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string name = names[i].ends_with(":0") ? names[i].substr(0, names[i].size() - 2) : names[i];
    at_node(outputs[i].node, [&] { add_output(name, outputs[i]); });
  }
  try {
    graph_.remove_dead();
    if (options_.channels_first) take_inputs_channels_first(graph_);
    verify(graph_);
  } catch (const Error& error) {
    throw placed(error, ErrorKind::malformed, file_.path().string());
  }
  return std::move(graph_);
}

}  // namespace octavo::graph
