// SPDX-License-Identifier: Apache-2.0
// The file formats that convert and convert-model write, and convert-model reads, by name.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/model.h"

namespace octavo::tool {

/// The files of one model, and what else its format needs to be told.
struct ModelFiles {
  std::filesystem::path model, prototxt;
  std::vector<std::string> inputs, outputs;     ///< TensorFlow
  std::map<std::string, Shape> input_shapes{};  ///< that the file leaves open; not of octavo and Caffe
};

struct ModelFormat {
  std::string_view name, title;
  std::string_view extension;  ///< of files that `convert` writes in it
  Model (*load)(const ModelFiles& files);
  void (*save)(const Model& model, const ModelFiles& files);
};

/// All names, comma-separated, for help and errors.
[[nodiscard]] std::string model_format_names();

/// Null for a name that is none. Upper and lower case are the same.
[[nodiscard]] const ModelFormat* find_model_format(std::string_view name);
/// By the extension of a file to write; `.octavo`'s for any other.
[[nodiscard]] const ModelFormat& format_to_write(const std::filesystem::path& file);
/// Whether the extension is that of a format.
[[nodiscard]] bool names_model_format(const std::filesystem::path& file);
/// What save() writes: the model, and a Caffe network's topology, beside it unless another place is given.
[[nodiscard]] std::vector<std::filesystem::path> files_to_write(const ModelFormat& format, const ModelFiles& files);

}  // namespace octavo::tool
