// SPDX-License-Identifier: Apache-2.0
// The options that several subcommands share: which model, how to quantize it, how to run it.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "octavo/model.h"
#include "octavo/options.h"
#include "tools/octavo/console.h"
#include "tools/octavo/files_read.h"
#include "tools/octavo/json_output.h"

namespace octavo::tool {

/// Values of --input-shape: "data=1x3x224x224" each.
[[nodiscard]] std::map<std::string, Shape> parse_input_shapes(const std::vector<std::string>& texts);

/// MODEL: an .octavo, .onnx, .t7, BigDL or TensorFlow .pb file, a SavedModel's folder, a .caffemodel (with its
/// --prototxt, or alone when it carries its topology), or, where untrained weights will do, a .prototxt.
struct ModelArgument {
  std::string model, prototxt, weights;
  std::vector<std::string> input_shapes;  ///< NAME=1x3x224x224, for files that leave them open
  std::vector<std::string> tf_inputs;     ///< of a TensorFlow file
  std::vector<std::string> outputs;       ///< of an ONNX or a TensorFlow file
  bool tf_order = false;                  ///< its inputs and outputs keep [N, H, W, C]
  std::uint64_t seed = 0;
  bool untrained_allowed = false;

  void declare(CLI::App& app, bool untrained);
  /// A prototxt alone: seeded He-initialised weights.
  [[nodiscard]] bool untrained() const;
  [[nodiscard]] Model open() const;
  void add_to(FilesRead& read) const;
  /// Runs `load`; where that fails, says that --input-shape may be why.
  [[nodiscard]] Model with_given_shapes(const std::function<Model()>& load) const;
  /// Bytes of the model file; 0 for a prototxt alone.
  [[nodiscard]] std::uintmax_t file_bytes() const;
};

/// --quantize, --window, --layer-window, --keep-float, --no-bias-correction, --measure.
struct QuantizeArguments {
  bool quantize = false;  ///< --quantize, or the command always does
  std::string window;
  std::vector<std::string> layer_windows, keep_float;
  bool uncorrected = false;  ///< --no-bias-correction
  std::string measure;       ///< pictures on which "worst:N" is found out

  /// With --quantize, described by `flag_help`; or, where that is null, for a command that always quantizes.
  void declare(CLI::App& app, const char* flag_help);
  /// `keep_float` as names: "worst:3" is measured, the model's own description says how pictures go in.
  [[nodiscard]] QuantizeOptions options(const Model& model) const;
  /// --window alone; nothing where it was not given.
  [[nodiscard]] std::optional<Window> window_for_all() const;
  /// The model, quantized if that was asked. Throws Error(invalid_argument) for windows without --quantize, or for
  /// layers that are quantized already.
  [[nodiscard]] Model apply(const Model& model) const;
  void add_to(FilesRead& read) const;

 private:
  [[nodiscard]] std::vector<std::string> kept_layers(const Model& model, const QuantizeOptions& options) const;
  void refuse_too_late(const Model& model) const;
};

/// --threads, --isa, --accuracy, --tuning.
struct CompileArguments {
  int threads = 0;
  std::string isa, accuracy = "auto", tuning;

  void declare(CLI::App& app);
  [[nodiscard]] CompileOptions options() const;
  void add_to(FilesRead& read) const;
  /// On stderr, where int8 layers will run as the scalar reference: by request, or because this processor has no more.
  void note_if_slow() const;
};

/// Each input's shape with this batch; as in the file when it is 0. Throws Error(invalid_argument) for a batch of
/// pictures of a network that takes one without a batch, [3, H, W].
[[nodiscard]] std::vector<Shape> batched_inputs(const Model& model, std::int64_t batch);
/// Compiles for so many pictures a run (0: as in the file). Throws what compile() throws, but Error(invalid_argument)
/// that says which batch to ask for where the network is made for its file's alone.
[[nodiscard]] Program compile_batch(const Model& model, const CompileOptions& options, std::int64_t batch);
/// Whether the network is made for its file's batch alone: it compiles for that, and not for this one.
[[nodiscard]] bool fixed_to_its_batch(const Model& model, const CompileOptions& options, std::int64_t batch);
/// The network's only input, for commands that feed pictures or batches; Error(unsupported) if it has several.
[[nodiscard]] Shape only_input_shape(const Model& model);
/// What quantize() did, for people and for machines.
[[nodiscard]] Table quantization_table(const std::vector<LayerQuantization>& layers);
[[nodiscard]] Json quantization_json(const std::vector<LayerQuantization>& layers);
/// "58 of 59 layers with weights are quantized, 99.9% of the weights"
[[nodiscard]] std::string quantization_summary(const std::vector<LayerQuantization>& layers);

}  // namespace octavo::tool
