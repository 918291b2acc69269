// SPDX-License-Identifier: Apache-2.0
// From a graph and what the options ask for to a program.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "jit/kernel_cache.h"
#include "octavo/options.h"
#include "octavo/program.h"

namespace octavo::runtime {

/// Everything from a model's graph (any stage) to a program: selects options.outputs, runs the remaining passes,
/// infers shapes (`input_shapes` by Input node name override the graph's), builds. Throws Error: invalid_argument (an
/// unknown output: lists near names; an ISA that this machine lacks; shapes that do not fit), unsupported, resource.
[[nodiscard]] Program compile_graph(const graph::Graph& graph, const CompileOptions& options,
                                    std::shared_ptr<jit::KernelCache> kernels,
                                    const std::map<std::string, graph::Shape>& input_shapes = {});

/// The last part of compile_graph(): `graph` is canonical or fused, its shapes are inferred, and its outputs are the
/// wanted ones (options.outputs is not looked at).
[[nodiscard]] Program build_program(const graph::Graph& graph, const CompileOptions& options,
                                    std::shared_ptr<jit::KernelCache> kernels);

/// What the options say, defaults resolved. Throws Error: invalid_argument (an ISA that this machine lacks, a thread
/// count out of range), resource (the system refuses so many threads).
[[nodiscard]] Isa choose_isa(const CompileOptions& options);
[[nodiscard]] int choose_threads(const CompileOptions& options);

/// The graph with the named values (blobs, tops) or, where no value has the name, first outputs of the named layers,
/// as its outputs, and without the nodes that they do not need.
[[nodiscard]] graph::Graph select_outputs(graph::Graph graph, const std::vector<std::string>& names);

}  // namespace octavo::runtime
