// SPDX-License-Identifier: Apache-2.0
// What all ops share: names, constants, the last node. See graph/export/onnx_exporter.h.
#include "graph/export/onnx_exporter.h"

#include <variant>

#include "octavo/error.h"

namespace octavo::graph {

void OnnxNodeExporter::run() {
  std::visit([this](const auto& op) { write(op); }, node_.op);
}

void OnnxNodeExporter::cannot(const std::string& what) {
  throw Error(ErrorKind::unsupported, "ONNX cannot say " + what);
}

void OnnxNodeExporter::not_written(std::string_view op) {
  throw Error(ErrorKind::unsupported, "octavo does not write " + std::string(op) + " as ONNX");
}

OnnxNodeWriter OnnxNodeExporter::step(std::string_view type, std::vector<std::string> inputs, std::string& result) {
  const std::string name = part(type);
  result = name;
  return writer_.node(type, name, inputs, {name});
}

std::string OnnxNodeExporter::step(std::string_view type, std::vector<std::string> inputs) {
  std::string result;
  step(type, std::move(inputs), result);
  return result;
}

OnnxNodeWriter OnnxNodeExporter::layer(std::string_view type, const std::vector<std::string>& inputs, bool alone,
                                       std::string& result) {
  if (alone) return last(type, inputs);
  result = part(type);
  named_ = true;
  return writer_.node(type, node_.name, inputs, {result});
}

OnnxNodeWriter OnnxNodeExporter::last(std::string_view type, std::vector<std::string> inputs) {
  return writer_.node(type, named_ ? part(type) : node_.name, inputs, {out()});
}

std::string OnnxNodeExporter::constant(std::string_view name, const Shape& shape, std::span<const float> values) {
  return writer_.floats(node_.name + "/" + std::string(name), shape, values);
}

std::string OnnxNodeExporter::constant(std::string_view name, float value) {
  return constant(name, {}, std::span<const float>(&value, 1));
}

std::string OnnxNodeExporter::constant(std::string_view name, const Blob& blob, const Shape& shape) {
  if (!blob.quantized()) return constant(name, shape, blob.f32.values);
  return constant(name, shape, to_float(blob));
}

std::string OnnxNodeExporter::integers(std::string_view name, const std::vector<std::int64_t>& values) {
  return writer_.integers(node_.name + "/" + std::string(name), values);
}

std::string OnnxNodeExporter::cast(const std::string& value, std::int64_t type) {
  std::string result;
  step("Cast", {value}, result).set("to", type);
  return result;
}

void OnnxNodeExporter::write(const Input&) { writer_.input(out(), out_shape()); }

}  // namespace octavo::graph
