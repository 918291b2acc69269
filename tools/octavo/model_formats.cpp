// SPDX-License-Identifier: Apache-2.0
// See tools/octavo/model_formats.h.
#include "tools/octavo/model_formats.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "graph/mapped_file.h"
#include "octavo/error.h"
#include "runtime/octavo_file.h"

namespace octavo::tool {
namespace {

Model load_octavo(const ModelFiles& files) {
  const auto mapped = graph::MappedFile::open(files.model);
  if (!runtime::is_octavo_file(mapped->bytes())) {
    throw Error(ErrorKind::malformed, "no .octavo file", files.model.string());
  }
  return Model::load(files.model);
}

Model load_bigdl(const ModelFiles& files) { return Model::load_bigdl(files.model, {}, files.input_shapes); }
Model load_onnx(const ModelFiles& files) { return Model::load_onnx(files.model, files.input_shapes); }
Model load_torch(const ModelFiles& files) { return Model::load_torch(files.model, files.input_shapes); }

/// A caffemodel's topology lies beside it unless another place is given.
std::filesystem::path prototxt_of(const ModelFiles& files) {
  return files.prototxt.empty() ? std::filesystem::path(files.model).replace_extension(".prototxt") : files.prototxt;
}

Model load_caffe(const ModelFiles& files) { return Model::load_caffe(files.prototxt, files.model); }

Model load_tensorflow(const ModelFiles& files) {
  TensorflowOptions options;
  options.inputs = files.inputs;
  options.outputs = files.outputs;
  options.input_shapes = files.input_shapes;
  return Model::load_tensorflow(files.model, options);
}

constexpr std::array kFormats{
    ModelFormat{"octavo", "octavo", ".octavo", load_octavo,
                [](const Model& model, const ModelFiles& files) { model.save(files.model); }},
    ModelFormat{"bigdl", "BigDL", ".bigdl", load_bigdl,
                [](const Model& model, const ModelFiles& files) { model.save_bigdl(files.model); }},
    ModelFormat{"caffe", "Caffe", ".caffemodel", load_caffe,
                [](const Model& model, const ModelFiles& files) { model.save_caffe(prototxt_of(files), files.model); }},
    ModelFormat{"onnx", "ONNX", ".onnx", load_onnx,
                [](const Model& model, const ModelFiles& files) { model.save_onnx(files.model); }},
    ModelFormat{"tensorflow", "TensorFlow", ".pb", load_tensorflow,
                [](const Model& model, const ModelFiles& files) { model.save_tensorflow(files.model); }},
    ModelFormat{"torch", "Torch7", ".t7", load_torch,
                [](const Model& model, const ModelFiles& files) { model.save_torch(files.model); }},
};

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

const ModelFormat* format_of_extension(const std::filesystem::path& file) {
  const auto found = std::ranges::find(kFormats, lower_case(file.extension().string()), &ModelFormat::extension);
  return found == kFormats.end() ? nullptr : &*found;
}

}  // namespace

const ModelFormat* find_model_format(std::string_view name) {
  const auto found = std::ranges::find(kFormats, lower_case(name), &ModelFormat::name);
  return found == kFormats.end() ? nullptr : &*found;
}

const ModelFormat& format_to_write(const std::filesystem::path& file) {
  const ModelFormat* const found = format_of_extension(file);
  return found == nullptr ? kFormats.front() : *found;
}

bool names_model_format(const std::filesystem::path& file) { return format_of_extension(file) != nullptr; }

std::vector<std::filesystem::path> files_to_write(const ModelFormat& format, const ModelFiles& files) {
  if (format.name != "caffe") return {files.model};
  return {files.model, prototxt_of(files)};
}

std::string model_format_names() {
  std::string names;
  for (const ModelFormat& format : kFormats) names += (names.empty() ? "" : ", ") + std::string(format.name);
  return names;
}

}  // namespace octavo::tool
