// SPDX-License-Identifier: Apache-2.0
// See graph/import/onnx_graph_proto.h.
#include "graph/import/onnx_graph_proto.h"

#include "graph/import/onnx_limits.h"
#include "graph/import/wire_reader.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

using Bytes = std::span<const std::byte>;

// Field numbers of ONNX's messages (see octavo_onnx.proto).
namespace onnx_graph_field {
constexpr std::uint32_t node = 1, name = 2, initializer = 5, input = 11, output = 12, sparse_initializer = 15;
}
namespace onnx_node_field {
constexpr std::uint32_t input = 1, output = 2, name = 3, op_type = 4, attribute = 5, domain = 7;
}
namespace onnx_attribute_field {
constexpr std::uint32_t name = 1;
}
namespace onnx_value_field {
constexpr std::uint32_t name = 1, type = 2;
}
namespace onnx_type_field {
constexpr std::uint32_t tensor = 1;
}
namespace onnx_tensor_type_field {
constexpr std::uint32_t element = 1, shape = 2;
}
namespace onnx_shape_field {
constexpr std::uint32_t dim = 1;
}
namespace onnx_dim_field {
constexpr std::uint32_t value = 1;
}
constexpr std::uint32_t kTensorName = 8;

[[noreturn]] void malformed_onnx_graph(const std::string& what) { throw Error(ErrorKind::malformed, what); }

std::int64_t read_dim(Bytes message) {
  std::int64_t dim = -1;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == onnx_dim_field::value && field->type == WireField::Type::varint) {
      dim = static_cast<std::int64_t>(field->value);
    }
  }
  return dim > 0 ? dim : -1;  // exporters write 0 for a dimension that is open
}

void read_tensor_type(Bytes message, OnnxValueInfo& info) {
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == onnx_tensor_type_field::element && field->type == WireField::Type::varint) {
      info.type = onnx_type(field->value);
    } else if (field->number == onnx_tensor_type_field::shape && field->is_bytes()) {
      info.has_shape = true;
      WireReader dims(field->bytes);
      while (const auto dim = dims.next()) {
        if (dim->number != onnx_shape_field::dim || !dim->is_bytes()) continue;
        if (info.shape.size() == kMaxOnnxRank) malformed_onnx_graph("a value of more than 8 dimensions");
        info.shape.push_back(read_dim(dim->bytes));
      }
    }
  }
}

OnnxValueInfo read_value_info(Bytes message) {
  OnnxValueInfo info;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (!field->is_bytes()) continue;
    if (field->number == onnx_value_field::name) info.name = onnx_name(field->bytes);
    if (field->number != onnx_value_field::type) continue;
    info.is_tensor = false;
    WireReader type(field->bytes);
    while (const auto part = type.next()) {
      if (part->number != onnx_type_field::tensor || !part->is_bytes()) continue;
      info.is_tensor = true;
      read_tensor_type(part->bytes, info);
    }
  }
  return info;
}

std::string attribute_name(Bytes message) {
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == onnx_attribute_field::name && field->is_bytes()) return onnx_name(field->bytes);
  }
  return {};
}

/// Fills a graph, field by field.
class GraphReader {
 public:
  GraphReader(OnnxGraphProto& graph, Bytes message, std::size_t base) : graph_(graph), message_(message), base_(base) {}

  void read() {
    WireReader reader(message_, base_);
    while (const auto field = reader.next()) {
      if (field->is_bytes()) read_field(*field);
    }
  }

 private:
  void read_field(const WireField& field) {
    switch (field.number) {
      case onnx_graph_field::node:
        if (graph_.nodes.size() == kMaxOnnxNodes) malformed_onnx_graph("more than 65,536 nodes");
        read_node(field.bytes);
        break;
      case onnx_graph_field::name:
        graph_.name = onnx_name(field.bytes);
        break;
      case onnx_graph_field::initializer:
        read_initializer(field.bytes);
        break;
      case onnx_graph_field::input:
      case onnx_graph_field::output: {
        auto& list = field.number == onnx_graph_field::input ? graph_.inputs : graph_.outputs;
        if (list.size() == kMaxOnnxInitializers) malformed_onnx_graph("too many inputs or outputs");
        list.push_back(read_value_info(field.bytes));
        break;
      }
      case onnx_graph_field::sparse_initializer:
        throw Error(ErrorKind::unsupported, "sparse weights", {}, "store them dense");
      default:
        break;
    }
  }

  void read_node(Bytes message) {
    OnnxNodeProto& node = graph_.nodes.emplace_back();
    WireReader reader(message, offset_of(message));
    while (const auto field = reader.next()) {
      if (!field->is_bytes()) continue;
      switch (field->number) {
        case onnx_node_field::input:
        case onnx_node_field::output:
          if (++names_ > kMaxOnnxNames) malformed_onnx_graph("too many connections");
          (field->number == onnx_node_field::input ? node.inputs : node.outputs).push_back(onnx_name(field->bytes));
          break;
        case onnx_node_field::name:
          node.name = onnx_name(field->bytes);
          break;
        case onnx_node_field::op_type:
          node.op_type = onnx_name(field->bytes);
          break;
        case onnx_node_field::domain:
          node.domain = onnx_name(field->bytes);
          break;
        case onnx_node_field::attribute:
          if (node.attributes.size() == kMaxOnnxAttributes) malformed_onnx_graph("a node of more than 64 attributes");
          node.attributes.emplace_back(attribute_name(field->bytes), field->bytes);
          break;
        default:
          break;
      }
    }
  }

  void read_initializer(Bytes message) {
    if (graph_.initializers.size() == kMaxOnnxInitializers) malformed_onnx_graph("more than 65,536 initializers");
    WireReader reader(message, offset_of(message));
    while (const auto field = reader.next()) {
      if (field->number != kTensorName || !field->is_bytes()) continue;
      graph_.initializers[onnx_name(field->bytes)] = message;
      return;
    }
  }

  [[nodiscard]] std::size_t offset_of(Bytes part) const {
    return base_ + static_cast<std::size_t>(part.data() - message_.data());
  }

  OnnxGraphProto& graph_;
  Bytes message_;
  std::size_t base_;
  std::size_t names_ = 0;  ///< inputs and outputs of nodes so far
};

}  // namespace

std::string onnx_name(Bytes bytes) {
  if (bytes.size() > kMaxOnnxNameBytes) malformed_onnx_graph("a name of more than 4096 bytes");
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

OnnxGraphProto read_onnx_graph(Bytes message, std::size_t base) {
  OnnxGraphProto graph;
  GraphReader(graph, message, base).read();
  return graph;
}

}  // namespace octavo::graph
