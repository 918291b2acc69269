// SPDX-License-Identifier: Apache-2.0
// See graph/import/tensorflow_restore.h.
#include "graph/import/tensorflow_restore.h"

#include <fmt/core.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "graph/import/tensorflow_attributes.h"
#include "graph/import/tensorflow_limits.h"
#include "graph/import/wire_reader.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

constexpr int kMaxIdentities = 32;  // between what is read and where it is assigned; TensorFlow writes one

// Fields of AttrValue, and of its tensor.
namespace attribute_value {
constexpr std::uint32_t tensor = 8, text_of_tensor = 8;
}

/// An output of a node.
struct RestoreSource {
  const TensorflowNodeDef* node = nullptr;
  std::size_t output = 0;
};

/// A variable is one among all nodes that stand for it: by its shared name, or by the node's.
std::string variable_name(const TensorflowNodeDef& node) {
  ImportBudget budget(0);
  const std::string shared = TensorflowAttributes(node, nullptr, budget).text("shared_name", "");
  return shared.empty() ? node.name : shared;
}

/// The strings of a constant.
std::vector<std::string> texts_of_constant(const TensorflowNodeDef& node) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : node.attributes) {
    if (name != "value") continue;
    WireReader parts(value);
    while (const auto part = parts.next()) {
      if (part->number != attribute_value::tensor || !part->is_bytes()) continue;
      WireReader tensor(part->bytes);
      while (const auto text = tensor.next()) {
        if (text->number != attribute_value::text_of_tensor || !text->is_bytes()) continue;
        if (texts.size() == kMaxTensorflowNodes || text->bytes.size() > kMaxTensorflowNameBytes) {
          throw Error(ErrorKind::malformed, fmt::format("node '{}' is no list of plausible names", node.name));
        }
        texts.emplace_back(reinterpret_cast<const char*>(text->bytes.data()), text->bytes.size());
      }
    }
  }
  return texts;
}

class RestoreReader {
 public:
  explicit RestoreReader(const std::vector<TensorflowNodeDef>& nodes) : nodes_(nodes) {
    positions_.reserve(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) positions_.emplace(nodes[i].name, i);
  }

  std::map<std::string, std::string> run(const std::string& restore) {
    for (const std::size_t position : reached_from(restore)) {
      const TensorflowNodeDef& node = nodes_[position];
      const bool assigns = node.op == "AssignVariableOp" || node.op == "Assign";
      if (assigns && node.inputs.size() >= 2) add(node);
    }
    return std::move(keys_);
  }

 private:
  void add(const TensorflowNodeDef& assignment) {
    const RestoreSource variable = source_of(assignment.inputs[0]), value = source_of(assignment.inputs[1]);
    if (variable.node == nullptr || value.node == nullptr) return;
    if (value.node->op != "RestoreV2" || value.node->inputs.size() < 2) return;
    const RestoreSource names = source_of(value.node->inputs[1]);
    if (names.node == nullptr || names.node->op != "Const") return;
    const std::vector<std::string>& keys = texts_of(*names.node);
    if (value.output >= keys.size()) return;
    const std::string name = variable_name(*variable.node);
    const auto [known, added] = keys_.emplace(name, keys[value.output]);
    if (!added && known->second != keys[value.output]) {
      throw Error(ErrorKind::malformed, fmt::format("the variable '{}' is restored from '{}' and from '{}'", name,
                                                    known->second, keys[value.output]));
    }
  }

  [[nodiscard]] std::optional<std::size_t> position_of(const std::string& name) const {
    const auto found = positions_.find(name);
    return found == positions_.end() ? std::nullopt : std::optional(found->second);
  }

  [[nodiscard]] RestoreSource named(const std::string& name) const {
    if (const auto position = position_of(name)) return {&nodes_[*position], 0};
    const std::size_t colon = name.rfind(':');
    if (colon == std::string::npos) return {};
    RestoreSource source;
    const char* end = name.data() + name.size();
    const auto [stop, problem] = std::from_chars(name.data() + colon + 1, end, source.output);
    if (problem != std::errc{} || stop != end) return {};
    if (const auto position = position_of(name.substr(0, colon))) source.node = &nodes_[*position];
    return source;
  }

  /// What makes a value, behind the nodes that hand it on.
  [[nodiscard]] RestoreSource source_of(const std::string& name) const {
    RestoreSource source = named(name);
    for (int i = 0; source.node != nullptr && source.node->op == "Identity"; ++i) {
      if (i == kMaxIdentities || source.node->inputs.empty()) return {};
      source = named(source.node->inputs[0]);
    }
    return source;
  }

  /// The nodes that run when `restore` does: its own, if it was a call, and all that those wait for.
  [[nodiscard]] std::vector<std::size_t> reached_from(const std::string& restore) const {
    std::vector<bool> seen(nodes_.size(), false);
    std::vector<std::size_t> reached;
    const auto reach = [&](std::size_t position) {
      if (!seen[position]) reached.push_back(position);
      seen[position] = true;
    };
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const std::string_view name = nodes_[i].name;
      if (name.starts_with(restore) && (name.size() == restore.size() || name[restore.size()] == '/')) reach(i);
    }
    for (std::size_t next = 0; next < reached.size(); ++next) {
      const TensorflowNodeDef& node = nodes_[reached[next]];
      for (const std::string& input : node.inputs) {
        if (const RestoreSource source = named(input); source.node != nullptr) {
          reach(static_cast<std::size_t>(source.node - nodes_.data()));
        }
      }
      for (const std::string& control : node.controls) {
        if (const auto position = position_of(control)) reach(*position);
      }
    }
    return reached;
  }

  const std::vector<std::string>& texts_of(const TensorflowNodeDef& constant) {
    const auto [entry, added] = texts_.try_emplace(&constant);
    if (added) entry->second = texts_of_constant(constant);
    return entry->second;
  }

  const std::vector<TensorflowNodeDef>& nodes_;
  std::unordered_map<std::string, std::size_t> positions_;
  std::map<const TensorflowNodeDef*, std::vector<std::string>> texts_;
  std::map<std::string, std::string> keys_;
};

}  // namespace

std::map<std::string, std::string> restored_variables(const std::vector<TensorflowNodeDef>& nodes,
                                                      const std::string& restore) {
  if (restore.empty()) return {};
  return RestoreReader(nodes).run(restore);
}

}  // namespace octavo::graph
