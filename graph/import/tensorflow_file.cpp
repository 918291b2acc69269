// SPDX-License-Identifier: Apache-2.0
// See graph/import/tensorflow_file.h.
#include "graph/import/tensorflow_file.h"

#include <fmt/core.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <limits>

#include "graph/import/node_builder.h"
#include "graph/import/tensorflow_checkpoint.h"
#include "graph/import/tensorflow_functions.h"
#include "graph/import/tensorflow_limits.h"
#include "graph/import/text_limits.h"
#include "graph/import/wire_reader.h"
#include "graph/mapped_file.h"
#include "graph/placed_error.h"
#include "octavo/error.h"
#include "octavo_tensorflow.pb.h"

namespace octavo::graph {
namespace {

using Bytes = std::span<const std::byte>;

// Field numbers of TensorFlow's messages (see octavo_tensorflow.proto).
namespace graph_def {
constexpr std::uint32_t node = 1, library = 2, version = 3, versions = 4;
}
namespace node_def {
constexpr std::uint32_t name = 1, op = 2, input = 3, attribute = 5;
}
namespace map_entry {
constexpr std::uint32_t key = 1, value = 2;
}
namespace library_def {
constexpr std::uint32_t function = 1;
}
namespace function_def {
constexpr std::uint32_t signature = 1, node = 3, result = 4;
}
namespace op_def {
constexpr std::uint32_t name = 1, input = 2, output = 3, argument_name = 1;
}
namespace saved_model {
constexpr std::uint32_t meta_graph = 2;
}
namespace meta_graph {
constexpr std::uint32_t graph = 2, saver = 3, signature = 5;
}
namespace saver_def {
constexpr std::uint32_t restore = 3;
}
namespace signature_def {
constexpr std::uint32_t inputs = 1, outputs = 2, tensor_name = 1;
}

constexpr auto kSavedModelFile = "saved_model.pb";

[[noreturn]] void malformed_graph(const std::string& what) { throw Error(ErrorKind::malformed, what); }

bool is_message(const WireField& field) { return field.is_bytes(); }

std::string bounded_name(Bytes bytes) {
  if (bytes.size() > kMaxTensorflowNameBytes) malformed_graph("a name of more than 4096 bytes");
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A map's entry: its key, and its value's bytes.
std::pair<std::string, Bytes> entry_of_map(Bytes message) {
  std::pair<std::string, Bytes> entry;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (!is_message(*field)) continue;
    if (field->number == map_entry::key) entry.first = bounded_name(field->bytes);
    if (field->number == map_entry::value) entry.second = field->bytes;
  }
  return entry;
}

/// The first field of that number as a name.
std::string name_in(Bytes message, std::uint32_t number) {
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == number && is_message(*field)) return bounded_name(field->bytes);
  }
  return {};
}

class TextErrors : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& text) override {
    if (first.empty()) first = fmt::format("line {}, column {}: {}", line + 1, column + 1, text);
  }
  void AddWarning(int, google::protobuf::io::ColumnNumber, const std::string&) override {}
  std::string first;
};

/// A folder is a SavedModel or an error. SavedModels are often kept in a folder for each version: the nearest is named.
[[noreturn]] void refuse_folder(const std::filesystem::path& folder) {
  constexpr int kEntries = 1000;  // that are looked at
  std::error_code problem;
  std::filesystem::directory_iterator entries(folder, problem);
  std::string hint = "give a model file, or the folder that saved_model.pb and variables/ lie in";
  if (std::filesystem::exists(folder / "saved_model.pbtxt", problem)) {
    hint = "its saved_model.pbtxt is the form in text, which octavo does not read: save it in binary";
  }
  for (int seen = 0; seen < kEntries && entries != std::filesystem::directory_iterator(); ++seen) {
    if (is_saved_model(entries->path())) {
      hint = fmt::format("there is one in '{}': give that folder", entries->path().string());
      break;
    }
    entries.increment(problem);
    if (problem) break;
  }
  throw Error(ErrorKind::io, fmt::format("a folder without {}: not a SavedModel of TensorFlow", kSavedModelFile), {},
              hint);
}

