// SPDX-License-Identifier: Apache-2.0
// Tensors of a Torch7 file as constants of a graph.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/blob.h"
#include "graph/import/import_budget.h"
#include "graph/import/torch_file.h"

namespace octavo::graph {

/// The tensor's numbers as fp32, in the order of its dimensions whatever its strides; used where they lie when they lie
/// so, in binary and aligned. Throws Error(malformed) when the tensor reaches beyond its storage.
[[nodiscard]] BlobPtr torch_blob(const TorchFile& file, const TorchTensor& tensor, ImportBudget& budget);

/// Whole numbers of a tensor, a storage or a table. Throws Error(malformed) for anything else, or when there are more
/// than 2^16 of them (lists of modules and connections are shorter).
[[nodiscard]] std::vector<std::int64_t> torch_integers(const TorchFile& file, const TorchValue& value);

}  // namespace octavo::graph
