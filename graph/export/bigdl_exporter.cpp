// SPDX-License-Identifier: Apache-2.0
// What all ops share: names, steps, what follows a layer. See graph/export/bigdl_exporter.h.
#include "graph/export/bigdl_exporter.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "graph/check.h"
#include "graph/export/log_softmax.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

/// A Scale that takes one value and has a factor and an offset for each of its channels.
bool is_affine(const Node& node) {
  const auto* const scale = std::get_if<Scale>(&node.op);
  return scale != nullptr && node.inputs.size() == 1 && scale->axis == 1 && scale->factor && scale->offset;
}

}  // namespace

BigdlPatterns find_bigdl_patterns(const Graph& graph) {
  BigdlPatterns patterns;
  for (const Node& node : graph.nodes) {
    if (const auto* const constant = std::get_if<Constant>(&node.op)) {
      patterns.constants[node.outputs[0]] = constant->value;
      patterns.covered.insert(&node);
    }
    if (std::holds_alternative<BatchNorm>(node.op) && read_once(graph, node.outputs[0])) {
      const Node* const behind = graph.consumers(node.outputs[0])[0];
      if (is_affine(*behind)) {
        patterns.affine[&node] = behind;
        patterns.covered.insert(behind);
      }
    }
  }
  for (const LogSoftmaxNodes& found : find_log_softmax(graph)) {
    patterns.log_softmax[found.last] = found.last->inputs[0];
    patterns.covered.insert({found.reduction, found.between});
  }
  return patterns;
}

void BigdlNodeExporter::run() {
  std::visit([this](const auto& op) { write(op); }, node_.op);
}

void BigdlNodeExporter::cannot(const std::string& what, const std::string& hint) {
  throw Error(ErrorKind::unsupported, "BigDL cannot say " + what, {}, hint);
}

void BigdlNodeExporter::not_written(std::string_view op) {
  throw Error(ErrorKind::unsupported, "octavo does not write " + std::string(op) + " as BigDL");
}

const std::string& BigdlNodeExporter::in(std::size_t i) const {
  const auto found = sources_.find(node_.inputs[i]);
  if (found == sources_.end()) cannot("arithmetic with a constant of that shape");
  return found->second;
}

BigdlModuleWriter BigdlNodeExporter::step(std::string_view type, const std::vector<std::string>& sources,
                                          std::string& name) {
  name = writer_.unique(node_.name + "/" + std::string(type));
  return writer_.module(type, name, sources);
}

std::string BigdlNodeExporter::step(std::string_view type, const std::string& source) {
  std::string name;
  step(type, {source}, name);
  return name;
}

BigdlModuleWriter BigdlNodeExporter::layer(std::string_view type, const std::vector<std::string>& sources) {
  return writer_.module(type, node_.name, sources);
}

std::string BigdlNodeExporter::activated(const std::string& source, const Activation& activation) {
  using jit::ActivationKind;
  std::string name;
  switch (activation.kind) {
    case ActivationKind::none:
      return source;
    case ActivationKind::relu:
      step("ReLU", {source}, name).flag("ip", false);
      return name;
    case ActivationKind::leaky_relu:
      step("LeakyReLU", {source}, name).set("negval", static_cast<double>(activation.slope)).flag("inplace", false);
      return name;
    case ActivationKind::relu6:
      step("ReLU6", {source}, name).flag("inplace", false);
      return name;
    case ActivationKind::sigmoid:
      return step("Sigmoid", source);
    case ActivationKind::tanh:
      return step("Tanh", source);
    case ActivationKind::prelu:
      step("PReLU", {source}, name)
          .set("nOutputPlane", element_count(activation.slopes->shape))
          .parameter({element_count(activation.slopes->shape)}, to_float(*activation.slopes));
      return name;
  }
  cannot("that activation");
}

void BigdlNodeExporter::finish_layer(std::string name, bool residual, const Activation& activation) {
  if (residual) {
    std::string sum;
    step("CAddTable", {name, in(1)}, sum).flag("inplace", false);
    name = sum;
  }
  made(activated(name, activation));
}

std::string BigdlNodeExporter::multiplied(const std::string& source, float factor) {
  std::string name;
  step("MulConstant", {source}, name).set("constant", static_cast<double>(factor)).flag("inplace", false);
  return name;
}

std::string BigdlNodeExporter::affine(const std::string& source, float scale, float shift) {
  std::string name;
  step("Power", {source}, name)
      .set("power", 1.0)
      .set("scale", static_cast<double>(scale))
      .set("shift", static_cast<double>(shift));
  return name;
}

std::string BigdlNodeExporter::bordered(const std::string& source, const Pair& begin, const Pair& end) {
  if (begin == Pair{0, 0} && end == Pair{0, 0}) return source;
  std::string name;
  step("SpatialZeroPadding", {source}, name)
      .set("padLeft", begin[1])
      .set("padRight", end[1])
      .set("padTop", begin[0])
      .set("padBottom", end[0]);
  return name;
}

void BigdlNodeExporter::write(const Input&) {
  layer("Input", {}).takes(out_shape());
  writer_.input(node_.name);
  made();
}

void BigdlNodeExporter::write(const Identity&) {
  for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
    if (i == 0) {
      layer("Identity", {in()});
      made();
    } else {
      made(step("Identity", in()), i);
    }
  }
}

}  // namespace octavo::graph
