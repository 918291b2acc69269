// SPDX-License-Identifier: Apache-2.0
// The graph as text, a line a node. Attributes that have their default value are left out, but kinds are always told.
#include <fmt/core.h>

#include <string>
#include <utility>
#include <vector>

#include "graph/check.h"
#include "graph/enum_names.h"
#include "graph/graph.h"

namespace octavo::graph {
namespace {

/// Names come from files: keep each node on its line, whatever bytes they hold.
std::string printable(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += c;
    }
  }
  return text;
}

std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(std::int64_t value) { return std::to_string(value); }
std::string text_of(float value) { return fmt::format("{}", value); }
std::string text_of(const Shape& value) { return to_text(value); }
std::string text_of(const Pair& value) { return to_text({value[0], value[1]}); }

std::string text_of(const std::vector<float>& values) {
  std::string text = "[";
  for (const float value : values) text += (text.size() > 1 ? "," : "") + text_of(value);
  return text + ']';
}

template <class Enum>
requires std::is_enum_v<Enum> std::string text_of(Enum value) { return std::string(enum_name(value)); }

std::string text_of(const BlobPtr& blob) {
  if (!blob) return "none";
  if (!blob->quantized()) return "f32" + to_text(blob->shape);
  return fmt::format("s8{}/{}", to_text(blob->shape), blob->window);
}

std::string text_of(const QuantizationWindow& window) {
  std::string text = window.channels == 0 ? "all" : std::to_string(window.channels);
  if (window.tile_h != 0 || window.tile_w != 0) text += fmt::format("@{}x{}", window.tile_h, window.tile_w);
  return text;
}

std::string text_of(const Activation& activation) {
  std::string text(enum_name(activation.kind));
  if (activation.kind == jit::ActivationKind::leaky_relu) text += fmt::format("({})", activation.slope);
  if (activation.kind == jit::ActivationKind::prelu) text += fmt::format("({})", text_of(activation.slopes));
  return text;
}

using Attribute = std::pair<std::string_view, std::string>;

template <class T>
std::vector<Attribute> attributes_of(const T& op) {
  std::vector<Attribute> attributes;
  T::fields(op, [&](std::string_view name, const auto& value) { attributes.emplace_back(name, text_of(value)); });
  return attributes;
}

template <class T>
std::string braces(const T& op) {
  const std::vector<Attribute> own = attributes_of(op);
  const std::vector<Attribute> defaults = attributes_of(T{});
  std::string text;
  for (std::size_t i = 0; i < own.size(); ++i) {
    const auto& [name, value] = own[i];
    if (value == defaults[i].second && name != "kind") continue;
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  }
  return text.empty() ? "" : " {" + text + "}";
}

std::string reference(const Graph& graph, ValueId value) {
  return value < graph.values.size() ? "%" + printable(graph.values[value].name) : fmt::format("%<no value {}>", value);
}

std::string definition(const Graph& graph, ValueId value) {
  std::string text = reference(graph, value);
  if (value < graph.values.size() && !graph.values[value].shape.empty())
    text += ":" + to_text(graph.values[value].shape);
  return text;
}

template <class Write>
std::string listed(const std::vector<ValueId>& values, Write write) {
  std::string text;
  for (const ValueId value : values) text += (text.empty() ? "" : ", ") + write(value);
  return text;
}

}  // namespace

std::string print(const Graph& graph) {
  const auto used = [&](ValueId value) { return reference(graph, value); };
  const auto defined = [&](ValueId value) { return definition(graph, value); };
  std::string text = fmt::format("graph {}\n", printable(graph.name));
  for (const Node& node : graph.nodes) {
    const std::string attributes = std::visit([](const auto& op) { return braces(op); }, node.op);
    text += fmt::format("{} = {}({}){}  # {}\n", listed(node.outputs, defined), op_name(node.op),
                        listed(node.inputs, used), attributes, printable(node.name));
  }
  return text + fmt::format("return {}\n", listed(graph.outputs, used));
}

}  // namespace octavo::graph
