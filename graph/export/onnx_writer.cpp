// SPDX-License-Identifier: Apache-2.0
// See graph/export/onnx_writer.h.
#include "graph/export/onnx_writer.h"

#include <fmt/core.h>

#include "octavo/error.h"

namespace octavo::graph {
namespace {

// ONNX's numbers of element types.
constexpr int kFloatTensor = 1, kInt8Tensor = 3, kInt64Tensor = 7;
constexpr std::int64_t kIrVersion = 10, kOpset = 21;
/// What protocol buffers can hold, less room for everything but the weights.
constexpr std::size_t kMaxBytes = (std::size_t{2} << 30) - (std::size_t{16} << 20);

void set_type(onnx::ValueInfoProto& value, const std::string& name, const Shape& shape) {
  value.set_name(name);
  auto& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(kFloatTensor);
  for (const std::int64_t dim : shape) type.mutable_shape()->add_dim()->set_dim_value(dim);
}

}  // namespace

onnx::AttributeProto& OnnxNodeWriter::attribute(std::string_view name, onnx::AttributeProto::Type type) {
  onnx::AttributeProto& attribute = *node_.add_attribute();
  attribute.set_name(std::string(name));
  attribute.set_type(type);
  return attribute;
}

OnnxNodeWriter& OnnxNodeWriter::set(std::string_view name, std::int64_t value) {
  attribute(name, onnx::AttributeProto::INT).set_i(value);
  return *this;
}

OnnxNodeWriter& OnnxNodeWriter::set(std::string_view name, float value) {
  attribute(name, onnx::AttributeProto::FLOAT).set_f(value);
  return *this;
}

OnnxNodeWriter& OnnxNodeWriter::set(std::string_view name, std::string_view value) {
  attribute(name, onnx::AttributeProto::STRING).set_s(std::string(value));
  return *this;
}

OnnxNodeWriter& OnnxNodeWriter::set(std::string_view name, const std::vector<std::int64_t>& values) {
  onnx::AttributeProto& list = attribute(name, onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) list.add_ints(value);
  return *this;
}

std::string OnnxWriter::unique(const std::string& name) {
  std::string result = name;
  for (int suffix = 1; !names_.insert(result).second; ++suffix) result = fmt::format("{}_{}", name, suffix);
  return result;
}

OnnxNodeWriter OnnxWriter::node(std::string_view type, const std::string& name, const std::vector<std::string>& inputs,
                                const std::vector<std::string>& outputs) {
  onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  node.set_op_type(std::string(type));
  node.set_name(name);
  for (const std::string& input : inputs) node.add_input(input);
  for (const std::string& output : outputs) node.add_output(output);
  return OnnxNodeWriter(node);
}

std::string OnnxWriter::tensor(const std::string& name, const Shape& shape, int type, const void* data,
                               std::size_t size) {
  std::string own = unique(name);
  onnx::TensorProto& tensor = *model_.mutable_graph()->add_initializer();
  tensor.set_name(own);
  tensor.set_data_type(type);
  for (const std::int64_t dim : shape) tensor.add_dims(dim);
  tensor.set_raw_data(data, size);
  return own;
}

std::string OnnxWriter::floats(const std::string& name, const Shape& shape, std::span<const float> values) {
  return tensor(name, shape, kFloatTensor, values.data(), values.size_bytes());
}

std::string OnnxWriter::integers(const std::string& name, const std::vector<std::int64_t>& values) {
  return tensor(name, {static_cast<std::int64_t>(values.size())}, kInt64Tensor, values.data(),
                values.size() * sizeof(std::int64_t));
}

std::string OnnxWriter::bytes(const std::string& name, const Shape& shape, std::span<const std::int8_t> values) {
  return tensor(name, shape, kInt8Tensor, values.data(), values.size());
}

void OnnxWriter::input(const std::string& name, const Shape& shape) {
  set_type(*model_.mutable_graph()->add_input(), name, shape);
}

void OnnxWriter::output(const std::string& name, const Shape& shape) {
  set_type(*model_.mutable_graph()->add_output(), name, shape);
}

std::string OnnxWriter::finish(const std::string& graph_name) {
  model_.set_ir_version(kIrVersion);
  model_.set_producer_name("octavo");
  auto& opset = *model_.add_opset_import();
  opset.set_domain("");
  opset.set_version(kOpset);
  model_.mutable_graph()->set_name(graph_name);
  if (model_.ByteSizeLong() > kMaxBytes) {
    throw Error(ErrorKind::unsupported, "the network has more than the 2 GB that an ONNX file can hold", graph_name,
                "quantize it first, or keep it as .octavo");
  }
  return model_.SerializeAsString();
}

}  // namespace octavo::graph
