// SPDX-License-Identifier: Apache-2.0
// See graph/import/torch_importer.h.
#include "graph/import/torch_importer.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "graph/check.h"
#include "graph/import/torch_layers.h"
#include "graph/import/torch_limits.h"
#include "graph/import/torch_tensor.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

constexpr auto kHowToGiveShapes = "give one: --input-shape {}=1x3x224x224, or the input_shapes of load_torch()";

bool is_module(const TorchFile& file, const TorchValue& value) {
  return value.is(TorchKind::object) && file.object(value).class_name.find('.') != std::string_view::npos;
}

/// The module that sees a container's input first, as far as it is one.
TorchValue first_module(const TorchFile& file, TorchValue value) {
  for (int depth = 0; depth < kMaxTorchModuleDepth && value.is(TorchKind::object); ++depth) {
    const TorchModule module(file, value);
    const std::string_view type = module.type();
    const bool chain = type == "Sequential" || type == "DataParallelTable" || type == "Decorator";
    if (!chain || !module.field("modules").is(TorchKind::table)) return value;
    const std::vector<TorchValue> modules = module.modules();
    // What changes no shape is passed over.
    const auto says = std::find_if(modules.begin(), modules.end(), [&](const TorchValue& inner) {
      static constexpr std::array kPassed{"Identity", "Copy",        "Contiguous",  "Dropout",
                                          "NaN",      "MulConstant", "AddConstant", "WhiteNoise"};
      return !inner.is(TorchKind::object) ||
             std::find(kPassed.begin(), kPassed.end(), TorchModule(file, inner).type()) == kPassed.end();
    });
    if (says == modules.end()) return {};
    value = *says;
  }
  return {};
}

}  // namespace

Shape torch_input_of(const TorchFile& file, const TorchValue& value) {
  const TorchValue first = first_module(file, value);
  if (!first.is(TorchKind::object)) return {};
  const TorchModule module(file, first);
  const std::string_view type = module.type();
  const auto tensor_size = [&](std::string_view field, std::size_t dimension) -> Shape {
    const TorchValue tensor = module.field(field);
    if (!tensor.is(TorchKind::tensor) || file.tensor(tensor).sizes.size() <= dimension) return {};
    return {file.tensor(tensor).sizes[dimension]};
  };
  if (type == "Linear") return tensor_size("weight", 1);
  if (type == "BatchNormalization") return tensor_size("running_mean", 0);
  if ((type == "View" || type == "Reshape") && module.has("size")) {
    std::int64_t count = 1;
    for (const std::int64_t size : module.integers("size")) {
      if (size > 0) count = checked_product(count, size);
      if (size <= 0) return {};
    }
    return {count};
  }
  return {};
}

std::size_t torch_input_count(const TorchFile& file, const TorchValue& value) {
  const TorchValue first = first_module(file, value);
  if (!first.is(TorchKind::object)) return 0;
  const TorchModule module(file, first);
  if (module.type() == "ParallelTable") return module.modules().size();
  if (module.type() == "gModule") {
    const std::int64_t count = module.integer("nInputs", 1);
    return count > 1 ? static_cast<std::size_t>(count) : 0;
  }
  return 0;
}

TorchImporter::TorchImporter(const TorchFile& file, const TorchImportOptions& options)
    : file_(file), options_(options) {
  graph_.name = file.path().stem().string();
}

TorchValue TorchImporter::find_network() const {
  const TorchValue& root = file_.root();
  if (is_module(file_, root)) return root;
  if (!root.is(TorchKind::table)) {
    throw Error(ErrorKind::unsupported, fmt::format("it holds {}, not a network", torch_kind_name(root.kind)));
  }
  // A checkpoint: the network among other things.
  std::vector<TorchValue> found;
  std::vector<std::string_view> names;
  for (const auto& [name, value] : file_.table(root).named) {
    if (!is_module(file_, value) || find_torch_converter(TorchModule(file_, value)) == nullptr) continue;
    found.push_back(value);
    names.push_back(name);
  }
  if (found.size() == 1) return found[0];
  if (found.empty()) throw Error(ErrorKind::unsupported, "it holds a table without a network");
  throw Error(ErrorKind::unsupported,
              fmt::format("it holds a table with {} networks: {}", found.size(), fmt::join(names, ", ")), {},
              "save the one that is wanted by itself");
}

ValueId TorchImporter::add_input(const std::string& name, const Shape& shape) {
  if (shape.empty() || std::any_of(shape.begin(), shape.end(), [](std::int64_t dim) { return dim < 1; })) {
    throw Error(ErrorKind::invalid_argument, fmt::format("input '{}' cannot have the shape {}", name, to_text(shape)));
  }
  return network_.writer().add(name, Input{shape}, {})[0];
}

TorchActivity TorchImporter::add_inputs() {
  const auto& given = options_.input_shapes;
  std::size_t count = torch_input_count(file_, root_);
  const auto numbered = [](std::size_t i) { return fmt::format("input_{}", i + 1); };
  if (count == 0 && given.contains(numbered(0))) count = given.size();
  if (count > kMaxTorchModules) throw Error(ErrorKind::malformed, fmt::format("a network of {} inputs", count));
  std::vector<std::string> names{"input"};
  if (count > 0) names.clear();
  for (std::size_t i = 0; i < count; ++i) names.push_back(numbered(i));
  for (const auto& [name, shape] : given) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw Error(ErrorKind::invalid_argument,
                  fmt::format("it has no input '{}', but {}", name, fmt::join(names, ", ")));
    }
  }
  std::vector<TorchActivity> inputs;
  for (const std::string& name : names) {
    const auto found = given.find(name);
    Shape shape = found == given.end() ? Shape{} : found->second;
    if (shape.empty() && count == 0) {
      shape = torch_input_of(file_, root_);
      if (!shape.empty()) shape.insert(shape.begin(), 1);
    }
    if (shape.empty()) {
      throw Error(ErrorKind::invalid_argument,
                  fmt::format("a Torch7 file does not say what its network takes: the shape of '{}' is needed", name),
                  file_.path().string(), fmt::format(kHowToGiveShapes, name));
    }
    inputs.emplace_back(add_input(name, shape));
  }
  if (count == 0) return inputs[0];
  return TorchActivity(std::move(inputs));
}

/// Each an own value that a node makes, as a graph has it.
void TorchImporter::add_outputs(const TorchActivity& result) {
  for (const TorchActivity& part : result.table) add_outputs(part);
  if (result.is_table()) return;
  const ValueId value = *result.tensor;
  const bool taken = std::find(graph_.outputs.begin(), graph_.outputs.end(), value) != graph_.outputs.end();
  if (taken || std::holds_alternative<Input>(graph_.producer(value)->op)) {
    graph_.outputs.push_back(network_.writer().add("output", Identity{}, {value})[0]);
  } else {
    graph_.outputs.push_back(value);
  }
}

Graph TorchImporter::run() {
  try {
    root_ = find_network();
    add_outputs(network_.apply(root_, add_inputs(), "1"));
    if (graph_.outputs.empty()) throw Error(ErrorKind::malformed, "the network has no output");
    graph_.remove_dead();
    verify(graph_);
  } catch (const Error& error) {
    if (!error.where().empty()) throw;
    throw Error(error.kind(), error.what(), file_.path().string());
  }
  return std::move(graph_);
}

}  // namespace octavo::graph
