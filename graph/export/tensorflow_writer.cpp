// SPDX-License-Identifier: Apache-2.0
// See graph/export/tensorflow_writer.h.
#include "graph/export/tensorflow_writer.h"

#include <fmt/core.h>

#include <limits>
#include <utility>

#include "octavo/error.h"

namespace octavo::graph {
namespace {

/// TensorFlow's release that the operators are of.
constexpr int kTensorflowProducer = 134;

void fill_shape(tensorflow::TensorShapeProto& proto, const Shape& shape) {
  for (const std::int64_t dim : shape) proto.add_dim()->set_size(dim);
}

bool allowed_in_names(char c, bool first) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
  return letter || (!first && (c == '_' || c == '-' || c == '/'));
}

}  // namespace

TensorflowNodeWriter& TensorflowNodeWriter::set(std::string_view name, tensorflow::DataType type) {
  attribute(name).set_type(type);
  return *this;
}
TensorflowNodeWriter& TensorflowNodeWriter::set(std::string_view name, std::int64_t value) {
  attribute(name).set_i(value);
  return *this;
}
TensorflowNodeWriter& TensorflowNodeWriter::set(std::string_view name, bool value) {
  attribute(name).set_b(value);
  return *this;
}
TensorflowNodeWriter& TensorflowNodeWriter::set(std::string_view name, float value) {
  attribute(name).set_f(value);
  return *this;
}
TensorflowNodeWriter& TensorflowNodeWriter::set(std::string_view name, std::string_view value) {
  attribute(name).set_s(std::string(value));
  return *this;
}
TensorflowNodeWriter& TensorflowNodeWriter::set(std::string_view name, const std::vector<std::int64_t>& values) {
  auto* list = attribute(name).mutable_list();
  for (const std::int64_t value : values) list->add_i(value);
  return *this;
}
TensorflowNodeWriter& TensorflowNodeWriter::set_shape(std::string_view name, const Shape& shape) {
  fill_shape(*attribute(name).mutable_shape(), shape);
  return *this;
}

TensorflowWriter::TensorflowWriter(const std::vector<std::string>& values) {
  for (const std::string& value : values) own_[value] = unique(value);
}

std::string TensorflowWriter::unique(const std::string& name) {
  std::string legal = name.empty() ? "value" : name;
  for (std::size_t i = 0; i < legal.size(); ++i) {
    if (!allowed_in_names(legal[i], i == 0)) legal[i] = i == 0 ? 'x' : '_';
  }
  std::string result = legal;
  for (int suffix = 1; !names_.insert(result).second; ++suffix) result = fmt::format("{}_{}", legal, suffix);
  return result;
}

TensorflowNodeWriter TensorflowWriter::node(std::string_view type, const std::string& name,
                                            const std::vector<std::string>& inputs) {
  tensorflow::NodeDef& node = *graph_.add_node();
  node.set_name(name);
  node.set_op(std::string(type));
  for (const std::string& input : inputs) node.add_input(input);
  return TensorflowNodeWriter(node);
}

std::string TensorflowWriter::constant(std::string own, tensorflow::DataType type, const Shape& shape,
                                       std::string bytes) {
  TensorflowNodeWriter writer = node("Const", own, {});
  writer.set("dtype", type);
  tensorflow::TensorProto& tensor =
      *(*graph_.mutable_node(graph_.node_size() - 1)->mutable_attr())["value"].mutable_tensor();
  tensor.set_dtype(type);
  fill_shape(*tensor.mutable_tensor_shape(), shape);
  tensor.set_tensor_content(std::move(bytes));
  return own;
}

std::string TensorflowWriter::floats(const std::string& name, const Shape& shape, std::span<const float> values) {
  const auto bytes = std::as_bytes(values);
  return constant(unique(name), tensorflow::DT_FLOAT, shape,
                  {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string TensorflowWriter::own_floats(const std::string& value, const Shape& shape, std::span<const float> values) {
  const auto bytes = std::as_bytes(values);
  return constant(own(value), tensorflow::DT_FLOAT, shape, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string TensorflowWriter::narrow_integers(const std::string& name, const Shape& shape,
                                              const std::vector<std::int64_t>& values) {
  std::vector<std::int32_t> narrow;
  for (const std::int64_t value : values) {
    if (value > std::numeric_limits<std::int32_t>::max() || value < std::numeric_limits<std::int32_t>::min()) {
      throw Error(ErrorKind::unsupported, fmt::format("a size of {} in TensorFlow", value));
    }
    narrow.push_back(static_cast<std::int32_t>(value));
  }
  const auto bytes = std::as_bytes(std::span(narrow));
  return constant(unique(name), tensorflow::DT_INT32, shape,
                  {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string TensorflowWriter::integers(const std::string& name, const std::vector<std::int64_t>& values) {
  return narrow_integers(name, {static_cast<std::int64_t>(values.size())}, values);
}

std::string TensorflowWriter::integer(const std::string& name, std::int64_t value) {
  return narrow_integers(name, {}, {value});
}

std::string TensorflowWriter::pairs(const std::string& name, const std::vector<std::int64_t>& values) {
  return narrow_integers(name, {static_cast<std::int64_t>(values.size() / 2), 2}, values);
}

std::string TensorflowWriter::finish() {
  graph_.mutable_versions()->set_producer(kTensorflowProducer);
  if (graph_.ByteSizeLong() > std::size_t{std::numeric_limits<int>::max()}) {
    throw Error(ErrorKind::unsupported, "a TensorFlow graph of more than 2 GB");
  }
  return graph_.SerializeAsString();
}

}  // namespace octavo::graph
