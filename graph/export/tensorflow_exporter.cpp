// SPDX-License-Identifier: Apache-2.0
// What all ops share: names, orders of dimensions, constants, the last node. See graph/export/tensorflow_exporter.h.
#include "graph/export/tensorflow_exporter.h"

#include <algorithm>
#include <variant>

#include "graph/axes.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

/// Ops that work on maps, and read their first input as one.
bool works_on_maps(const Node& node) {
  const Op& op = node.op;
  return std::holds_alternative<Convolution>(op) || std::holds_alternative<Deconvolution>(op) ||
         std::holds_alternative<Pool>(op) || std::holds_alternative<Lrn>(op) || std::holds_alternative<BatchNorm>(op) ||
         std::holds_alternative<Resize>(op);
}

/// What prepares a picture: a function of each number or channel.
bool prepares_pictures(const Node& node) {
  if (const auto* scale = std::get_if<Scale>(&node.op)) {
    if (node.inputs.size() != 1) return false;
    const Shape& shape = scale->factor ? scale->factor->shape : scale->offset->shape;
    return shape.empty() || (shape.size() == 1 && scale->axis == 1);
  }
  const auto* unary = std::get_if<Unary>(&node.op);
  return unary != nullptr && (unary->kind == UnaryKind::power || unary->kind == UnaryKind::relu);
}

/// Whether a value is read as a map only, as the importer finds out of a placeholder, too.
bool read_as_map(const Graph& graph, ValueId value) {
  while (std::find(graph.outputs.begin(), graph.outputs.end(), value) == graph.outputs.end()) {
    const std::vector<const Node*> readers = graph.consumers(value);
    if (readers.empty()) return false;
    if (std::all_of(readers.begin(), readers.end(), [](const Node* reader) { return works_on_maps(*reader); })) {
      return true;
    }
    if (readers.size() > 1 || !prepares_pictures(*readers[0])) return false;
    value = readers[0]->outputs[0];
  }
  return false;
}

}  // namespace

void TensorflowNodeExporter::run() {
  std::visit([this](const auto& op) { write(op); }, node_.op);
}

void TensorflowNodeExporter::cannot(const std::string& what) {
  throw Error(ErrorKind::unsupported, "TensorFlow cannot say " + what);
}

void TensorflowNodeExporter::not_written(std::string_view op) {
  throw Error(ErrorKind::unsupported, "octavo does not write " + std::string(op) + " for TensorFlow");
}

std::string TensorflowNodeExporter::plain_name(ValueId value) {
  if (const auto found = names_.plain.find(value); found != names_.plain.end()) return found->second;
  const std::string& known = names_.pixels.at(value);
  const std::string order = writer_.integers(known + "/order", {0, 3, 1, 2});
  const std::string name = writer_.unique(known + "/channels_first");
  writer_.node("Transpose", name, {known, order}).set("T", tensorflow::DT_FLOAT).set("Tperm", tensorflow::DT_INT32);
  return names_.plain[value] = name;
}

std::string TensorflowNodeExporter::pixels_name(ValueId value) {
  if (const auto found = names_.pixels.find(value); found != names_.pixels.end()) return found->second;
  const std::string& known = names_.plain.at(value);
  const std::string order = writer_.integers(known + "/order", {0, 2, 3, 1});
  const std::string name = writer_.unique(known + "/channels_last");
  writer_.node("Transpose", name, {known, order}).set("T", tensorflow::DT_FLOAT).set("Tperm", tensorflow::DT_INT32);
  return names_.pixels[value] = name;
}

bool TensorflowNodeExporter::in_pixels() const {
  bool found = false;
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
    if (in_shape(i).size() != 4) return false;
    found = found || names_.pixels.contains(node_.inputs[i]);
  }
  return found && out_shape().size() == 4;
}

std::int64_t TensorflowNodeExporter::own_axis(std::int64_t axis) const {
  if (!pixels_ || axis == 0) return axis;
  return axis == 1 ? 3 : axis - 1;
}

TensorflowNodeWriter TensorflowNodeExporter::step(std::string_view type, const std::vector<std::string>& inputs,
                                                  std::string& result) {
  result = writer_.unique(part(type));
  TensorflowNodeWriter writer = writer_.node(type, result, inputs);
  writer.set("T", tensorflow::DT_FLOAT);
  return writer;
}

