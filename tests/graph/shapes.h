// SPDX-License-Identifier: Apache-2.0
// Shape inference of a single op, for tests.
#pragma once

#include <string>

#include "graph/shape_rules.h"
#include "tests/graph/net.h"

namespace octavo::graph::test {

inline Shape shape(const Op& op, const Shapes& inputs) { return output_shapes(op, inputs, 1).at(0); }

/// What the refusal says.
inline std::string shape_error(const Op& op, const Shapes& inputs, std::size_t outputs = 1) {
  return error_of([&] { return output_shapes(op, inputs, outputs); });
}

}  // namespace octavo::graph::test
