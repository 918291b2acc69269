// SPDX-License-Identifier: Apache-2.0
// A graph as one string of all that it says, for comparing: attributes to the bit, blobs by content.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "graph/graph.h"

namespace octavo::test {

class Transcript {
 public:
  void operator()(std::string_view key, const auto& value) {
    text_ += ' ' + std::string(key) + '=';
    add(value);
  }
  std::string take() { return std::move(text_); }

 private:
  template <class T>
  void add(const T& value) {
    if constexpr (std::is_same_v<T, float>) {
      text_ += std::to_string(std::bit_cast<std::uint32_t>(value));
    } else if constexpr (std::is_enum_v<T>) {
      text_ += std::to_string(static_cast<int>(value));
    } else if constexpr (std::is_arithmetic_v<T>) {
      text_ += std::to_string(value);
    } else if constexpr (std::is_same_v<T, graph::BlobPtr>) {
      if (!value) {
        text_ += "null";
      } else {
        add_list(value->shape);
        add_list(value->f32.values);
        add_list(value->q.values);
        add_list(value->scales.values);
        add(value->window);
      }
    } else if constexpr (std::is_same_v<T, graph::Activation>) {
      graph::Activation::fields(value, *this);
    } else if constexpr (std::is_same_v<T, graph::QuantizationWindow>) {
      add_list(std::vector{value.channels, value.tile_h, value.tile_w});
    } else {
      add_list(value);
    }
  }
  void add_list(const auto& list) {
    text_ += '[';
    for (const auto& item : list) {
      add(item);
      text_ += ',';
    }
    text_ += ']';
  }

  std::string text_;
};

inline std::string transcript(const graph::Op& op) {
  Transcript words;
  std::visit([&](const auto& typed) { std::remove_cvref_t<decltype(typed)>::fields(typed, words); }, op);
  return std::string(graph::op_name(op)) + words.take();
}

inline std::string transcript(const graph::Graph& graph) {
  std::string text = graph.name + '\n';
  const auto ids = [&](const std::vector<graph::ValueId>& list) {
    for (const auto id : list) text += std::to_string(id) + ' ';
  };
  for (const auto& value : graph.values) {
    text += value.name + ':';
    for (const auto dim : value.shape) text += std::to_string(dim) + ',';
  }
  for (const auto& node : graph.nodes) {
    text += '\n' + node.name + ' ';
    ids(node.inputs);
    text += "-> ";
    ids(node.outputs);
    text += transcript(node.op);
  }
  text += '\n';
  ids(graph.outputs);
  return text;
}

/// All that a graph says but the names.
inline std::string structure(const graph::Graph& graph) {
  std::string text;
  for (const graph::Node& node : graph.nodes) {
    for (const graph::ValueId value : node.inputs) text += std::to_string(value) + ' ';
    text += "-> ";
    for (const graph::ValueId value : node.outputs) text += std::to_string(value) + ' ';
    text += transcript(node.op) + '\n';
  }
  return text;
}

}  // namespace octavo::test