std::string TensorflowNodeExporter::step(std::string_view type, const std::vector<std::string>& inputs) {
  std::string result;
  step(type, inputs, result);
  return result;
}

TensorflowNodeWriter TensorflowNodeExporter::last(std::string_view type, const std::vector<std::string>& inputs) {
  const std::string& name = writer_.own(out_name());
  (pixels_ ? names_.pixels : names_.plain)[node_.outputs[0]] = name;
  TensorflowNodeWriter writer = writer_.node(type, name, inputs);
  writer.set("T", tensorflow::DT_FLOAT);
  return writer;
}

TensorflowNodeWriter TensorflowNodeExporter::layer(std::string_view type, const std::vector<std::string>& inputs,
                                                   bool alone, std::string& result) {
  return alone ? last(type, inputs) : step(type, inputs, result);
}

void TensorflowNodeExporter::done(const std::string& made) { last("Identity", {made}); }

std::string TensorflowNodeExporter::constant(std::string_view name, const Shape& shape, std::span<const float> values) {
  return writer_.floats(part(name), shape, values);
}

std::string TensorflowNodeExporter::constant(std::string_view name, float value) {
  return constant(name, {}, std::span<const float>(&value, 1));
}

std::string TensorflowNodeExporter::constant(std::string_view name, const Blob& blob, const Shape& shape) {
  if (!blob.quantized()) return constant(name, shape, blob.f32.values);
  return constant(name, shape, to_float(blob));
}

std::string TensorflowNodeExporter::integers(std::string_view name, const std::vector<std::int64_t>& values) {
  return writer_.integers(part(name), values);
}

std::string TensorflowNodeExporter::as_number(const std::string& truth) {
  std::string name = writer_.unique(part("Cast"));
  writer_.node("Cast", name, {truth}).set("SrcT", tensorflow::DT_BOOL).set("DstT", tensorflow::DT_FLOAT);
  return name;
}

std::string TensorflowNodeExporter::as_truth(const std::string& number) {
  std::string name = writer_.unique(part("Cast"));
  writer_.node("Cast", name, {number}).set("SrcT", tensorflow::DT_FLOAT).set("DstT", tensorflow::DT_BOOL);
  return name;
}

std::string TensorflowNodeExporter::as_integer(const std::string& number) {
  std::string name = writer_.unique(part("Cast"));
  writer_.node("Cast", name, {number}).set("SrcT", tensorflow::DT_FLOAT).set("DstT", tensorflow::DT_INT32);
  return name;
}

std::string TensorflowNodeExporter::whole_number(const std::string& integer) {
  std::string name = writer_.unique(part("Cast"));
  writer_.node("Cast", name, {integer}).set("SrcT", tensorflow::DT_INT32).set("DstT", tensorflow::DT_FLOAT);
  return name;
}

std::string TensorflowNodeExporter::scaled(const std::string& x, float factor, float offset) {
  const std::string product = factor == 1.0F ? x : step("Mul", {x, constant("factor", factor)});
  return offset == 0.0F ? product : step("AddV2", {product, constant("offset", offset)});
}

/// A batch of 1 is left open, as TensorFlow's networks have it; pictures are in TensorFlow's order.
void TensorflowNodeExporter::write(const Input&) {
  pixels_ = out_shape().size() == 4 && read_as_map(graph_, node_.outputs[0]);
  Shape shape = own_order(out_shape());
  if (shape.size() > 1 && shape[0] == 1) shape[0] = -1;
  const std::string& name = writer_.own(out_name());
  (pixels_ ? names_.pixels : names_.plain)[node_.outputs[0]] = name;
  writer_.node("Placeholder", name, {}).set("dtype", tensorflow::DT_FLOAT).set_shape("shape", shape);
}

void TensorflowNodeExporter::write(const Constant& op) {
  names_.plain[node_.outputs[0]] = writer_.own_floats(out_name(), op.value->shape, to_float(*op.value));
}

void TensorflowNodeExporter::write(const Identity&) {
  pixels_ = in_pixels();
  last("Identity", {operand()});
}

}  // namespace octavo::graph
