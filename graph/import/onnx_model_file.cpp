// SPDX-License-Identifier: Apache-2.0
// See graph/import/onnx_model_file.h.
#include "graph/import/onnx_model_file.h"

#include <fmt/core.h>

#include "graph/import/onnx_limits.h"
#include "graph/import/wire_reader.h"
#include "graph/mapped_file.h"
#include "graph/placed_error.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

using Bytes = std::span<const std::byte>;

// Field numbers of ONNX's messages (see octavo_onnx.proto).
namespace model_field {
constexpr std::uint32_t ir_version = 1, graph = 7, opset_import = 8, functions = 25;
}
namespace opset_field {
constexpr std::uint32_t domain = 1, version = 2;
}
namespace graph_field {
constexpr std::uint32_t node = 1, name = 2, initializer = 5, input = 11, output = 12, sparse_initializer = 15;
}
namespace node_field {
constexpr std::uint32_t input = 1, output = 2, name = 3, op_type = 4, attribute = 5, domain = 7;
}
namespace attribute_field {
constexpr std::uint32_t name = 1;
}
namespace value_field {
constexpr std::uint32_t name = 1, type = 2;
}
namespace type_field {
constexpr std::uint32_t tensor = 1;
}
namespace tensor_type_field {
constexpr std::uint32_t element = 1, shape = 2;
}
namespace shape_field {
constexpr std::uint32_t dim = 1;
}
namespace dim_field {
constexpr std::uint32_t value = 1;
}
constexpr std::uint32_t kTensorName = 8;

[[noreturn]] void malformed(const std::string& what) { throw Error(ErrorKind::malformed, what); }

bool is_bytes(const WireField& field) { return field.type == WireField::Type::bytes; }

std::string name_of(Bytes bytes) {
  if (bytes.size() > kMaxOnnxNameBytes) malformed("a name of more than 4096 bytes");
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::int64_t read_dim(Bytes message) {
  std::int64_t dim = -1;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == dim_field::value && field->type == WireField::Type::varint) {
      dim = static_cast<std::int64_t>(field->value);
    }
  }
  return dim > 0 ? dim : -1;  // exporters write 0 for a dimension that is open
}

void read_tensor_type(Bytes message, OnnxValueInfo& info) {
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == tensor_type_field::element && field->type == WireField::Type::varint) {
      info.type = onnx_type(field->value);
    } else if (field->number == tensor_type_field::shape && is_bytes(*field)) {
      info.has_shape = true;
      WireReader dims(field->bytes);
      while (const auto dim = dims.next()) {
        if (dim->number != shape_field::dim || !is_bytes(*dim)) continue;
        if (info.shape.size() == kMaxOnnxRank) malformed("a value of more than 8 dimensions");
        info.shape.push_back(read_dim(dim->bytes));
      }
    }
  }
}

OnnxValueInfo read_value_info(Bytes message) {
  OnnxValueInfo info;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (!is_bytes(*field)) continue;
    if (field->number == value_field::name) info.name = name_of(field->bytes);
    if (field->number != value_field::type) continue;
    info.is_tensor = false;
    WireReader type(field->bytes);
    while (const auto part = type.next()) {
      if (part->number != type_field::tensor || !is_bytes(*part)) continue;
      info.is_tensor = true;
      read_tensor_type(part->bytes, info);
    }
  }
  return info;
}

std::string attribute_name(Bytes message) {
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == attribute_field::name && is_bytes(*field)) return name_of(field->bytes);
  }
  return {};
}

}  // namespace

OnnxModelFile::OnnxModelFile(const std::filesystem::path& file) : file_(file) {
  auto mapped = MappedFile::open(file);
  bytes_ = mapped->bytes();
  owner_ = std::move(mapped);
  try {
    if (bytes_.empty()) malformed("the file is empty");
    read_model();
  } catch (const Error& error) {
    throw placed(error, file.string());
  }
}

