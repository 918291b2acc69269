// SPDX-License-Identifier: Apache-2.0
// See graph/import/caffe_layer.h.
#include "graph/import/caffe_layer.h"

#include <fmt/core.h>

#include <utility>

#include "graph/axes.h"
#include "graph/shape_rules.h"
#include "graph/verify_rules.h"
#include "octavo/error.h"

namespace octavo::graph {

CaffeLayerContext::CaffeLayerContext(const CaffeLayer& layer, std::string name, std::vector<ValueId> bottoms,
                                     std::vector<std::string> top_names, Graph& graph, CaffeWeights& weights)
    : layer_(layer),
      name_(std::move(name)),
      bottoms_(std::move(bottoms)),
      top_names_(std::move(top_names)),
      graph_(graph),
      weights_(weights) {}

void CaffeLayerContext::malformed(std::string what, std::string hint) {
  throw Error(ErrorKind::malformed, std::move(what), {}, std::move(hint));
}

void CaffeLayerContext::unsupported(std::string what, std::string hint) {
  throw Error(ErrorKind::unsupported, std::move(what), {}, std::move(hint));
}

void CaffeLayerContext::require_bottoms(std::size_t least, std::size_t most) const {
  if (bottoms_.size() >= least && bottoms_.size() <= most) return;
  malformed(fmt::format("it has {} bottoms, expected {}{}", bottoms_.size(), least,
                        least == most ? "" : fmt::format(" to {}", most)));
}

const Shape& CaffeLayerContext::shape(std::size_t bottom) const {
  if (bottom >= bottoms_.size()) malformed(fmt::format("it needs {} bottoms", bottom + 1));
  return graph_.values[bottoms_[bottom]].shape;
}

std::size_t CaffeLayerContext::axis(std::int64_t axis) const {
  return static_cast<std::size_t>(canonical_axis(axis, static_cast<std::int64_t>(shape().size())));
}

void CaffeLayerContext::add_node(std::string name, Op op, std::vector<ValueId> inputs,
                                 const std::vector<std::string>& outputs) {
  const Arity arity = arity_of(op);
  if (inputs.size() < arity.min_inputs || inputs.size() > arity.max_inputs) {
    malformed(fmt::format("it has {} bottoms, expected {}{}", inputs.size(), arity.min_inputs,
                          arity.max_inputs > arity.min_inputs ? " or more" : ""));
  }
  if (outputs.empty() || outputs.size() > arity.max_outputs) {
    malformed(
        fmt::format("it has {} tops, expected {}", outputs.size(), arity.max_outputs == 1 ? "one" : "at least one"));
  }
  verify_op(op, inputs.size());
  Shapes input_shapes;
  for (const ValueId input : inputs) input_shapes.push_back(graph_.values[input].shape);
  const Shapes shapes = output_shapes(op, input_shapes, outputs.size());
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    values.push_back(graph_.add_value(outputs[i]));
    graph_.values[values.back()].shape = shapes.at(i);
  }
  graph_.add_node(std::move(name), std::move(op), std::move(inputs), values);
  tops_.insert(tops_.end(), values.begin(), values.end());
}

void CaffeLayerContext::add(Op op) { add(std::move(op), bottoms_); }

void CaffeLayerContext::add(Op op, std::vector<ValueId> inputs) {
  add_node(name_, std::move(op), std::move(inputs), top_names_);
}

ValueId CaffeLayerContext::add_part(std::string_view part, Op op, std::vector<ValueId> inputs) {
  const std::string name = fmt::format("{}/{}", name_, part);
  const std::size_t made = tops_.size();
  add_node(name, std::move(op), std::move(inputs), {name});
  const ValueId value = tops_.at(made);
  tops_.resize(made);
  return value;
}

void CaffeLayerContext::add_each(const Op& op) {
  if (bottoms_.size() != top_names_.size() || bottoms_.empty()) {
    malformed(fmt::format("it has {} bottoms and {} tops", bottoms_.size(), top_names_.size()));
  }
  for (std::size_t i = 0; i < bottoms_.size(); ++i) {
    const std::string name = i == 0 ? name_ : fmt::format("{}/{}", name_, i);
    add_node(name, op, {bottoms_[i]}, {top_names_[i]});
  }
}

}  // namespace octavo::graph
