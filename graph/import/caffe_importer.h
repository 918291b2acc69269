// SPDX-License-Identifier: Apache-2.0
// From a Caffe network and its weights to a graph.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/import/caffe.h"
#include "graph/import/caffe_net.h"
#include "graph/import/caffe_weights.h"

namespace octavo::graph {

/// Walks the layers once, in order. Caffe names blobs, not values: a layer may write over its bottom ("in place"), and
/// the name then means the new numbers. In the graph each version is a value; the last one has the blob's name.
class CaffeImporter {
 public:
  CaffeImporter(CaffeNet net, const CaffeModelFile* model, const CaffeImportOptions& options);
  [[nodiscard]] Graph run();

 private:
  struct Blob {
    ValueId value = 0;
    bool labels = false;  ///< made by a data layer, of no use at prediction
  };
  enum class Role { compute, data, loss, loss_head, silence };

  [[nodiscard]] Role role_of(const CaffeLayer& layer) const;
  void decide_roles();
  void convert(const CaffeLayer& layer, std::size_t index, Role role);
  void add_inputs(const CaffeLayer& layer, std::size_t index);
  void add_input(const std::string& blob, const Shape& shape, const std::string& value_name);
  void compute(const CaffeLayer& layer, std::size_t index, const std::string& type);
  [[nodiscard]] std::vector<ValueId> bottoms_of(const CaffeLayer& layer);
  void set_top(const CaffeLayer& layer, const std::string& top, Blob blob);
  [[nodiscard]] std::string value_name(const std::string& top, const std::string& layer, std::size_t index) const;
  [[nodiscard]] std::string unique_layer_name(const std::string& name);
  void choose_outputs();

  CaffeNet net_;
  CaffeWeights weights_;
  const CaffeImportOptions& options_;
  Graph graph_;
  std::vector<Role> roles_;
  std::map<std::string, std::size_t> last_writer_;  ///< by blob: index of the last layer that has it as a top
  std::map<std::string, Blob> blobs_;               ///< by name: the version that the next layer sees
  std::set<ValueId> consumed_, inputs_;
  std::map<ValueId, float> head_weights_;   ///< values made by what remains of a loss
  std::map<std::string, int> layer_names_;  ///< taken names, with the last suffix that was tried
};

}  // namespace octavo::graph
