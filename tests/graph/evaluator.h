// SPDX-License-Identifier: Apache-2.0
// The obvious answer: runs a graph in double precision, loop by loop, so that a pass can be held to what it must not
// change. Only the ops that passes touch.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace octavo::graph::test {

struct Numbers {
  Shape shape;
  std::vector<double> values;
};

/// All outputs, by name. `inputs`: by node name.
std::map<std::string, Numbers> evaluate(Graph graph, const std::map<std::string, Numbers>& inputs);

/// Seeded numbers in -1..1 for every input of the graph.
std::map<std::string, Numbers> random_inputs(const Graph& graph, std::uint32_t seed);

/// The largest difference of any output, relative to that output's largest magnitude; infinite when names or shapes
/// differ.
double largest_difference(const std::map<std::string, Numbers>& a, const std::map<std::string, Numbers>& b);

}  // namespace octavo::graph::test
