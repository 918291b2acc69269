// SPDX-License-Identifier: Apache-2.0
// From the objects of a Torch7 file to a graph.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/import/torch.h"
#include "graph/import/torch_layer.h"

namespace octavo::graph {

/// Finds the network, makes its inputs, and applies it to them.
class TorchImporter {
 public:
  TorchImporter(const TorchFile& file, const TorchImportOptions& options);
  [[nodiscard]] Graph run();

 private:
  /// The file's object, or the one module in its table.
  [[nodiscard]] TorchValue find_network() const;
  [[nodiscard]] TorchActivity add_inputs();
  [[nodiscard]] ValueId add_input(const std::string& name, const Shape& shape);
  void add_outputs(const TorchActivity& result);

  const TorchFile& file_;
  const TorchImportOptions& options_;
  Graph graph_;
  TorchNetwork network_{file_, graph_};
  TorchValue root_;
};

/// What a network takes, in one sample, if its first layer says it; empty otherwise.
[[nodiscard]] Shape torch_input_of(const TorchFile& file, const TorchValue& module);
/// How many tensors it takes, if its first module takes a table and says of how many; else 0.
[[nodiscard]] std::size_t torch_input_count(const TorchFile& file, const TorchValue& module);

}  // namespace octavo::graph