bool is_node(Bytes message) {
  bool name = false, op = false;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == node_def::name) name = is_message(*field);
    if (field->number == node_def::op) op = is_message(*field);
  }
  return name && op;
}

}  // namespace

TensorflowFile::TensorflowFile(const std::filesystem::path& file) : file_(file) {
  try {
    read_file();
    InlinedNodes inlined = with_functions_inlined(std::move(nodes_), functions_);
    nodes_ = std::move(inlined.nodes);
    results_of_calls_ = std::move(inlined.results);
    if (checkpoint_) checkpoint_->read_restored(nodes_);
  } catch (const Error& error) {
    throw placed(error, file.string());
  }
}

TensorflowFile::~TensorflowFile() = default;

void TensorflowFile::read_file() {
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(file_, ignored);
  if (folder && !is_saved_model(file_)) refuse_folder(file_);
  auto mapped = MappedFile::open(folder ? file_ / kSavedModelFile : file_);
  whole_ = mapped->bytes();
  bytes_ = whole_.size();
  owner_ = std::move(mapped);
  if (whole_.empty()) malformed_graph("the file is empty");
  const std::string_view text(reinterpret_cast<const char*>(whole_.data()), whole_.size());
  if (folder) {
    checkpoint_ = TensorflowCheckpoint::open(file_ / "variables" / "variables");
    if (checkpoint_) bytes_ += checkpoint_->bytes();
    read_saved_model(whole_);
  } else if (is_tensorflow_text(text.substr(0, std::min<std::size_t>(text.size(), 65536)))) {
    read_text(text);
  } else {
    read_graph(whole_);
  }
  if (nodes_.empty()) malformed_graph("there is no graph in it");
}

std::size_t TensorflowFile::offset_of(Bytes part) const {
  return static_cast<std::size_t>(part.data() - whole_.data());
}

void TensorflowFile::read_text(std::string_view text) {
  if (text.size() > kMaxTensorflowTextBytes) malformed_graph("more than 256 MiB of text");
  check_text_limits(text, kMaxTensorflowTextDepth, kMaxTensorflowTextMessages);
  TextErrors errors;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  parser.AllowUnknownField(true);
  parser.SetRecursionLimit(kMaxTensorflowTextDepth);
  tensorflow::GraphDef graph;
  google::protobuf::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  if (!parser.Parse(&stream, &graph)) malformed_graph(errors.first.empty() ? "it cannot be parsed" : errors.first);
  if (graph.ByteSizeLong() > std::size_t{std::numeric_limits<int>::max()}) malformed_graph("more than 2 GB");
  auto binary = std::make_shared<const std::string>(graph.SerializeAsString());
  whole_ = std::as_bytes(std::span(*binary));
  owner_ = std::move(binary);
  read_graph(whole_);
}

void TensorflowFile::read_saved_model(Bytes message) {
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number != saved_model::meta_graph || !is_message(*field)) continue;
    read_meta_graph(field->bytes);
    return;  // the first one is that for serving, where there are several
  }
}

void TensorflowFile::read_meta_graph(Bytes message) {
  Bytes signature;
  WireReader reader(message, offset_of(message));
  while (const auto field = reader.next()) {
    if (!is_message(*field)) continue;
    if (field->number == meta_graph::graph) read_graph(field->bytes);
    if (field->number == meta_graph::saver && checkpoint_) {
      checkpoint_->set_restore(name_in(field->bytes, saver_def::restore));
    }
    if (field->number != meta_graph::signature) continue;
    const auto [name, value] = entry_of_map(field->bytes);
    if (name == "serving_default" || (signature.empty() && !name.starts_with("__"))) signature = value;
  }
  WireReader parts(signature);
  while (const auto field = parts.next()) {
    if (!is_message(*field)) continue;
    if (field->number != signature_def::inputs && field->number != signature_def::outputs) continue;
    const auto [name, value] = entry_of_map(field->bytes);
    auto& list = field->number == signature_def::inputs ? signature_inputs_ : signature_outputs_;
    list[name] = name_in(value, signature_def::tensor_name);
  }
}

