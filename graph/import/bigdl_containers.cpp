// SPDX-License-Identifier: Apache-2.0
// Containers: what they apply their parts to. See graph/import/bigdl_importer.h.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "graph/check.h"
#include "graph/import/bigdl_attributes.h"
#include "graph/import/bigdl_importer.h"
#include "graph/import/bigdl_limits.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

[[noreturn]] void bad_container(const BigdlModule& module, const std::string& what) {
  throw Error(ErrorKind::malformed, fmt::format("module '{}' ({}): {}", module.name, module.type, what));
}

const BigdlModule& only_part(const BigdlModule& module) {
  if (module.parts.size() != 1) bad_container(module, fmt::format("{} modules instead of one", module.parts.size()));
  return module.parts[0];
}

/// A graph's parts in an order in which each stands behind those that it takes its inputs from, as far as the outputs
/// need them.
class GraphOrder {
 public:
  GraphOrder(const BigdlModule& graph, const std::vector<std::string>& outputs) : graph_(graph) {
    for (std::size_t i = 0; i < graph.parts.size(); ++i) {
      if (!places_.emplace(graph.parts[i].name, i).second) {
        bad_container(graph, fmt::format("two modules are called '{}'", graph.parts[i].name));
      }
    }
    states_.assign(graph.parts.size(), State::fresh);
    for (const std::string& output : outputs) visit(place(output));
  }

  [[nodiscard]] const std::vector<std::size_t>& parts() const { return order_; }
  [[nodiscard]] std::size_t place(const std::string& name) const {
    const auto found = places_.find(name);
    if (found == places_.end()) bad_container(graph_, fmt::format("it has no module '{}'", name));
    return found->second;
  }
  /// The parts whose results this one takes; names of others are of the graph around and mean nothing here.
  [[nodiscard]] std::vector<std::size_t> sources(std::size_t part) const {
    std::vector<std::size_t> sources;
    for (const std::string& name : graph_.parts[part].sources) {
      if (const auto found = places_.find(name); found != places_.end()) sources.push_back(found->second);
    }
    return sources;
  }

 private:
  enum class State { fresh, open, done };

  /// Depth first, with a stack of its own: a chain may be as long as the file.
  void visit(std::size_t root) {
    std::vector<std::size_t> stack{root};
    while (!stack.empty()) {
      const std::size_t part = stack.back();
      if (states_[part] == State::done) {
        stack.pop_back();
        continue;
      }
      const bool returned = states_[part] == State::open;
      states_[part] = State::open;
      bool ready = true;
      const std::vector<std::size_t> needed = sources(part);
      for (auto each = needed.rbegin(); each != needed.rend(); ++each) {  // the first one comes out first
        const std::size_t source = *each;
        if (states_[source] == State::done) continue;
        if (returned || states_[source] == State::open) bad_container(graph_, "its modules form a loop");
        stack.push_back(source);
        ready = false;
      }
      if (!ready) continue;
      states_[part] = State::done;
      order_.push_back(part);
      stack.pop_back();
    }
  }

  const BigdlModule& graph_;
  std::map<std::string, std::size_t> places_;
  std::vector<State> states_;
  std::vector<std::size_t> order_;
};

}  // namespace

BigdlImporter::Apply BigdlImporter::container(const BigdlModule& module) {
  struct Entry {
    std::string_view type;
    Apply apply;
  };
  static constexpr std::array<Entry, 7> kContainers{{
      {"Sequential", &BigdlImporter::apply_sequence},
      {"Concat", &BigdlImporter::apply_concat},
      {"ConcatTable", &BigdlImporter::apply_concat_table},
      {"ParallelTable", &BigdlImporter::apply_parallel_table},
      {"MapTable", &BigdlImporter::apply_map_table},
      {"Bottle", &BigdlImporter::apply_bottle},
      {"TimeDistributed", &BigdlImporter::apply_bottle},
  }};
  if (module.attributes.contains("inputNames") && module.attributes.contains("outputNames")) {
    return &BigdlImporter::apply_graph;
  }
  const bool wrapped = module.family == BigdlFamily::keras || module.class_name.find(".models.") != std::string::npos;
  if (wrapped) return &BigdlImporter::apply_wrapper;
  if (module.family != BigdlFamily::nn) return nullptr;
  const auto found = std::ranges::find(kContainers, module.type, &Entry::type);
  return found == kContainers.end() ? nullptr : found->apply;
}

/// A Keras-style layer or model is what its one part does.
BigdlActivity BigdlImporter::apply_wrapper(const BigdlModule& module, const BigdlActivity& input) {
  if (module.parts.empty() && (module.type == "Input" || module.type == "InputLayer")) return input;
  const std::size_t first = graph_.nodes.size();
  BigdlActivity result = apply(only_part(module), input);
  if (module.type != "Model" && module.type != "Sequential") name_after(module, first, result);
  return result;
}

BigdlActivity BigdlImporter::apply_sequence(const BigdlModule& module, const BigdlActivity& input) {
  BigdlActivity value = input;
  for (const BigdlModule& part : module.parts) value = apply(part, value);
  return value;
}

BigdlActivity BigdlImporter::apply_concat_table(const BigdlModule& module, const BigdlActivity& input) {
  std::vector<BigdlActivity> results;
  for (const BigdlModule& part : module.parts) results.push_back(apply(part, input));
  return bigdl_table(std::move(results));
}

