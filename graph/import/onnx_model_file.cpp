// SPDX-License-Identifier: Apache-2.0
// See graph/import/onnx_model_file.h.
#include "graph/import/onnx_model_file.h"

#include <fmt/core.h>

#include <set>

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

[[noreturn]] void malformed_model(const std::string& what) { throw Error(ErrorKind::malformed, what); }

}  // namespace

OnnxModelFile::OnnxModelFile(const std::filesystem::path& file) : file_(file) {
  auto mapped = MappedFile::open(file);
  bytes_ = mapped->bytes();
  owner_ = std::move(mapped);
  try {
    if (bytes_.empty()) malformed_model("the file is empty");
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
    if (!field->is_bytes()) continue;
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
  if (!found) malformed_model("there is no graph in it");
  if (opset_ < kMinOnnxOpset || opset_ > kMaxOnnxOpset) {
    throw Error(ErrorKind::unsupported, fmt::format("operator set {}", opset_), {},
                fmt::format("octavo reads {} to {}; onnx.version_converter may help", kMinOnnxOpset, kMaxOnnxOpset));
  }
  graph_ = read_onnx_graph(graph, offset_of(graph));
}

void OnnxModelFile::read_opset(Bytes message) {
  std::string domain;
  std::int64_t version = 0;
  WireReader reader(message, offset_of(message));
  while (const auto field = reader.next()) {
    if (field->number == opset_field::domain && field->is_bytes()) domain = onnx_name(field->bytes);
    if (field->number == opset_field::version && field->type == WireField::Type::varint) {
      version = static_cast<std::int64_t>(field->value);
    }
  }
  if (domain.empty() || domain == "ai.onnx") opset_ = version;
}

std::vector<std::filesystem::path> OnnxModelFile::external_files() const {
  std::set<std::filesystem::path> files;
  for (const auto& [name, tensor] : graph_.initializers) {
    const std::filesystem::path file = external_file_of(tensor);
    if (!file.empty()) files.insert(file_.parent_path() / file);
  }
  return {files.begin(), files.end()};
}

bool is_onnx(std::span<const std::byte> bytes) {
  bool version = false, graph = false;
  try {
    WireReader reader(bytes);
    while (const auto field = reader.next()) {
      version = version || (field->number == model_field::ir_version && field->type == WireField::Type::varint);
      graph = graph || (field->number == model_field::graph && field->is_bytes());
    }
  } catch (const Error&) {
    // A file that is cut short: what was seen before decides.
  }
  return version && graph;
}

}  // namespace octavo::graph
