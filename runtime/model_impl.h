// SPDX-License-Identifier: Apache-2.0
// What a Model holds.
#pragma once

#include <memory>
#include <utility>

#include "octavo/model.h"
#include "runtime/octavo_file.h"
#include "runtime/program_cache.h"

namespace octavo {

struct Model::Impl {
  /// Programs of other shapes or options are compiled again when they come back after this many others.
  static constexpr std::size_t kKeptPrograms = 8;

  explicit Impl(runtime::ModelContent model, std::shared_ptr<runtime::ProgramCache> kept = nullptr)
      : content(std::move(model)),
        programs(kept ? std::move(kept) : std::make_shared<runtime::ProgramCache>(kKeptPrograms)) {}

  runtime::ModelContent content;
  std::shared_ptr<runtime::ProgramCache> programs;  ///< shared by models of the same graph
};

namespace runtime {

/// Tells a model file's format by its content and reads it: `.octavo`, ONNX, TensorFlow, or a caffemodel that carries
/// its topology. `input_shapes`: by name, for inputs of which an ONNX or TensorFlow file leaves the shape open.
/// Throws Error: io, malformed, unsupported (a format that octavo does not read: lists those it does).
[[nodiscard]] ModelContent read_model_file(const std::filesystem::path& file,
                                           const std::map<std::string, Shape>& input_shapes = {});

}  // namespace runtime
}  // namespace octavo
