// SPDX-License-Identifier: Apache-2.0
// The steps of a program and the memory that they share.
#pragma once

#include "graph/graph.h"
#include "octavo/program.h"
#include "runtime/step.h"

namespace octavo::runtime {

/// Makes a step of each node of `graph` (canonical or fused, with shapes), reorders where a value lies in another
/// layout than its reader wants, and the plan of where every value lies; `program` has its thread count, and none of
/// these yet. Throws Error that names the layer: unsupported, resource, invalid_argument.
void add_steps(const graph::Graph& graph, const BuildContext& context, Program::Impl& program);

}  // namespace octavo::runtime
