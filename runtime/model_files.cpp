// SPDX-License-Identifier: Apache-2.0
// Model: what comes from files and goes into files.
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

#include "graph/export/bigdl.h"
#include "graph/export/caffe.h"
#include "graph/export/onnx.h"
#include "graph/export/tensorflow.h"
#include "graph/export/torch.h"
#include "graph/graph.h"
#include "graph/import/bigdl.h"
#include "graph/import/caffe.h"
#include "graph/import/onnx.h"
#include "graph/import/tensorflow.h"
#include "graph/import/torch.h"
#include "octavo/error.h"
#include "octavo/model.h"
#include "runtime/atomic_file.h"
#include "runtime/model_impl.h"
#include "runtime/octavo_file.h"

namespace octavo {
namespace {

Model model_of(graph::Graph graph) {
  runtime::ModelContent content;
  content.graph = std::move(graph);
  return Model(std::make_shared<const Model::Impl>(std::move(content)));
}

graph::Graph with_shapes(graph::Graph graph) {
  graph::infer_shapes(graph);
  return graph;
}

void write_whole(const std::filesystem::path& file, const std::string& bytes) {
  runtime::AtomicFile output(file);
  output.write(std::as_bytes(std::span(bytes)));
  output.commit();
}

}  // namespace

Model Model::load_caffe(const std::filesystem::path& prototxt, const std::filesystem::path& caffemodel) {
  return model_of(graph::import_caffe(prototxt, caffemodel));
}

Model Model::load_caffe_untrained(const std::filesystem::path& prototxt, std::uint64_t seed) {
  graph::CaffeImportOptions options;
  options.require_weights = false;
  options.seed = seed;
  return model_of(graph::import_caffe(prototxt, {}, options));
}

Model Model::load_onnx(const std::filesystem::path& file, const std::map<std::string, Shape>& input_shapes) {
  graph::OnnxImportOptions options;
  options.input_shapes = input_shapes;
  return model_of(graph::import_onnx(file, options));
}

Model Model::load_tensorflow(const std::filesystem::path& file, const TensorflowOptions& options) {
  graph::TensorflowImportOptions import;
  import.inputs = options.inputs;
  import.outputs = options.outputs;
  import.input_shapes = options.input_shapes;
  import.channels_first = options.channels_first;
  return model_of(graph::import_tensorflow(file, import));
}

Model Model::load_torch(const std::filesystem::path& file, const std::map<std::string, Shape>& input_shapes) {
  return model_of(graph::import_torch(file, {.input_shapes = input_shapes}));
}

Model Model::load_bigdl(const std::filesystem::path& file, const std::filesystem::path& weights,
                        const std::map<std::string, Shape>& input_shapes) {
  graph::BigdlImportOptions options;
  options.weight_file = weights;
  options.input_shapes = input_shapes;
  return model_of(graph::import_bigdl(file, options));
}

Model Model::load(const std::filesystem::path& file, const LoadOptions& options) {
  return Model(std::make_shared<const Impl>(runtime::read_model_file(file, options)));
}

std::vector<std::filesystem::path> Model::files_of(const std::filesystem::path& file) {
  return runtime::files_of_model(file);
}

void Model::save(const std::filesystem::path& file) const { runtime::write_octavo_file(file, impl_->content); }

void Model::save_onnx(const std::filesystem::path& file) const {
  write_whole(file, graph::export_onnx(with_shapes(impl_->content.graph)));
}

void Model::save_torch(const std::filesystem::path& file) const {
  write_whole(file, graph::export_torch(with_shapes(impl_->content.graph)));
}

void Model::save_bigdl(const std::filesystem::path& file) const {
  write_whole(file, graph::export_bigdl(with_shapes(impl_->content.graph)));
}

void Model::save_caffe(const std::filesystem::path& prototxt, const std::filesystem::path& caffemodel) const {
  const auto place = [](const std::filesystem::path& file) {
    std::error_code problem;
    const std::filesystem::path absolute = std::filesystem::absolute(file, problem);
    std::filesystem::path resolved = std::filesystem::weakly_canonical(absolute, problem);
    return problem ? absolute : resolved;
  };
  if (place(prototxt) == place(caffemodel)) {
    throw Error(ErrorKind::invalid_argument, "the topology and the weights are one file", caffemodel.string(),
                "give each a name of its own");
  }
  const graph::CaffeExport files = graph::export_caffe(with_shapes(impl_->content.graph));
  runtime::AtomicFile weights(caffemodel), topology(prototxt);
  weights.write(std::as_bytes(std::span(files.caffemodel)));
  topology.write(std::as_bytes(std::span(files.prototxt)));
  weights.prepare();
  topology.prepare();
  weights.commit();
  topology.commit();
}

void Model::save_tensorflow(const std::filesystem::path& file) const {
  write_whole(file, graph::export_tensorflow(with_shapes(impl_->content.graph)));
}

}  // namespace octavo
