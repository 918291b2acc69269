// SPDX-License-Identifier: Apache-2.0
// Model files of any format, told by their first bytes.
#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

#include "graph/import/bigdl.h"
#include "graph/import/bigdl_module.h"
#include "graph/import/caffe.h"
#include "graph/import/onnx.h"
#include "graph/import/onnx_model_file.h"
#include "graph/import/tensorflow.h"
#include "graph/import/tensorflow_file.h"
#include "graph/import/torch.h"
#include "graph/mapped_file.h"
#include "octavo/error.h"
#include "runtime/model_impl.h"

namespace octavo::runtime {
namespace {

using namespace std::string_view_literals;

constexpr auto kFormats =
    "octavo reads .octavo files, ONNX, TensorFlow (a frozen graph, or the folder of a SavedModel), BigDL, Torch7, and "
    "Caffe: a prototxt with its caffemodel, or a caffemodel alone";

/// How a Caffe NetParameter in binary can start: name, layers (old format), input, input_dim, input_shape, layer.
constexpr std::array kCaffeTags = {"\x0a"sv, "\x12"sv, "\x1a"sv, "\x20"sv, "\x42"sv, "\xa2\x06"sv};

/// Text without control characters, with the words of a Caffe topology.
bool is_prototxt(std::string_view start) {
  const bool text = std::none_of(start.begin(), start.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && std::isspace(byte) == 0;
  });
  return text && (start.find("layer") != start.npos || start.find("input") != start.npos);
}

/// An ONNX ModelProto begins with its version, a small number, and a text, import or graph after it. For files that are
/// none of anything: this much of one is left when the rest was not copied.
bool begins_as_onnx(std::string_view start) {
  constexpr std::array next = {'\x12', '\x1a', '\x22', '\x32', '\x3a', '\x42'};
  return start.size() > 2 && start[0] == '\x08' && start[1] > 0 && start[1] < 32 &&
         std::find(next.begin(), next.end(), start[2]) != next.end();
}

ModelContent content_of_graph(graph::Graph graph) {
  ModelContent content;
  content.graph = std::move(graph);
  return content;
}

void refuse_input_shapes(const std::filesystem::path& file, const LoadOptions& options) {
  if (options.input_shapes.empty()) return;
  throw Error(ErrorKind::invalid_argument,
              "this file says its inputs' shapes; they can be given where a format leaves them open", file.string(),
              "leave them out: --input-shape, LoadOptions::input_shapes");
}

void refuse_weights(const std::filesystem::path& file, const LoadOptions& options) {
  if (options.weights.empty()) return;
  throw Error(ErrorKind::invalid_argument, "this file holds its weights; a file of them goes with a BigDL model",
              file.string(), "leave it out: --weights, LoadOptions::weights");
}

void refuse_ends(const std::filesystem::path& file, const LoadOptions& options, bool outputs_too) {
  if (outputs_too && !options.outputs.empty()) {
    throw Error(ErrorKind::invalid_argument, "outputs can be chosen of an ONNX or a TensorFlow file", file.string(),
                "leave them out: --outputs, --tf-outputs, LoadOptions::outputs");
  }
  if (!options.inputs.empty() || !options.channels_first) {
    throw Error(ErrorKind::invalid_argument, "inputs and their order can be chosen of a TensorFlow file", file.string(),
                "leave them out: --tf-inputs, --tf-order, LoadOptions::inputs, LoadOptions::channels_first");
  }
}

}  // namespace

ModelContent read_model_file(const std::filesystem::path& file, const LoadOptions& options) {
  const auto tensorflow = [&] {
    refuse_weights(file, options);
    graph::TensorflowImportOptions ends;
    ends.inputs = options.inputs;
    ends.outputs = options.outputs;
    ends.input_shapes = options.input_shapes;
    ends.channels_first = options.channels_first;
    return content_of_graph(graph::import_tensorflow(file, ends));
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) return tensorflow();  // a SavedModel, or an error that says so
  constexpr std::size_t kLook = 65536;
  std::string_view start;
  const auto mapped = graph::MappedFile::open(file);
  const auto bytes = mapped->bytes().first(std::min(mapped->bytes().size(), kLook));
  start = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT: bytes as characters

  if (graph::is_bigdl(mapped->bytes())) {
    refuse_ends(file, options, true);
    return content_of_graph(
        graph::import_bigdl(file, {.weight_file = options.weights, .input_shapes = options.input_shapes}));
  }
  refuse_weights(file, options);
  if (graph::is_onnx(mapped->bytes())) {
    graph::OnnxImportOptions shapes;
    shapes.input_shapes = options.input_shapes;
    shapes.outputs = options.outputs;
    refuse_ends(file, options, false);
    return content_of_graph(graph::import_onnx(file, shapes));
  }
  if (is_octavo_file(bytes)) {
    refuse_ends(file, options, true);
    refuse_input_shapes(file, options);
    return read_octavo_file(file);
  }
  if (start.empty()) throw Error(ErrorKind::malformed, "an empty file", file.string(), kFormats);
  if (graph::is_torch(bytes)) {
    refuse_ends(file, options, true);
    return content_of_graph(graph::import_torch(file, {.input_shapes = options.input_shapes}));
  }
  if (graph::is_tensorflow_text(start) || graph::is_tensorflow(mapped->bytes())) return tensorflow();
  if (is_prototxt(start)) {
    throw Error(ErrorKind::invalid_argument, "a Caffe topology in text, without its weights", file.string(),
                "pass the caffemodel as the model, and this file with --prototxt or to Model::load_caffe()");
  }
  const bool caffe =
      std::any_of(kCaffeTags.begin(), kCaffeTags.end(), [&](std::string_view tag) { return start.starts_with(tag); });
  if (begins_as_onnx(start))
    throw Error(ErrorKind::malformed, "an ONNX model that is cut short or broken", file.string(), "get the file anew");
  if (!caffe) throw Error(ErrorKind::unsupported, "not a model file that octavo knows", file.string(), kFormats);
  refuse_ends(file, options, true);
  graph::CaffeImportOptions shapes;
  shapes.input_shapes = options.input_shapes;
  return content_of_graph(graph::import_caffe_binary(file, shapes));
}

std::vector<std::filesystem::path> files_of_model(const std::filesystem::path& file) {
  std::vector<std::filesystem::path> files{file};
  try {
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored) || !graph::is_onnx(graph::MappedFile::open(file)->bytes())) {
      return files;
    }
    for (std::filesystem::path& part : graph::OnnxModelFile(file).external_files()) files.push_back(std::move(part));
  } catch (const Error&) {  // what is wrong with it, loading says
  }
  return files;
}

}  // namespace octavo::runtime
