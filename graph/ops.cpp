// SPDX-License-Identifier: Apache-2.0
// Names of ops: see graph/ops.h.
#include "graph/ops.h"

namespace octavo::graph {

std::string_view op_name(const Op& op) {
  return std::visit([](const auto& typed) { return typed.kName; }, op);
}

}  // namespace octavo::graph
