// SPDX-License-Identifier: Apache-2.0
// What a Model holds.
#pragma once

#include <map>
#include <memory>
#include <string>
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

/// Tells a model file's format by its content and reads it: `.octavo`, ONNX, TensorFlow, BigDL, Torch7, or a caffemodel
/// that carries its topology. Throws Error: io, malformed, unsupported (a format that octavo does not read: lists those
/// it does), invalid_argument (an option that is none of this format's).
[[nodiscard]] ModelContent read_model_file(const std::filesystem::path& file, const LoadOptions& options = {});
/// See Model::files_of().
[[nodiscard]] std::vector<std::filesystem::path> files_of_model(const std::filesystem::path& file);

}  // namespace runtime
}  // namespace octavo
