// SPDX-License-Identifier: Apache-2.0
// See graph/import/node_builder.h.
#include "graph/import/node_builder.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <span>
#include <utility>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/shape_rules.h"
#include "graph/verify_rules.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

/// Whether a large constant is the same numbers at each position of its first axis, as the zeros are that a detector
/// scatters into: the graph then holds them once.
bool repeats_itself(const Blob& blob) {
  constexpr std::size_t kLarge = 64 * 1024, kLeastRow = 64;
  const std::span<const float> numbers = blob.f32.values;
  if (numbers.size() < kLarge || blob.shape[0] < 2) return false;
  const std::size_t row = numbers.size() / static_cast<std::size_t>(blob.shape[0]);
  if (row < kLeastRow) return false;
  return std::memcmp(numbers.data(), numbers.data() + row, (numbers.size() - row) * sizeof(float)) == 0;
}

}  // namespace

std::string GraphWriter::unique(Names& taken, const std::string& wanted) {
  const auto [own, is_new] = taken.try_emplace(wanted, 1);
  if (is_new) return wanted;
  int& suffix = own->second;  // stays where it is when others are added
  std::string name;
  do {
    name = fmt::format("{}_{}", wanted, suffix++);
  } while (!taken.try_emplace(name, 1).second);
  return name;
}

