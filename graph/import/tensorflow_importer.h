// SPDX-License-Identifier: Apache-2.0
// From a TensorFlow file to a graph.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/graph.h"
#include "graph/import/tensorflow.h"
#include "graph/import/tensorflow_file.h"
#include "graph/import/tensorflow_node.h"

namespace octavo::graph {

/// Converts the nodes that the outputs need, each after those that it reads. What depends on constants alone is
/// computed at once; everything else becomes nodes of the graph.
class TensorflowImporter {
 public:
  TensorflowImporter(const TensorflowFile& file, const TensorflowImportOptions& options);
  [[nodiscard]] Graph run();

 private:
  /// A name like "node:1" as the node's position in the file and the number of the output.
  struct Tap {
    std::size_t node = 0, output = 0;
  };
  [[nodiscard]] Tap tap(const std::string& name, std::string_view reader) const;
  void choose_inputs();
  [[nodiscard]] std::vector<std::string> output_names() const;
  /// The nodes that these outputs need, each behind those that it reads.
  [[nodiscard]] std::vector<std::size_t> needed_order(const std::vector<Tap>& outputs);
  [[nodiscard]] std::vector<Tap> sources_of(std::size_t node) const;
  void add_input(std::size_t node);
  [[nodiscard]] Shape input_shape(const TensorflowNodeDef& node) const;
  void convert(std::size_t node);
  /// Whether the node is on a branch that is not taken, and under which conditions it is.
  void follow_conditions(const TensorflowNodeDef& definition, const std::vector<TensorflowValuePtr>& inputs,
                         const std::vector<TensorflowValuePtr>& controls, TensorflowValue& traits) const;
  void add_output(const std::string& name, const Tap& tap);
  [[nodiscard]] std::string place_of_node(std::size_t node) const;

  const TensorflowFile& file_;
  const TensorflowImportOptions& options_;
  Graph graph_;
  GraphWriter writer_{graph_};
  ImportBudget budget_{file_.bytes()};
  std::unordered_map<std::string, std::size_t> positions_;  ///< of nodes, by name
  std::set<std::size_t> inputs_;
  std::vector<std::vector<TensorflowValuePtr>> values_;  ///< of each node, once it is converted
};

/// Moves permutations [N, H, W, C] -> [N, C, H, W] up to the inputs that they begin at, and makes those inputs
/// [N, C, H, W], where nothing reads them otherwise.
void take_inputs_channels_first(Graph& graph);

}  // namespace octavo::graph
