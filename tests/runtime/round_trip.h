// SPDX-License-Identifier: Apache-2.0
// Formats that are read and written: what comes back computes the same, and a second round changes nothing.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "graph/compiler.h"
#include "tests/runtime/graph_equality.h"
#include "tests/runtime/small_network.h"

namespace octavo::test {

/// Writes the graph under a name and reads it again. A file is mapped as long as its graph lives: each has a name of
/// its own.
using ThereAndBack = std::function<Graph(const Graph& graph, const std::string& name)>;

/// The import of an export computes the same. What it became after `rounds` is a fixed point: another round changes
/// nothing. With 0 rounds only what it computes is looked at.
inline void expect_round_trip(const ThereAndBack& there_and_back, const graph::Op& op, const std::vector<Shape>& shapes,
                              float low = -2.0F, float high = 2.0F, int rounds = 1) {
  std::vector<Values> inputs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    inputs.push_back(random_values(shapes[i], static_cast<unsigned>(i) + 1, low, high));
  }
  const Graph original = graph_of(op, inputs, Arrival::as_given);
  SCOPED_TRACE(graph::print(original));
  Graph once = there_and_back(original, "once");
  std::vector<Values> read;  // an input that only lent its shape is gone
  for (const graph::Node* node : once.inputs()) {
    read.push_back(inputs.at(static_cast<std::size_t>(node->name[1] - '0')));
  }
  expect_near(run(once, read), run(original, inputs), 4e-6F, graph::print(original));
  if (rounds == 0) return;
  Graph settled = once;
  for (int i = 1; i < rounds; ++i) settled = there_and_back(settled, "round" + std::to_string(i));
  const Graph again = there_and_back(settled, "again");
  EXPECT_EQ(structure(graph::canonicalize(again)), structure(graph::canonicalize(settled))) << graph::print(settled);
}

}  // namespace octavo::test