BigdlActivity BigdlImporter::apply_concat(const BigdlModule& module, const BigdlActivity& input) {
  BigdlLayer layer(module, apply_concat_table(module, input), tensors_, writer_);
  const std::vector<ValueId> values = layer.items();
  const std::int64_t axis = BigdlLayer::axis(layer.attributes().integer("dimension"),
                                             static_cast<std::int64_t>(layer.shape(values[0]).size()));
  layer.result(layer.add_main(Concat{.axis = axis}, values));
  return layer.finish();
}

BigdlActivity BigdlImporter::apply_parallel_table(const BigdlModule& module, const BigdlActivity& input) {
  if (!input.table || input.table->size() < module.parts.size()) {
    bad_container(module, fmt::format("{} modules for {} values", module.parts.size(),
                                      input.table ? input.table->size() : std::size_t{1}));
  }
  std::vector<BigdlActivity> results;
  for (std::size_t i = 0; i < module.parts.size(); ++i) results.push_back(apply(module.parts[i], (*input.table)[i]));
  return bigdl_table(std::move(results));
}

BigdlActivity BigdlImporter::apply_map_table(const BigdlModule& module, const BigdlActivity& input) {
  if (!input.table) bad_container(module, "it takes a table and is given one value");
  const auto attribute = BigdlAttributes(module).module("module");
  const BigdlModule& part = attribute ? *attribute : only_part(module);
  std::vector<BigdlActivity> results;
  for (const BigdlActivity& item : *input.table) results.push_back(apply(part, item));
  return bigdl_table(std::move(results));
}

/// Leading dimensions are seen as one. TimeDistributed is the same of the first two.
BigdlActivity BigdlImporter::apply_bottle(const BigdlModule& module, const BigdlActivity& input) {
  BigdlLayer layer(module, input, tensors_, writer_);
  const bool time = module.type == "TimeDistributed";
  const auto attribute = layer.attributes().module("layer");
  const BigdlModule& part = time && attribute ? *attribute : only_part(module);
  const Shape x = layer.shape();
  const std::int64_t kept = time ? layer.rank() - 1 : layer.attributes().integer("nInputDim", 2);
  if (kept < 1 || kept > layer.rank()) bad_container(module, fmt::format("{} dimensions of {}", kept, to_text(x)));
  if (kept == layer.rank()) return apply(part, input);
  const auto joined = static_cast<std::size_t>(layer.rank() - kept + 1);
  Shape dims{-1};
  dims.insert(dims.end(), x.begin() + static_cast<std::ptrdiff_t>(joined), x.end());
  const BigdlActivity result = apply(part, {layer.add_reshape_dims(*input.value, dims), nullptr});
  if (!result.value) bad_container(module, "its part gives a table");
  Shape back(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(joined));
  back[0] = -1;
  const Shape& y = layer.shape(*result.value);
  back.insert(back.end(), y.begin() + 1, y.end());
  layer.result(layer.add_reshape_dims(*result.value, back));
  return layer.finish();
}

BigdlActivity BigdlImporter::apply_graph(const BigdlModule& module, const BigdlActivity& input) {
  const BigdlAttributes attributes(module);
  const std::vector<std::string> inputs = attributes.texts("inputNames"), outputs = attributes.texts("outputNames");
  if (inputs.size() > kMaxBigdlInputs || outputs.size() > kMaxBigdlInputs) {
    bad_container(module, fmt::format("{} inputs and {} outputs", inputs.size(), outputs.size()));
  }
  const GraphOrder order(module, outputs);
  std::vector<BigdlActivity> results(module.parts.size());
  for (const std::size_t at : order.parts()) {
    const BigdlModule& part = module.parts[at];
    const std::vector<std::size_t> sources = order.sources(at);
    const auto edges = attributes.named_integers(part.name + "_edges");
    std::vector<BigdlActivity> taken;
    for (const std::size_t source : sources) {
      BigdlActivity value = results[source];
      const auto edge = std::ranges::find(edges, module.parts[source].name, [](const auto& e) { return e.first; });
      if (edge != edges.end() && edge->second != -1) {
        const auto size = static_cast<std::int64_t>(value.table ? value.table->size() : 1);
        if (edge->second < 1 || edge->second > size) {
          bad_container(module, fmt::format("'{}' takes value {} of {}", part.name, edge->second, size));
        }
        if (value.table) value = BigdlActivity((*value.table)[static_cast<std::size_t>(edge->second - 1)]);
      }
      taken.push_back(std::move(value));
    }
    const auto which = std::ranges::find(inputs, part.name);
    if (which != inputs.end()) {
      const auto index = static_cast<std::size_t>(which - inputs.begin());
      if (inputs.size() > 1 && (!input.table || index >= input.table->size())) {
        bad_container(module, fmt::format("it takes {} values", inputs.size()));
      }
      taken.push_back(inputs.size() == 1 ? input : (*input.table)[index]);
    }
    if (taken.empty()) bad_container(module, fmt::format("'{}' is connected to nothing", part.name));
    results[at] = apply(part, taken.size() == 1 ? taken[0] : bigdl_table(std::move(taken)));
  }
  std::vector<BigdlActivity> made;
  for (const std::string& output : outputs) made.push_back(results[order.place(output)]);
  if (made.empty()) bad_container(module, "it has no output");
  return made.size() == 1 ? made[0] : bigdl_table(std::move(made));
}

}  // namespace octavo::graph
