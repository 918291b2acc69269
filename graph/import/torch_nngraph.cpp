// SPDX-License-Identifier: Apache-2.0
// nngraph's gModule: nodes that hold modules (or only hand on what comes in), and whose successors are known.
#include <fmt/core.h>

#include <map>
#include <utility>

#include "graph/check.h"
#include "graph/import/torch_layers.h"
#include "graph/import/torch_limits.h"

namespace octavo::graph {
namespace {

/// Nodes are known by what they hold: nngraph makes new nodes around the same tables when it sorts them.
class TorchNodes {
 public:
  explicit TorchNodes(TorchLayer& layer) : layer_(layer), file_(layer.module().file()) {}

  TorchActivity run() {
    const TorchModule& module = layer_.module();
    const std::vector<TorchValue> nodes = layer_.list(module.field("forwardnodes"));
    if (nodes.empty()) TorchLayer::malformed("it has no table 'forwardnodes'");
    const TorchValue in = data_of(module.field("innode")), out = data_of(module.field("outnode"));
    give_input(in);
    for (const TorchValue& node : nodes) evaluate(node);
    std::vector<TorchActivity> results = inputs_of(out);
    if (results.size() == 1) return std::move(results[0]);
    return TorchActivity(std::move(results));
  }

 private:
  [[nodiscard]] TorchValue data_of(const TorchValue& node) const {
    const TorchValue data = file_.table(node).find("data");
    if (!data.is(TorchKind::table)) TorchLayer::malformed("a node of its graph holds nothing");
    return data;
  }

  void give_input(const TorchValue& in) {
    const std::int64_t count = layer_.module().integer(
        "nInputs", static_cast<std::int64_t>(children_of(layer_.module().field("innode")).size()));
    if (count <= 1) {
      arrived_[in.at][1] = layer_.input();
      return;
    }
    if (static_cast<std::int64_t>(layer_.table().size()) != count) {
      TorchLayer::malformed(fmt::format("a table of {} comes in, not of {}", layer_.table().size(), count));
    }
    for (const TorchActivity& part : layer_.table()) {
      auto& inputs = arrived_[in.at];
      inputs[static_cast<std::int64_t>(inputs.size()) + 1] = part;
    }
  }

  [[nodiscard]] std::vector<TorchValue> children_of(const TorchValue& node) const {
    return layer_.list(file_.table(node).find("children"));
  }

  /// What has arrived at a node, in the order of its inputs.
  [[nodiscard]] std::vector<TorchActivity> inputs_of(const TorchValue& data) {
    std::vector<TorchActivity> inputs;
    for (auto& [place, activity] : arrived_[data.at]) {
      if (place != static_cast<std::int64_t>(inputs.size()) + 1) {
        TorchLayer::malformed(fmt::format("nothing comes into input {} of a node", inputs.size() + 1));
      }
      inputs.push_back(activity);
    }
    if (inputs.empty()) TorchLayer::malformed("nothing comes into a node");
    return inputs;
  }

  void evaluate(const TorchValue& node) {
    const TorchValue data = data_of(node);
    const TorchTable& fields = file_.table(data);
    std::vector<TorchActivity> inputs = inputs_of(data);
    TorchActivity y = inputs.size() == 1 ? std::move(inputs[0]) : TorchActivity(std::move(inputs));
    const TorchValue select = fields.find("selectindex"), module = fields.find("module");
    if (select.is(TorchKind::number)) {
      const auto count = static_cast<double>(y.table.size());
      if (!(select.number >= 1 && select.number <= count)) {
        TorchLayer::malformed(fmt::format("entry {} of a table of {}", select.number, count));
      }
      TorchActivity part = y.table[static_cast<std::size_t>(select.number) - 1];
      y = std::move(part);
    } else if (!module.is(TorchKind::nil)) {
      y = layer_.apply(module, y, ++modules_);
    }
    const std::vector<TorchValue> children = children_of(node);
    carried_ += y.size() * (children.size() + 1);
    if (carried_ > kMaxTorchCarried) TorchLayer::malformed("its tables grow too large");
    for (const TorchValue& child : children) {
      const TorchValue to = data_of(child);
      const TorchValue place = file_.table(file_.table(to).find("mapindex")).find(data);
      if (!place.is(TorchKind::number) || !(place.number >= 1 && place.number <= 65536)) {
        TorchLayer::malformed("a node that follows another does not know it");
      }
      arrived_[to.at][static_cast<std::int64_t>(place.number)] = y;
    }
  }

  TorchLayer& layer_;
  const TorchFile& file_;
  std::map<std::uint32_t, std::map<std::int64_t, TorchActivity>> arrived_;  ///< by data table, by input
  std::size_t modules_ = 0, carried_ = 0;
};

}  // namespace

TorchActivity convert_torch_gmodule(TorchLayer& layer) { return TorchNodes(layer).run(); }

}  // namespace octavo::graph