std::vector<ValueId> GraphWriter::add(const std::string& name, Op op, std::vector<ValueId> inputs,
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

void GraphWriter::rename_value(ValueId value, const std::string& name) {
  value_names_.erase(graph_.values[value].name);
  graph_.values[value].name = unique(value_names_, name);
}

void GraphWriter::rename_node(std::size_t node, const std::string& name) {
  node_names_.erase(graph_.nodes[node].name);
  graph_.nodes[node].name = unique(node_names_, name);
}

ValueId GraphWriter::unflattened(ValueId x) const {
  constexpr std::size_t kReach = 16;  // nodes: it stands right before its reader
  const Shape& shape = graph_.values[x].shape;
  if (shape.size() != 2) return x;
  const std::size_t count = graph_.nodes.size();
  for (std::size_t i = count; i-- > (count > kReach ? count - kReach : 0);) {
    const Node& node = graph_.nodes[i];
    if (node.outputs[0] != x) continue;
    if (!std::holds_alternative<Flatten>(node.op) && !std::holds_alternative<Reshape>(node.op)) return x;
    const Shape& before = graph_.values[node.inputs[0]].shape;
    return before.size() < 3 || before[0] != shape[0] ? x : node.inputs[0];
  }
  return x;
}

NodeBuilder::NodeBuilder(std::string name, std::vector<std::string> outputs, GraphWriter& writer, ImportBudget& budget)
    : name_(std::move(name)),
      outputs_(std::move(outputs)),
      writer_(writer),
      budget_(budget),
      first_node_(writer.graph().nodes.size()) {}

void NodeBuilder::malformed(std::string what, std::string hint) {
  throw Error(ErrorKind::malformed, std::move(what), {}, std::move(hint));
}

void NodeBuilder::unsupported(std::string what, std::string hint) {
  throw Error(ErrorKind::unsupported, std::move(what), {}, std::move(hint));
}

std::int64_t NodeBuilder::axis(std::int64_t axis, std::int64_t rank) { return canonical_axis(axis, rank); }

ImportedValue NodeBuilder::constant_value(ConstantPtr tensor) {
  ImportedValue value;
  value.type = tensor->type;
  value.shape = tensor->shape;
  value.constant = std::move(tensor);
  return value;
}

ValueId NodeBuilder::id_of(const ImportedValue& value) {
  if (value.id) return *value.id;
  if (value.constant->count() == 0) unsupported("a value without numbers");
  budget_.take(value.constant->count());
  BlobPtr blob = to_blob(*value.constant);
  if (blob->shape.empty()) blob = std::make_shared<const Blob>(Blob{{1}, blob->f32, {}, {}, 0});
  const std::int64_t times = blob->shape[0];
  if (!repeats_itself(*blob)) return writer_.add(name_ + "/constant", Constant{std::move(blob)}, {})[0];
  Blob first{blob->shape, {}, {}, {}, 0};
  first.shape[0] = 1;
  first.f32 = {blob->f32.values.first(blob->f32.values.size() / static_cast<std::size_t>(times)), blob->f32.owner};
  const ValueId once =
      writer_.add(name_ + "/constant", Constant{std::make_shared<const Blob>(std::move(first))}, {})[0];
  return writer_.add(name_ + "/repeated", Tile{.axis = 0, .tiles = times}, {once})[0];
}

std::vector<ImportedValue> NodeBuilder::add_many(Op op, const std::vector<ImportedValue>& inputs, std::size_t outputs) {
  std::vector<ValueId> ids;
  for (const ImportedValue& input : inputs) ids.push_back(id_of(input));
  const std::string name = fmt::format("{}/{}", name_, op_name(op));
  std::vector<ImportedValue> values;
  for (const ValueId id : writer_.add(name, std::move(op), std::move(ids), outputs)) {
    ImportedValue& value = values.emplace_back();
    value.type = inputs.empty() ? ElementType::float32 : inputs[0].type;
    value.shape = writer_.graph().values[id].shape;
    value.id = id;
  }
  return values;
}

ImportedValue NodeBuilder::add(Op op, const std::vector<ImportedValue>& inputs) {
  return add_many(std::move(op), inputs, 1)[0];
}

ImportedValue NodeBuilder::add_unary(UnaryKind kind, const ImportedValue& x, float alpha, float beta, float gamma) {
  ImportedValue y = add(Unary{.kind = kind, .alpha = alpha, .beta = beta, .gamma = gamma}, {x});
  y.shape = x.shape;
  return y;
}

ImportedValue NodeBuilder::add_affine(const ImportedValue& x, float scale, float shift) {
  return add_unary(UnaryKind::power, x, shift, scale, 1.0F);
}

ImportedValue NodeBuilder::add_binary(BinaryKind kind, const ImportedValue& a, const ImportedValue& b) {
  ImportedValue y = add(Binary{.kind = kind}, {a, b});
  if (a.shape.empty() && b.shape.empty()) y.shape.clear();
  return y;
}

ImportedValue NodeBuilder::add_reshape(const ImportedValue& x, const Shape& shape) {
  return add_reshape(x, shape, shape);
}

ImportedValue NodeBuilder::add_reshape(const ImportedValue& x, const Shape& shape, std::vector<std::int64_t> dims) {
  const auto held = [](const Shape& onnx) { return onnx.empty() ? Shape{1} : onnx; };
  ImportedValue y = x;
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

ImportedValue NodeBuilder::add_permute(const ImportedValue& x, const std::vector<std::int64_t>& order) {
  bool moves = false;
  for (std::size_t i = 0; i < order.size(); ++i) moves = moves || order[i] != static_cast<std::int64_t>(i);
  if (!moves) return x;
  ImportedValue y = add(Permute{.order = order}, {x});
  y.dequantized = x.dequantized;
  return y;
}

ImportedValue NodeBuilder::unflattened(const ImportedValue& x) const {
  if (!x.id || x.shape.size() != 2) return x;
  ImportedValue y = x;
  y.id = writer_.unflattened(*x.id);
  if (*y.id != *x.id) y.shape = writer_.graph().values[*y.id].shape;
  return y;
}

std::optional<ImportedValue> NodeBuilder::untiled(const ImportedValue& x, std::int64_t axis) {
  if (!x.id || x.shape.empty()) return std::nullopt;
  const Graph& graph = writer_.graph();
  ImportedValue y = x;
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    if (node.outputs[0] != *y.id) continue;
    const auto* const tile = std::get_if<Tile>(&node.op);
    if (tile == nullptr || tile->axis == axis) break;
    y.id = node.inputs[0];
    y.shape = graph.values[*y.id].shape;
  }
  const std::int64_t size = x.shape.at(static_cast<std::size_t>(axis));
  if (y.shape.size() != x.shape.size() || element_count(y.shape) != size) return std::nullopt;
  if (y.shape.at(static_cast<std::size_t>(axis)) != size) return std::nullopt;
  return add_reshape(y, {size});
}

void NodeBuilder::results(std::vector<ImportedValue> values) { results_ = std::move(values); }

std::vector<ImportedValue> NodeBuilder::finish() {
  // In one pass: a node may have tens of thousands of results.
  Graph& graph = writer_.graph();
  std::multimap<ValueId, std::size_t> results_of;
  for (std::size_t i = 0; i < results_.size() && i < outputs_.size(); ++i) {
    if (results_[i].id && !outputs_[i].empty()) results_of.emplace(*results_[i].id, i);
  }
  std::map<std::size_t, std::size_t> nodes_of;  // by result
  for (std::size_t n = first_node_; n < graph.nodes.size(); ++n) {
    for (const ValueId made : graph.nodes[n].outputs) {
      const auto [begin, end] = results_of.equal_range(made);
      for (auto result = begin; result != end; ++result) nodes_of.emplace(result->second, n);
    }
  }
  for (const auto& [result, node] : nodes_of) writer_.rename_value(*results_[result].id, outputs_[result]);
  if (!nodes_of.empty()) writer_.rename_node(nodes_of.begin()->second, name_);
  return std::move(results_);
}

const ConstantTensor& known_numbers(const ImportedValue& value, std::string_view what) {
  if (!value.is_constant()) {
    NodeBuilder::unsupported(fmt::format("its {} are computed by the network", what),
                             "octavo needs them as constants of the file");
  }
  return *value.constant;
}

float known_number(const ImportedValue& value, std::string_view what) {
  const ConstantTensor& tensor = known_numbers(value, what);
  if (tensor.count() != 1) NodeBuilder::malformed(fmt::format("its {} is not one number", what));
  return static_cast<float>(tensor.real(0));
}

}  // namespace octavo::graph
