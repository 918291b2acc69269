// SPDX-License-Identifier: Apache-2.0
// From an ONNX file to a graph.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "graph/import/onnx.h"
#include "graph/import/onnx_fold.h"
#include "graph/import/onnx_model_file.h"
#include "graph/import/onnx_node.h"

namespace octavo::graph {

/// Walks the nodes once, in the file's order, which ONNX demands to be topological. What depends on constants alone is
/// computed at once; everything else becomes nodes of the graph. What nodes hold graphs for (If, Loop, Scan) is written
/// out, each pass through a body by itself.
class OnnxImporter {
 public:
  OnnxImporter(const OnnxModelFile& file, const OnnxImportOptions& options);
  [[nodiscard]] Graph run();

 private:
  /// The names of a graph of the file. A body sees those of the graphs around it, too.
  struct Scope {
    const OnnxGraphProto& graph;
    std::map<std::string, ImportedValue> values{};
  };

  void add_inputs();
  [[nodiscard]] Shape input_shape(const OnnxValueInfo& input) const;
  void convert(const OnnxNodeProto& proto);
  /// Of the file's nodes, in their order, those that the outputs need; all, where the file's own outputs are taken.
  [[nodiscard]] std::vector<bool> needed_nodes() const;
  void convert_nodes(const OnnxGraphProto& graph);
  /// Null for a name that nothing before makes.
  [[nodiscard]] const ImportedValue* look_up(const std::string& name);
  /// Throws Error(malformed) when nothing before makes it.
  [[nodiscard]] const ImportedValue& find(const std::string& name);
  [[nodiscard]] OnnxNode context(const OnnxNodeProto& proto);
  void choose_outputs();

  // onnx_control.cpp
  /// The node's outputs, if it is one that holds graphs.
  [[nodiscard]] std::optional<std::vector<ImportedValue>> convert_control(const OnnxNodeProto& proto);
  [[nodiscard]] std::vector<ImportedValue> convert_if(const OnnxNodeProto& proto);
  [[nodiscard]] std::vector<ImportedValue> convert_loop(const OnnxNodeProto& proto);
  [[nodiscard]] std::vector<ImportedValue> convert_scan(const OnnxNodeProto& proto);
  [[nodiscard]] OnnxGraphProto body_of(const OnnxNodeProto& proto, std::string_view attribute) const;
  /// One pass through a body: its outputs.
  [[nodiscard]] std::vector<ImportedValue> run_body(const OnnxGraphProto& body, std::vector<ImportedValue> inputs);

  const OnnxModelFile& file_;
  const OnnxImportOptions& options_;
  OnnxTensorSource source_;
  Graph graph_;
  GraphWriter writer_{graph_};
  ImportBudget budget_{file_.bytes()};
  std::vector<Scope> scopes_;
  std::size_t converted_ = 0;  ///< nodes, those of bodies each time
};

}  // namespace octavo::graph
