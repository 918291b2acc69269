// SPDX-License-Identifier: Apache-2.0
// From an ONNX file to a graph.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/import/onnx.h"
#include "graph/import/onnx_fold.h"
#include "graph/import/onnx_model_file.h"
#include "graph/import/onnx_node.h"

namespace octavo::graph {

/// Walks the nodes once, in the file's order, which ONNX demands to be topological. What depends on constants alone is
/// computed at once; everything else becomes nodes of the graph.
class OnnxImporter {
 public:
  OnnxImporter(const OnnxModelFile& file, const OnnxImportOptions& options);
  [[nodiscard]] Graph run();

 private:
  void add_inputs();
  [[nodiscard]] Shape input_shape(const OnnxValueInfo& input) const;
  void convert(const OnnxNodeProto& proto);
  /// A name of the file; throws Error(malformed) when nothing before makes it.
  [[nodiscard]] const ImportedValue& find(const std::string& name);
  [[nodiscard]] OnnxNode context(const OnnxNodeProto& proto);
  void choose_outputs();

  const OnnxModelFile& file_;
  const OnnxImportOptions& options_;
  OnnxTensorSource source_;
  Graph graph_;
  GraphWriter writer_{graph_};
  ImportBudget budget_{file_.bytes()};
  std::map<std::string, ImportedValue> values_;
};

}  // namespace octavo::graph
