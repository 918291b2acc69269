// SPDX-License-Identifier: Apache-2.0
// Shapes of all values, node by node: see graph/graph.h. The rules stand in shape_inference_*.cpp.
#include "graph/axes.h"
#include "graph/check.h"
#include "graph/graph.h"
#include "graph/shape_rules.h"
#include "graph/verify_rules.h"

namespace octavo::graph {
namespace {

Shape shape_of(const IntegerConvolution& op, const Shapes& inputs) { return shape_of(op.conv, inputs); }
Shape shape_of(const IntegerLinear& op, const Shapes& inputs) { return shape_of(op.linear, inputs); }
Shape shape_of(const FusedConvolution& op, const Shapes& inputs) {
  Shape out = shape_of(op.conv, inputs);
  if (!op.pool) return out;
  require(out[2] % 2 == 0 && out[3] % 2 == 0, "the layer pools 2x2, which {} cannot be cut into", to_text(out));
  return {out[0], out[1], out[2] / 2, out[3] / 2};
}
Shape shape_of(const FusedLinear& op, const Shapes& inputs) { return shape_of(op.linear, inputs); }

Shape shape_of(const Input& op, const Shapes&) {
  require(!op.shape.empty(), "the input's shape is not known; pass one");
  return op.shape;
}

struct Rules {
  const Shapes& inputs;
  std::size_t outputs;

  Shapes operator()(const Slice& op) const { return shapes_of(op, inputs[0], outputs); }
  Shapes operator()(const Identity&) const { return Shapes(outputs, inputs[0]); }
  template <class T>
  Shapes operator()(const T& op) const {
    return {shape_of(op, inputs)};
  }
};

std::string listed(const Shapes& shapes) {
  std::string text;
  for (const Shape& shape : shapes) text += (text.empty() ? "" : ", ") + to_text(shape);
  return text;
}

void check_size(const Shape& shape) {
  for (const std::int64_t dim : shape) require(dim > 0, "the shape {} has an empty dimension", to_text(shape));
  require(element_count(shape) <= kMaxElements, "the shape {} has more than 2^40 elements", to_text(shape));
}

}  // namespace

std::int64_t rank_of(const Shape& shape) { return static_cast<std::int64_t>(shape.size()); }

std::size_t axis_of(std::int64_t axis, const Shape& shape) {
  return static_cast<std::size_t>(canonical_axis(axis, rank_of(shape)));
}

Shape at_least_one(Shape shape) {
  if (shape.empty()) shape.push_back(1);
  return shape;
}

Shapes output_shapes(const Op& op, const Shapes& inputs, std::size_t outputs) {
  Shapes shapes = std::visit(Rules{inputs, outputs}, op);
  for (const Shape& shape : shapes) check_size(shape);
  return shapes;
}

void infer_shapes(Graph& graph, const std::map<std::string, Shape>& input_shapes) {
  verify_structure(graph);  // the rules rely on it
  for (const auto& [name, shape] : input_shapes) {
    const Node* node = graph.find_node(name);
    require(node != nullptr && std::holds_alternative<Input>(node->op), "there is no input '{}' to give a shape to",
            name);
  }
  // Apart from the graph, which stays as it was when a rule is broken.
  Shapes shapes(graph.values.size());
  for (const Node& node : graph.nodes) {
    Shapes inputs;
    for (const ValueId value : node.inputs) inputs.push_back(shapes[value]);
    try {
      const auto given = node.inputs.empty() ? input_shapes.find(node.name) : input_shapes.end();
      const Op& op = given == input_shapes.end() ? node.op : Op{Input{given->second}};
      const Shapes outputs = output_shapes(op, inputs, node.outputs.size());
      for (std::size_t i = 0; i < outputs.size(); ++i) shapes[node.outputs[i]] = outputs[i];
    } catch (const Error& error) {
      throw Error(error.kind(), error.what(), place_of(node), inputs.empty() ? "" : "inputs: " + listed(inputs));
    }
  }
  for (Node& node : graph.nodes) {
    if (auto* input = std::get_if<Input>(&node.op)) input->shape = shapes[node.outputs[0]];
  }
  for (ValueId value = 0; value < shapes.size(); ++value) graph.values[value].shape = std::move(shapes[value]);
}

}  // namespace octavo::graph