void TensorflowFile::read_graph(Bytes message) {
  WireReader reader(message, offset_of(message));
  while (const auto field = reader.next()) {
    if (!is_message(*field)) continue;
    if (field->number == graph_def::node) {
      if (nodes_.size() == kMaxTensorflowNodes) malformed_graph("too many nodes");
      nodes_.push_back(read_node(field->bytes, false));
    } else if (field->number == graph_def::library) {
      read_library(field->bytes);
    }
  }
}

void TensorflowFile::read_library(Bytes message) {
  std::size_t nodes = 0;
  WireReader library(message, offset_of(message));
  while (const auto entry = library.next()) {
    if (entry->number != library_def::function || !is_message(*entry)) continue;
    TensorflowFunction function;
    std::string name;
    WireReader reader(entry->bytes, offset_of(entry->bytes));
    while (const auto field = reader.next()) {
      if (!is_message(*field)) continue;
      if (field->number == function_def::signature) {
        name = name_in(field->bytes, op_def::name);
        WireReader arguments(field->bytes);
        while (const auto argument = arguments.next()) {
          if (!is_message(*argument)) continue;
          if (argument->number == op_def::input) {
            function.inputs.push_back(name_in(argument->bytes, op_def::argument_name));
          } else if (argument->number == op_def::output) {
            function.results.emplace_back(name_in(argument->bytes, op_def::argument_name), "");
          }
        }
      } else if (field->number == function_def::node) {
        if (++nodes > kMaxTensorflowNodes) malformed_graph("too many nodes in functions");
        function.nodes.push_back(read_node(field->bytes, true));
      } else if (field->number == function_def::result) {
        const auto [result, source] = entry_of_map(field->bytes);
        for (auto& [own, made_by] : function.results) {
          if (own == result) made_by = bounded_name(source);
        }
      }
    }
    functions_[name] = std::move(function);
  }
}

TensorflowNodeDef TensorflowFile::read_node(Bytes message, bool body) {
  TensorflowNodeDef node;
  WireReader reader(message, offset_of(message));
  while (const auto field = reader.next()) {
    if (!is_message(*field)) continue;
    switch (field->number) {
      case node_def::name:
        node.name = bounded_name(field->bytes);
        break;
      case node_def::op:
        node.op = bounded_name(field->bytes);
        break;
      case node_def::input: {
        if (++inputs_ > kMaxTensorflowInputs) malformed_graph("too many connections");
        std::string name = bounded_name(field->bytes);
        if (name.starts_with('^')) {
          node.controls.push_back(name.substr(1));
          break;
        }
        if (!body && name.ends_with(":0")) name.resize(name.size() - 2);
        node.inputs.push_back(std::move(name));
        break;
      }
      case node_def::attribute:
        if (node.attributes.size() == kMaxTensorflowAttributes) malformed_graph("a node of more than 64 attributes");
        node.attributes.push_back(entry_of_map(field->bytes));
        break;
      default:
        break;
    }
  }
  return node;
}

const std::string& TensorflowFile::maker_of(const std::string& name) const {
  const auto found = results_of_calls_.find(name);
  return found == results_of_calls_.end() ? name : found->second;
}

ConstantPtr TensorflowFile::variable(const std::string& name) const {
  if (!checkpoint_) {
    throw Error(ErrorKind::unsupported, fmt::format("the variable '{}' has no value in this file", name), {},
                "freeze the graph, or load the folder of a SavedModel with its variables");
  }
  return checkpoint_->read(name);
}

bool is_tensorflow(Bytes bytes) {
  bool node = false;
  try {
    WireReader reader(bytes);
    while (const auto field = reader.next()) {
      if (field->number == graph_def::version && field->type == WireField::Type::varint) continue;
      if (field->number != graph_def::node && field->number != graph_def::library &&
          field->number != graph_def::versions) {
        return false;
      }
      if (!is_message(*field) || (field->number == graph_def::node && !is_node(field->bytes))) return false;
      node = node || field->number == graph_def::node;
    }
  } catch (const Error&) {
    // A file that is cut short: what was seen before decides.
  }
  return node;
}

bool is_tensorflow_text(std::string_view start) {
  const bool text = start.find('\0') == start.npos;
  return text && start.find("node") != start.npos && start.find("op:") != start.npos;
}

bool is_saved_model(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(folder / kSavedModelFile, ignored);
}

}  // namespace octavo::graph
