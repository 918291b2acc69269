// SPDX-License-Identifier: Apache-2.0
// What an exporter and its importer owe each other.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "graph/compiler.h"
#include "tests/runtime/graph_equality.h"
#include "tests/runtime/small_network.h"

namespace octavo::test {

/// All that a graph says but the names, some of which stand for parts that the other format needs.
inline std::string structure(const Graph& graph) {
  std::string text;
  for (const graph::Node& node : graph.nodes) {
    for (const ValueId value : node.inputs) text += std::to_string(value) + ' ';
    text += "-> ";
    for (const ValueId value : node.outputs) text += std::to_string(value) + ' ';
    text += transcript(node.op) + '\n';
  }
  return text;
}

/// The import of an export computes the same. What it became then is a fixed point: another round changes nothing.
/// `there_and_back(graph, name)` writes a file of that name and reads it.
template <class ThereAndBack>
void expect_round_trip(const ThereAndBack& there_and_back, const graph::Op& op, const std::vector<Shape>& shapes,
                       float low = -2.0F, float high = 2.0F) {
  std::vector<Values> inputs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    inputs.push_back(random_values(shapes[i], static_cast<unsigned>(i) + 1, low, high));
  }
  const Graph original = graph_of(op, inputs, Arrival::as_given);
  Graph once = there_and_back(original, "net");
  std::vector<Values> read;  // an input that only lent its shape is gone
  for (const graph::Node* node : once.inputs())
    read.push_back(inputs.at(static_cast<std::size_t>(node->name[1] - '0')));
  expect_near(run(once, read), run(original, inputs), 4e-6F, graph::print(original));
  const Graph twice = there_and_back(once, "again");
  EXPECT_EQ(structure(graph::canonicalize(twice)), structure(graph::canonicalize(once))) << graph::print(once);
}

}  // namespace octavo::test
