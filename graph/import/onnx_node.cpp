// SPDX-License-Identifier: Apache-2.0
// See graph/import/onnx_node.h.
#include "graph/import/onnx_node.h"

#include <fmt/core.h>

#include <utility>

namespace octavo::graph {
namespace {

std::string name_of_node(const OnnxNodeProto& proto) {
  if (!proto.name.empty()) return proto.name;
  return proto.outputs.empty() || proto.outputs[0].empty() ? proto.op_type : proto.outputs[0];
}

}  // namespace

OnnxNode::OnnxNode(const OnnxNodeProto& proto, const OnnxTensorSource& source, std::int64_t opset,
                   std::vector<std::optional<ImportedValue>> inputs, GraphWriter& writer, ImportBudget& budget)
    : NodeBuilder(name_of_node(proto), proto.outputs, writer, budget),
      type_(proto.op_type),
      attributes_(proto, source),
      opset_(opset),
      inputs_(std::move(inputs)) {}

const ImportedValue& OnnxNode::input(std::size_t i) const {
  if (!has_input(i)) malformed(fmt::format("it has no input {}", i));
  return *inputs_[i];
}

void OnnxNode::set_input(std::size_t i, ImportedValue value) {
  if (i >= inputs_.size()) inputs_.resize(i + 1);
  inputs_[i] = std::move(value);
}

std::optional<std::vector<std::int64_t>> OnnxNode::integers(std::size_t i, std::string_view what) const {
  if (!has_input(i)) return std::nullopt;
  return to_integers(constant(i, what));
}

}  // namespace octavo::graph
