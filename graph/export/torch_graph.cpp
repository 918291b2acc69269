// SPDX-License-Identifier: Apache-2.0
// Any graph as a gModule of nngraph: see graph/export/torch_nesting.h.
#include <map>

#include "graph/export/torch_nesting.h"

namespace octavo::graph {
namespace {

/// nngraph keeps a table for each node ("data", by which the node is known) and the nodes themselves, twice over: in
/// the direction of the computation, and (only the last one here) against it.
class NodeMaker {
 public:
  using Ref = TorchDocument::Ref;
  using Value = TorchDocument::Value;

  explicit NodeMaker(TorchDocument& document) : document_(document) {}

  struct Made {
    Ref data, node, children;
    std::size_t successors = 0;
  };

  /// A node after these, in their order.
  std::size_t add(const std::vector<std::size_t>& parents, const char* field = nullptr, Value value = {}) {
    Made made;
    made.data = document_.table();
    if (field != nullptr) document_.set(made.data, field, std::move(value));
    made.node = document_.object("nngraph.Node");
    made.children = document_.table();
    const Ref map = document_.table();
    for (std::size_t i = 0; i < parents.size(); ++i) {
      const auto place = static_cast<double>(i + 1);
      document_.set_key(map, place, made_[parents[i]].data);
      document_.set_key(map, made_[parents[i]].data, place);
    }
    document_.set(made.data, "mapindex", map);
    document_.set(made.data, "reverseMap", document_.table());
    document_.set(made.data, "annotations", document_.table());
    document_.set(made.data, "input", document_.table());
    document_.set(made.node, "data", made.data);
    document_.set(made.node, "children", made.children);
    document_.set(made.node, "id", static_cast<double>(made_.size() + 1));
    document_.set(made.node, "visited", false);
    document_.set(made.node, "marked", false);
    made_.push_back(made);
    for (const std::size_t parent : parents) add_child(made_[parent], made.node);
    return made_.size() - 1;
  }

  /// What computes the outputs, seen from the end.
  Ref backward_node(std::size_t last, const std::vector<std::size_t>& parents) {
    const Ref node = document_.object("nngraph.Node"), children = document_.table();
    document_.set(node, "data", made_[last].data);
    document_.set(node, "children", children);
    Made made{made_[last].data, node, children, 0};
    for (const std::size_t parent : parents) add_child(made, made_[parent].node);
    return node;
  }

  [[nodiscard]] const std::vector<Made>& made() const { return made_; }

 private:
  /// A table of children has each of them at its number, and its number at it.
  void add_child(Made& parent, Ref child) {
    document_.append(parent.children, child);
    document_.set_key(parent.children, child, static_cast<double>(++parent.successors));
  }

  TorchDocument& document_;
  std::vector<Made> made_;
};

}  // namespace

TorchDocument::Ref graph_torch(const Graph& graph, const std::vector<TorchStep>& steps, const TorchRows& rows,
                               TorchModules& out) {
  TorchDocument& document = out.document();
  NodeMaker nodes(document);
  std::map<ValueId, std::size_t> made;
  const auto inputs = graph.inputs();
  const std::size_t first = nodes.add({});
  if (inputs.size() == 1) {
    made[inputs[0]->outputs[0]] = first;
  } else {
    const std::size_t split = nodes.add({first}, "nSplitOutputs", static_cast<double>(inputs.size()));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      made[inputs[i]->outputs[0]] = nodes.add({split}, "selectindex", static_cast<double>(i + 1));
    }
  }
  std::vector<TorchDocument::Ref> modules;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    std::vector<std::size_t> parents;
    for (const ValueId input : steps[i].inputs) parents.push_back(made.at(input));
    modules.push_back(out.in_a_row(rows[i]));
    made[steps[i].output] = nodes.add(parents, "module", modules.back());
  }
  std::vector<std::size_t> results;
  for (const ValueId output : graph.outputs) results.push_back(made.at(output));
  const std::size_t last = nodes.add(results);
  const TorchDocument::Ref all = document.table();
  for (const auto& node : nodes.made()) document.append(all, node.node);
  return out.container("gModule", modules,
                       {{"forwardnodes", all},
                        {"backwardnodes", document.table()},
                        {"innode", nodes.made()[first].node},
                        {"outnode", nodes.backward_node(last, results)},
                        {"nInputs", static_cast<double>(inputs.size())},
                        {"verbose", false}});
}

}  // namespace octavo::graph
