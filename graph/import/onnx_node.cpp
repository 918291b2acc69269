// SPDX-License-Identifier: Apache-2.0
// See graph/import/onnx_node.h.
#include "graph/import/onnx_node.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/shape_rules.h"
#include "graph/verify_rules.h"
#include "octavo/error.h"

namespace octavo::graph {

std::string OnnxGraphWriter::unique(std::unordered_set<std::string>& taken, const std::string& wanted) {
  std::string name = wanted;
  for (int suffix = 1; !taken.insert(name).second; ++suffix) name = fmt::format("{}_{}", wanted, suffix);
  return name;
}

std::vector<ValueId> OnnxGraphWriter::add(const std::string& name, Op op, std::vector<ValueId> inputs,
                                          std::size_t outputs) {
  const Arity arity = arity_of(op);
  require(inputs.size() >= arity.min_inputs && inputs.size() <= arity.max_inputs && outputs > 0 &&
              outputs <= arity.max_outputs,
          "{} inputs and {} outputs do not make a {}", inputs.size(), outputs, op_name(op));
  verify_op(op, inputs.size());
  Shapes shapes;
  for (const ValueId input : inputs) shapes.push_back(graph_.values[input].shape);
  const Shapes results = output_shapes(op, shapes, outputs);
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < outputs; ++i) {
    values.push_back(graph_.values.size());
    graph_.values.push_back({unique(value_names_, name), results.at(i)});
  }
  graph_.add_node(unique(node_names_, name), std::move(op), std::move(inputs), values);
  return values;
}

void OnnxGraphWriter::rename_value(ValueId value, const std::string& name) {
  value_names_.erase(graph_.values[value].name);
  graph_.values[value].name = unique(value_names_, name);
}

void OnnxGraphWriter::rename_node(std::size_t node, const std::string& name) {
  node_names_.erase(graph_.nodes[node].name);
  graph_.nodes[node].name = unique(node_names_, name);
}

OnnxNode::OnnxNode(const OnnxNodeProto& proto, const OnnxTensorSource& source, std::int64_t opset,
                   std::vector<std::optional<OnnxValue>> inputs, OnnxGraphWriter& writer, OnnxBudget& budget)
    : proto_(proto),
      attributes_(proto, source),
      opset_(opset),
      inputs_(std::move(inputs)),
      writer_(writer),
      budget_(budget),
      first_node_(writer.graph().nodes.size()) {}

void OnnxNode::malformed(std::string what, std::string hint) {
  throw Error(ErrorKind::malformed, std::move(what), {}, std::move(hint));
}

void OnnxNode::unsupported(std::string what, std::string hint) {
  throw Error(ErrorKind::unsupported, std::move(what), {}, std::move(hint));
}

std::int64_t OnnxNode::axis(std::int64_t axis, std::int64_t rank) { return canonical_axis(axis, rank); }

const OnnxValue& OnnxNode::input(std::size_t i) const {
  if (!has_input(i)) malformed(fmt::format("it has no input {}", i));
  return *inputs_[i];
}

const OnnxTensor& OnnxNode::constant(std::size_t i, std::string_view what) const {
  const OnnxValue& value = input(i);
  if (!value.is_constant()) {
    unsupported(fmt::format("its {} are computed by the network", what), "octavo needs them as constants of the file");
  }
  return *value.constant;
}

std::optional<std::vector<std::int64_t>> OnnxNode::integers(std::size_t i, std::string_view what) const {
  if (!has_input(i)) return std::nullopt;
  return to_integers(constant(i, what));
}

float OnnxNode::scalar(std::size_t i, std::string_view what) const {
  const OnnxTensor& tensor = constant(i, what);
  if (tensor.count() != 1) malformed(fmt::format("its {} is not one number", what));
  return static_cast<float>(tensor.real(0));
}

std::string OnnxNode::base_name() const {
  if (!proto_.name.empty()) return proto_.name;
  return proto_.outputs.empty() || proto_.outputs[0].empty() ? proto_.op_type : proto_.outputs[0];
}

OnnxValue OnnxNode::constant_value(OnnxTensorPtr tensor) {
  OnnxValue value;
  value.type = tensor->type;
  value.shape = tensor->shape;
  value.constant = std::move(tensor);
  return value;
}

ValueId OnnxNode::id_of(const OnnxValue& value) {
  if (value.id) return *value.id;
  if (value.constant->count() == 0) unsupported("a value without numbers");
  budget_.take(value.constant->count());
  BlobPtr blob = to_blob(*value.constant);
  if (blob->shape.empty()) blob = std::make_shared<const Blob>(Blob{{1}, blob->f32, {}, {}, 0});
  return writer_.add(base_name() + "/constant", Constant{std::move(blob)}, {})[0];
}

