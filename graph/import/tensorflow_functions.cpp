// SPDX-License-Identifier: Apache-2.0
// See graph/import/tensorflow_functions.h.
#include "graph/import/tensorflow_functions.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>
#include <utility>

#include "graph/import/tensorflow_limits.h"
#include "graph/import/wire_reader.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

namespace attr_value {
constexpr std::uint32_t function = 10, function_name = 1;
}

/// The function that a node calls; empty for a node that calls none.
std::string called_function(const TensorflowNodeDef& node) {
  if (node.op != "PartitionedCall" && node.op != "StatefulPartitionedCall") return {};
  for (const auto& [name, message] : node.attributes) {
    if (name != "f") continue;
    WireReader reader(message);
    while (const auto field = reader.next()) {
      if (field->number != attr_value::function || !field->is_bytes()) continue;
      WireReader parts(field->bytes);
      while (const auto part = parts.next()) {
        if (part->number == attr_value::function_name && part->is_bytes()) {
          return {reinterpret_cast<const char*>(part->bytes.data()),
                  std::min(part->bytes.size(), kMaxTensorflowNameBytes)};
        }
      }
    }
  }
  return {};
}

/// Outputs with names, of operators that have several: the number of each among them. Operators that are not here
/// have one name for all outputs.
std::size_t first_of_output(std::string_view op, std::string_view output) {
  static const std::map<std::string_view, std::vector<std::string_view>> kNames{
      {"CombinedNonMaxSuppression", {"nmsed_boxes", "nmsed_scores", "nmsed_classes", "valid_detections"}},
      {"FusedBatchNorm", {"y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2"}},
      {"FusedBatchNormV2", {"y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2"}},
      {"FusedBatchNormV3",
       {"y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2", "reserve_space_3"}},
      {"NonMaxSuppressionV4", {"selected_indices", "valid_outputs"}},
      {"NonMaxSuppressionV5", {"selected_indices", "selected_scores", "valid_outputs"}},
      {"TopK", {"values", "indices"}},
      {"TopKV2", {"values", "indices"}},
      {"Switch", {"output_false", "output_true"}},
      {"Merge", {"output", "value_index"}},
      {"Unique", {"y", "idx"}},
  };
  const auto found = kNames.find(op);
  if (found == kNames.end()) return 0;
  const auto at = std::find(found->second.begin(), found->second.end(), output);
  return at == found->second.end() ? 0 : static_cast<std::size_t>(at - found->second.begin());
}

class Inliner {
 public:
  explicit Inliner(const std::map<std::string, TensorflowFunction>& functions) : functions_(functions) {}

  InlinedNodes run(std::vector<TensorflowNodeDef> nodes) {
    for (TensorflowNodeDef& node : nodes) add(std::move(node), 0);
    for (TensorflowNodeDef& node : result_) {
      for (std::string& input : node.inputs) input = resolved(input);
    }
    std::map<std::string, std::string> results;
    for (const auto& [name, made_by] : aliases_) results[name] = resolved(name);
    return {std::move(result_), std::move(results)};
  }

 private:
  void add(TensorflowNodeDef node, int depth) {
    const std::string callee = called_function(node);
    if (callee.empty()) {
      if (result_.size() == kMaxTensorflowNodes) {
        throw Error(ErrorKind::malformed, "too many nodes in the functions that are called");
      }
      result_.push_back(std::move(node));
      return;
    }
    const auto found = functions_.find(callee);
    if (found == functions_.end()) {
      throw Error(ErrorKind::malformed, fmt::format("node '{}' calls '{}', which is not there", node.name, callee));
    }
    if (++calls_ > kMaxTensorflowNodes) throw Error(ErrorKind::malformed, "too many calls of functions");
    if (depth == kMaxTensorflowCallDepth) {
      throw Error(ErrorKind::malformed, fmt::format("functions call each other too deeply, at '{}'", callee));
    }
    expand(node, found->second, depth);
  }

  /// The body's nodes under the call's name; what the body reads and returns, by the names of the whole graph.
  void expand(const TensorflowNodeDef& call, const TensorflowFunction& function, int depth) {
    std::map<std::string, std::string> arguments, ops;
    for (std::size_t i = 0; i < function.inputs.size(); ++i) {
      if (i < call.inputs.size()) arguments[function.inputs[i]] = call.inputs[i];
    }
    for (const TensorflowNodeDef& node : function.nodes) ops[node.name] = node.op;
    const auto outside = [&](const std::string& inside) {
      if (const auto argument = arguments.find(inside); argument != arguments.end()) return argument->second;
      const std::size_t colon = inside.find(':');
      const std::string name = inside.substr(0, colon);
      std::size_t number = 0;
      if (colon != std::string::npos) {
        const std::size_t last = inside.rfind(':');
        const std::string output = last == colon ? std::string() : inside.substr(colon + 1, last - colon - 1);
        std::from_chars(inside.data() + last + 1, inside.data() + inside.size(), number);
        const auto op = ops.find(name);
        if (op != ops.end()) number += first_of_output(op->second, output);
      }
      const std::string prefixed = call.name + "/" + name;
      return number == 0 ? prefixed : fmt::format("{}:{}", prefixed, number);
    };
    for (const TensorflowNodeDef& inner : function.nodes) {
      TensorflowNodeDef node = inner;
      node.name = call.name + "/" + inner.name;
      if (node.name.size() > kMaxTensorflowNameBytes) {
        throw Error(ErrorKind::malformed, "names of more than 4096 bytes in the functions that are called");
      }
      for (std::string& input : node.inputs) input = outside(input);
      for (std::string& control : node.controls) control = call.name + "/" + control;
      add(std::move(node), depth + 1);
    }
    for (std::size_t i = 0; i < function.results.size(); ++i) {
      const std::string made_by = outside(function.results[i].second);
      aliases_[i == 0 ? call.name : fmt::format("{}:{}", call.name, i)] = made_by;
    }
  }

  /// What a call's result is, through calls within calls.
  [[nodiscard]] std::string resolved(std::string name) const {
    for (int depth = 0; depth <= kMaxTensorflowCallDepth + 1; ++depth) {
      const auto alias = aliases_.find(name);
      if (alias == aliases_.end()) return name;
      name = alias->second;
    }
    throw Error(ErrorKind::malformed, fmt::format("the result '{}' is made of itself", name));
  }

  const std::map<std::string, TensorflowFunction>& functions_;
  std::map<std::string, std::string> aliases_;
  std::vector<TensorflowNodeDef> result_;
  std::size_t calls_ = 0;
};

}  // namespace

InlinedNodes with_functions_inlined(std::vector<TensorflowNodeDef> nodes,
                                    const std::map<std::string, TensorflowFunction>& functions) {
  if (functions.empty()) return {std::move(nodes), {}};
  return Inliner(functions).run(std::move(nodes));
}

}  // namespace octavo::graph