void OnnxModelFile::read_model() {
  Bytes graph;
  bool found = false;
  WireReader reader(bytes_);
  while (const auto field = reader.next()) {
    if (!is_bytes(*field)) continue;
    if (field->number == model_field::graph) {
      graph = field->bytes;
      found = true;
    } else if (field->number == model_field::opset_import) {
      read_opset(field->bytes);
    } else if (field->number == model_field::functions) {
      throw Error(ErrorKind::unsupported, "the file defines functions of its own", {},
                  "have its exporter write them inline");
    }
  }
  if (!found) malformed("there is no graph in it");
  if (opset_ < kMinOnnxOpset || opset_ > kMaxOnnxOpset) {
    throw Error(ErrorKind::unsupported, fmt::format("operator set {}", opset_), {},
                fmt::format("octavo reads {} to {}; onnx.version_converter may help", kMinOnnxOpset, kMaxOnnxOpset));
  }
  read_graph(graph);
}

void OnnxModelFile::read_opset(Bytes message) {
  std::string domain;
  std::int64_t version = 0;
  WireReader reader(message, offset_of(message));
  while (const auto field = reader.next()) {
    if (field->number == opset_field::domain && is_bytes(*field)) domain = name_of(field->bytes);
    if (field->number == opset_field::version && field->type == WireField::Type::varint) {
      version = static_cast<std::int64_t>(field->value);
    }
  }
  if (domain.empty() || domain == "ai.onnx") opset_ = version;
}

void OnnxModelFile::read_graph(Bytes message) {
  WireReader reader(message, offset_of(message));
  while (const auto field = reader.next()) {
    if (!is_bytes(*field)) continue;
    switch (field->number) {
      case graph_field::node:
        if (nodes_.size() == kMaxOnnxNodes) malformed("more than 65,536 nodes");
        read_node(field->bytes);
        break;
      case graph_field::name:
        name_ = name_of(field->bytes);
        break;
      case graph_field::initializer:
        read_initializer(field->bytes);
        break;
      case graph_field::input:
      case graph_field::output: {
        auto& list = field->number == graph_field::input ? inputs_ : outputs_;
        if (list.size() == kMaxOnnxInitializers) malformed("too many inputs or outputs");
        list.push_back(read_value_info(field->bytes));
        break;
      }
      case graph_field::sparse_initializer:
        throw Error(ErrorKind::unsupported, "sparse weights", {}, "store them dense");
      default:
        break;
    }
  }
}

void OnnxModelFile::read_node(Bytes message) {
  OnnxNodeProto& node = nodes_.emplace_back();
  WireReader reader(message, offset_of(message));
  while (const auto field = reader.next()) {
    if (!is_bytes(*field)) continue;
    switch (field->number) {
      case node_field::input:
      case node_field::output:
        if (++names_ > kMaxOnnxNames) malformed("too many connections");
        (field->number == node_field::input ? node.inputs : node.outputs).push_back(name_of(field->bytes));
        break;
      case node_field::name:
        node.name = name_of(field->bytes);
        break;
      case node_field::op_type:
        node.op_type = name_of(field->bytes);
        break;
      case node_field::domain:
        node.domain = name_of(field->bytes);
        break;
      case node_field::attribute:
        if (node.attributes.size() == kMaxOnnxAttributes) malformed("a node of more than 64 attributes");
        node.attributes.emplace_back(attribute_name(field->bytes), field->bytes);
        break;
      default:
        break;
    }
  }
}

void OnnxModelFile::read_initializer(Bytes message) {
  if (initializers_.size() == kMaxOnnxInitializers) malformed("more than 65,536 initializers");
  WireReader reader(message, offset_of(message));
  while (const auto field = reader.next()) {
    if (field->number != kTensorName || !is_bytes(*field)) continue;
    initializers_[name_of(field->bytes)] = message;
    return;
  }
}

bool is_onnx(std::span<const std::byte> bytes) {
  bool version = false, graph = false;
  try {
    WireReader reader(bytes);
    while (const auto field = reader.next()) {
      version = version || (field->number == model_field::ir_version && field->type == WireField::Type::varint);
      graph = graph || (field->number == model_field::graph && is_bytes(*field));
    }
  } catch (const Error&) {
    // A file that is cut short: what was seen before decides.
  }
  return version && graph;
}

}  // namespace octavo::graph