std::vector<OnnxValue> OnnxNode::add_many(Op op, const std::vector<OnnxValue>& inputs, std::size_t outputs) {
  std::vector<ValueId> ids;
  for (const OnnxValue& input : inputs) ids.push_back(id_of(input));
  const std::string name = fmt::format("{}/{}", base_name(), op_name(op));
  std::vector<OnnxValue> values;
  for (const ValueId id : writer_.add(name, std::move(op), std::move(ids), outputs)) {
    OnnxValue& value = values.emplace_back();
    value.type = inputs.empty() ? OnnxType::float32 : inputs[0].type;
    value.shape = writer_.graph().values[id].shape;
    value.id = id;
  }
  return values;
}

OnnxValue OnnxNode::add(Op op, const std::vector<OnnxValue>& inputs) { return add_many(std::move(op), inputs, 1)[0]; }

OnnxValue OnnxNode::add_unary(UnaryKind kind, const OnnxValue& x, float alpha, float beta, float gamma) {
  OnnxValue y = add(Unary{.kind = kind, .alpha = alpha, .beta = beta, .gamma = gamma}, {x});
  y.shape = x.shape;
  return y;
}

OnnxValue OnnxNode::add_affine(const OnnxValue& x, float scale, float shift) {
  return add_unary(UnaryKind::power, x, shift, scale, 1.0F);
}

OnnxValue OnnxNode::add_binary(BinaryKind kind, const OnnxValue& a, const OnnxValue& b) {
  OnnxValue y = add(Binary{.kind = kind}, {a, b});
  if (a.shape.empty() && b.shape.empty()) y.shape.clear();
  return y;
}

OnnxValue OnnxNode::add_reshape(const OnnxValue& x, const Shape& shape) { return add_reshape(x, shape, shape); }

OnnxValue OnnxNode::add_reshape(const OnnxValue& x, const Shape& shape, std::vector<std::int64_t> dims) {
  const auto held = [](const Shape& onnx) { return onnx.empty() ? Shape{1} : onnx; };
  OnnxValue y = x;
  y.shape = shape;
  if (held(x.shape) == held(shape)) return y;
  if (dims.empty()) dims = {1};
  const Shape before = held(x.shape);
  if (dims[0] == before[0] && dims.size() > 1) dims[0] = 0;
  const bool dequantized = x.dequantized;
  y = add(Reshape{.dims = std::move(dims)}, {x});
  y.shape = shape;
  y.dequantized = dequantized;
  return y;
}

OnnxValue OnnxNode::add_permute(const OnnxValue& x, const std::vector<std::int64_t>& order) {
  bool moves = false;
  for (std::size_t i = 0; i < order.size(); ++i) moves = moves || order[i] != static_cast<std::int64_t>(i);
  if (!moves) return x;
  OnnxValue y = add(Permute{.order = order}, {x});
  y.dequantized = x.dequantized;
  return y;
}

OnnxValue OnnxNode::unflattened(const OnnxValue& x) const {
  constexpr std::size_t kReach = 16;  // nodes: it stands right before its reader
  const Graph& graph = writer_.graph();
  if (!x.id || x.shape.size() != 2) return x;
  const std::size_t count = graph.nodes.size();
  for (std::size_t i = count; i-- > (count > kReach ? count - kReach : 0);) {
    const Node& node = graph.nodes[i];
    if (node.outputs[0] != *x.id) continue;
    const auto* flatten = std::get_if<Flatten>(&node.op);
    if (flatten == nullptr && !std::holds_alternative<Reshape>(node.op)) return x;
    const Shape& before = graph.values[node.inputs[0]].shape;
    if (before.size() < 3 || before[0] != x.shape[0]) return x;
    OnnxValue y = x;
    y.id = node.inputs[0];
    y.shape = before;
    return y;
  }
  return x;
}

void OnnxNode::results(std::vector<OnnxValue> values) { results_ = std::move(values); }

std::vector<OnnxValue> OnnxNode::finish() {
  Graph& graph = writer_.graph();
  bool named = false;
  for (std::size_t i = 0; i < results_.size() && i < proto_.outputs.size(); ++i) {
    if (!results_[i].id || proto_.outputs[i].empty()) continue;
    const ValueId value = *results_[i].id;
    for (std::size_t n = first_node_; n < graph.nodes.size(); ++n) {
      const auto& made = graph.nodes[n].outputs;
      if (std::find(made.begin(), made.end(), value) == made.end()) continue;
      writer_.rename_value(value, proto_.outputs[i]);
      if (!named) writer_.rename_node(n, base_name());
      named = true;
    }
  }
  return std::move(results_);
}

}  // namespace octavo::graph
