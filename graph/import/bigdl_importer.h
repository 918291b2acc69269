// SPDX-License-Identifier: Apache-2.0
// From a BigDL file to a graph: containers apply their parts to values, layers become nodes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/import/bigdl.h"
#include "graph/import/bigdl_layer.h"
#include "graph/import/bigdl_module.h"
#include "graph/import/bigdl_tensor.h"
#include "graph/mapped_file.h"

namespace octavo::graph {

class BigdlImporter {
 public:
  BigdlImporter(const std::filesystem::path& file, const BigdlImportOptions& options);
  [[nodiscard]] Graph run();

 private:
  [[nodiscard]] BigdlActivity add_inputs();
  [[nodiscard]] Shape input_shape(const std::string& name, std::optional<Shape> stated) const;
  void choose_outputs(const BigdlActivity& result);

  using Apply = BigdlActivity (BigdlImporter::*)(const BigdlModule&, const BigdlActivity&);
  [[nodiscard]] static Apply container(const BigdlModule& module);
  [[nodiscard]] BigdlActivity apply(const BigdlModule& module, const BigdlActivity& input);
  [[nodiscard]] BigdlActivity apply_layer(const BigdlModule& module, const BigdlActivity& input);
  [[nodiscard]] BigdlActivity apply_wrapper(const BigdlModule& module, const BigdlActivity& input);
  [[nodiscard]] BigdlActivity apply_sequence(const BigdlModule& module, const BigdlActivity& input);
  [[nodiscard]] BigdlActivity apply_concat(const BigdlModule& module, const BigdlActivity& input);
  [[nodiscard]] BigdlActivity apply_concat_table(const BigdlModule& module, const BigdlActivity& input);
  [[nodiscard]] BigdlActivity apply_parallel_table(const BigdlModule& module, const BigdlActivity& input);
  [[nodiscard]] BigdlActivity apply_map_table(const BigdlModule& module, const BigdlActivity& input);
  [[nodiscard]] BigdlActivity apply_bottle(const BigdlModule& module, const BigdlActivity& input);
  [[nodiscard]] BigdlActivity apply_graph(const BigdlModule& module, const BigdlActivity& input);
  void name_after(const BigdlModule& wrapper, std::size_t first_node, const BigdlActivity& result);

  std::filesystem::path file_;
  const BigdlImportOptions& options_;
  std::shared_ptr<const MappedFile> mapped_;
  BigdlTensors tensors_;
  BigdlModule root_;
  Graph graph_;
  GraphWriter writer_{graph_};
  std::size_t depth_ = 0, applied_ = 0;
};

}  // namespace octavo::graph
