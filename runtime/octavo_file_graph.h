// SPDX-License-Identifier: Apache-2.0
// A graph as JSON, generated from each op's list of fields.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "graph/graph.h"
#include "runtime/json_view.h"
#include "runtime/octavo_file_blobs.h"

namespace octavo::runtime {

/// {"name", "values", "nodes", "outputs"}; blobs by their place in the table. Throws Error(unsupported) for ops that
/// only the compiler makes.
[[nodiscard]] nlohmann::json graph_to_json(const graph::Graph& graph, BlobWriter& blobs);
/// Shapes are left for infer_shapes(), rules for verify(); value numbers, blob numbers, op and attribute names are
/// checked. An attribute that is missing keeps its default. Throws Error(malformed).
[[nodiscard]] graph::Graph graph_from_json(const JsonView& json, const std::vector<graph::BlobPtr>& blobs);

}  // namespace octavo::runtime
